/** DIMSE status codes. @see DICOM PS3.7 Annex C, PS3.4 B.2.3 */
import type { Fault, FaultKind } from '../../../profiles/fault.ts';

/** The command was carried out. */
export const SUCCESS = 0x0000;

/** The SCP does not know the command. */
export const UNRECOGNIZED_OPERATION = 0x0211;

const STATUS = {
  invalid: 0xc000,
  required: 0xa900,
  'not-supported': 0x0122,
  login: 0x0124,
  forbidden: 0x0124,
  'not-found': 0x0112,
  deleted: 0x0112,
  conflict: 0x0111,
  'version-conflict': 0x0110,
  'business-rule': 0xa900,
  'too-costly': 0xa700,
  'too-long': 0xa700,
  throttled: 0xa700,
  'no-store': 0xa700,
  transient: 0xa700,
  exception: 0x0110,
} as const satisfies Record<FaultKind, number>;

/**
 * Returns the status that answers a Fault. A `protocolCode` of four hexadecimal digits wins over the kind, as
 * `A900` for a data set that does not match its SOP class.
 */
export function toStatus(fault: Fault): number {
  const { protocolCode } = fault;
  if (protocolCode !== undefined && /^[0-9A-F]{4}$/.test(protocolCode)) return Number.parseInt(protocolCode, 16);
  return STATUS[fault.kind];
}
