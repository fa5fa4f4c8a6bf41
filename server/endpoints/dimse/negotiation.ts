/**
 * Association negotiation, the one place where dcmjs-dimse is used: it reads the A-ASSOCIATE-RQ and writes the
 * answer. It never sees the connection: it talks to a wire made of one PDU in and one PDU out, so that its timers,
 * its unbounded buffers and its P-DATA path are out of play. @see DICOM PS3.8 9.3.2 to 9.3.4
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import dimse from 'dcmjs-dimse';
import { DICOM_IMPLEMENTATION, DICOM_UID, OTHER_STORAGE_CLASSES } from '../../../profiles/codes.ts';
import { isReferencedPixelData } from '../../../profiles/dicom/transfer-syntax.ts';
import { protocolFault } from './upper-layer.ts';

/** An accepted presentation context. */
export type PresentationContext = { readonly abstractSyntaxUID: string; readonly transferSyntaxUID: string };

/** Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21). */
export type Rejection = readonly [result: number, source: number, reason: number];

/** The refusals that the door gives. */
export const REJECTION = {
  callingAENotRecognized: [1, 1, 3],
  calledAENotRecognized: [1, 1, 7],
  protocolVersionNotSupported: [1, 2, 2],
  temporaryCongestion: [2, 3, 1],
  localLimitExceeded: [2, 3, 2],
} as const satisfies Record<string, Rejection>;

type LibraryAssociation = Parameters<InstanceType<typeof dimse.Scp>['associationRequested']>[0];

/** An association request that waits for its answer. Ask for one answer, then `dispose`. */
export interface Negotiation {
  readonly callingAE: string;
  readonly calledAE: string;
  /** What the peer can receive, 0 for no maximum. */
  readonly peerMaxLength: number;
  readonly contexts: ReadonlyMap<number, PresentationContext>;
  readonly isVersionSupported: boolean;
  /** The A-ASSOCIATE-AC with the contexts above. */
  accept(announcedPDUBytes: number): Buffer;
  /** The A-ASSOCIATE-RJ. */
  reject(rejection: Rejection): Buffer;
}

/** Names the product in every association, and silences the library: it would write AE titles to the console. */
export function prepareNegotiation(announcedPDUBytes: number): void {
  dimse.log.disableAll();
  dimse.Implementation.setImplementationClassUid(DICOM_IMPLEMENTATION.classUID);
  dimse.Implementation.setImplementationVersion(DICOM_IMPLEMENTATION.versionName);
  dimse.Implementation.setMaxPduLength(announcedPDUBytes);
}

/**
 * Reads an A-ASSOCIATE-RQ.
 * @throws {Fault} invalid - malformed
 */
export async function readAssociationRequest(pdu: Buffer): Promise<Negotiation> {
  const sorted = sortPresentationContexts(pdu);
  const library = new LibraryNegotiation();
  try {
    const association = await library.read(sorted);
    return {
      callingAE: association.getCallingAeTitle(),
      calledAE: association.getCalledAeTitle(),
      peerMaxLength: association.getMaxPduLength(),
      contexts: decideContexts(association),
      isVersionSupported: (pdu.readUInt16BE(6) & 1) === 1,
      accept: (announcedPDUBytes) => {
        association.setMaxPduLength(announcedPDUBytes);
        return library.write(() => library.sendAssociationAccept());
      },
      reject: (rejection) => library.write(() => library.sendAssociationReject(...rejection)),
    };
  } catch (cause) {
    throw protocolFault('invalid-parameter', 'The association request is malformed', cause);
  } finally {
    library.dispose();
  }
}

/** A socket as the library sees it. */
class Wire extends EventEmitter {
  readonly written: Buffer[] = [];

  setTimeout(): this {
    return this;
  }

  write(pdu: Buffer): boolean {
    this.written.push(pdu);
    return true;
  }
}

class LibraryNegotiation extends dimse.Scp {
  readonly #wire: Wire;
  #onRequest: ((association: LibraryAssociation) => void) | undefined;

  constructor() {
    const wire = new Wire();
    super(wire as unknown as Socket);
    this.#wire = wire;
  }

  async read(pdu: Buffer): Promise<LibraryAssociation> {
    return await new Promise((resolve, reject) => {
      this.#onRequest = resolve;
      this.once('networkError', reject);
      this.#wire.emit('data', pdu);
    });
  }

  override associationRequested(association: LibraryAssociation): void {
    this.#onRequest?.(association);
  }

  write(send: () => void): Buffer {
    send();
    return Buffer.concat(this.#wire.written.splice(0));
  }

  /** Stops the library's clock. */
  dispose(): void {
    this.#wire.emit('close');
  }
}

/** Verification, every storage class and every private class, in the first transfer syntax that the sender offers. */
function decideContexts(association: LibraryAssociation): Map<number, PresentationContext> {
  const { Accept, RejectAbstractSyntaxNotSupported, RejectTransferSyntaxesNotSupported } =
    dimse.constants.PresentationContextResult;
  const accepted = new Map<number, PresentationContext>();
  for (const { id, context } of association.getPresentationContexts()) {
    const abstractSyntaxUID = context.getAbstractSyntaxUid();
    const transferSyntaxUID = context.getTransferSyntaxUids().find((uid) => !isReferencedPixelData(uid));
    if (!isServed(abstractSyntaxUID)) context.setResult(RejectAbstractSyntaxNotSupported);
    else if (transferSyntaxUID === undefined) context.setResult(RejectTransferSyntaxesNotSupported);
    else {
      context.setResult(Accept, transferSyntaxUID);
      accepted.set(id, { abstractSyntaxUID, transferSyntaxUID });
    }
  }
  return accepted;
}

function isServed(abstractSyntaxUID: string): boolean {
  if (abstractSyntaxUID === DICOM_UID.verification) return true;
  if (!abstractSyntaxUID.startsWith(DICOM_UID.standardRoot)) return true;
  return abstractSyntaxUID.startsWith(DICOM_UID.storageClassPrefix) || OTHER_STORAGE_CLASSES.has(abstractSyntaxUID);
}

const ITEMS_OFFSET = 74;
const PRESENTATION_CONTEXT_ITEM = 0x20;
const MAX_CONTEXTS = 128;

/**
 * Returns the request with its contexts in ascending order of id: the standard allows any order, and the library
 * renumbers contexts that come in another one.
 */
function sortPresentationContexts(pdu: Buffer): Buffer {
  if (pdu.length < ITEMS_OFFSET) throw protocolFault('invalid-parameter', 'The association request is cut short');
  const contexts: Buffer[] = [];
  const others: Buffer[] = [];
  for (let at = ITEMS_OFFSET; at < pdu.length; ) {
    const end = at + 4 + (at + 4 <= pdu.length ? pdu.readUInt16BE(at + 2) : 0);
    if (end > pdu.length) throw protocolFault('invalid-parameter', 'An item is longer than the association request');
    (pdu[at] === PRESENTATION_CONTEXT_ITEM ? contexts : others).push(pdu.subarray(at, end));
    at = end;
  }
  const ids = new Set(contexts.map((item) => item[4] ?? 0));
  const areOdd = [...ids].every((id) => id % 2 === 1);
  if (ids.size !== contexts.length || !areOdd || contexts.length > MAX_CONTEXTS) {
    throw protocolFault('invalid-parameter', 'Presentation context ids must be odd and used once');
  }
  contexts.sort((a, b) => (a[4] ?? 0) - (b[4] ?? 0));
  return Buffer.concat([pdu.subarray(0, ITEMS_OFFSET), ...contexts, ...others]);
}
