/** The small PDUs of the upper layer, and why it aborts. @see DICOM PS3.8 9.3 */
import { Fault } from '../../profiles/fault.ts';

/** PDU types (PS3.8 9.3.1). */
export const PDU_TYPE = {
  associateRequest: 0x01,
  associateAccept: 0x02,
  associateReject: 0x03,
  data: 0x04,
  releaseRequest: 0x05,
  releaseResponse: 0x06,
  abort: 0x07,
} as const;

/** Reasons of the service provider (PS3.8 table 9-26). */
const ABORT_REASON = {
  'not-specified': 0,
  'unrecognized-pdu': 1,
  'unexpected-pdu': 2,
  'unrecognized-parameter': 4,
  'unexpected-parameter': 5,
  'invalid-parameter': 6,
} as const;

/** Why the provider aborts. */
export type AbortReason = keyof typeof ABORT_REASON;

/** A peer broke the protocol: the association ends with an A-ABORT of this reason. */
export function protocolFault(reason: AbortReason, message: string, cause?: unknown): Fault {
  return new Fault('invalid', message, { protocolCode: reason, cause });
}

/** Formats the A-ABORT that answers a Fault; one without an abort reason is answered as not specified. */
export function formatAbort(fault: Fault): Buffer {
  const reason = fault.protocolCode ?? '';
  const isKnown = (name: string): name is AbortReason => Object.hasOwn(ABORT_REASON, name);
  const serviceProvider = 2;
  return formatPDU(PDU_TYPE.abort, Buffer.from([0, 0, serviceProvider, isKnown(reason) ? ABORT_REASON[reason] : 0]));
}

/** Formats an A-RELEASE-RP. */
export function formatReleaseResponse(): Buffer {
  return formatPDU(PDU_TYPE.releaseResponse, Buffer.alloc(4));
}

/** Formats a PDU. */
export function formatPDU(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

/**
 * Formats a command set as P-DATA-TF PDUs that a peer with this maximum length can take; 0 means no maximum.
 * A peer that announces less than 128 bytes still gets fragments of 122.
 */
export function formatCommandPDUs(contextId: number, command: Buffer, maxLength: number): Buffer {
  const size = maxLength === 0 ? command.length : Math.max(maxLength, 128) - 6;
  const pdus: Buffer[] = [];
  for (let at = 0; at < command.length; at += size) {
    const fragment = command.subarray(at, at + size);
    const isLast = at + size >= command.length;
    const header = Buffer.alloc(12);
    header[0] = PDU_TYPE.data;
    header.writeUInt32BE(fragment.length + 6, 2);
    header.writeUInt32BE(fragment.length + 2, 6);
    header[10] = contextId;
    header[11] = isLast ? 0b11 : 0b01;
    pdus.push(header, fragment);
  }
  return Buffer.concat(pdus);
}
