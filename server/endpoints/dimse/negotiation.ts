/**
 * Association negotiation: reads the A-ASSOCIATE-RQ, decides its contexts, writes the answer. @see DICOM PS3.8 9.3.2 to
 * 9.3.4
 */
import { DICOM_IMPLEMENTATION, DICOM_UID } from '../../../profiles/codes.ts';
import { isStorageClass } from '../../../profiles/dicom/storage-class.ts';
import { isReferencedPixelData } from '../../../profiles/dicom/file/transfer-syntax.ts';
import {
  formatItem,
  formatMaxLength,
  ITEM_TYPE,
  ITEMS_OFFSET,
  readItems,
  type AssociationItem,
} from '../../../ihe/dimse/association-items.ts';
import { formatPDU, PDU_TYPE, protocolFault } from '../../../ihe/dimse/upper-layer.ts';

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

/** An association request that waits for its answer. */
export type Negotiation = {
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
};

/** Results of a context. @see DICOM PS3.8 table 9-18 */
const CONTEXT_RESULT = { accepted: 0, abstractSyntaxNotSupported: 3, transferSyntaxesNotSupported: 4 } as const;
const MAX_CONTEXTS = 128;
const VERSION_OFFSET = 6;
const CALLED_AE_OFFSET = 10;
const CALLING_AE_OFFSET = 26;
const AE_TITLE_BYTES = 16;

/**
 * Reads an A-ASSOCIATE-RQ.
 * @throws {Fault} invalid - malformed
 */
export function readAssociationRequest(pdu: Buffer): Negotiation {
  if (pdu.length < ITEMS_OFFSET) throw protocolFault('invalid-parameter', 'The association request is cut short');
  const items = readItems(pdu.subarray(ITEMS_OFFSET));
  const answers = items.filter(({ type }) => type === ITEM_TYPE.offeredContext).map(answerContext);
  checkIds(answers);
  const accepted = answers.flatMap(({ id, result, context }) =>
    result === CONTEXT_RESULT.accepted ? [[id, context] as const] : [],
  );
  return {
    callingAE: aeTitleAt(pdu, CALLING_AE_OFFSET),
    calledAE: aeTitleAt(pdu, CALLED_AE_OFFSET),
    peerMaxLength: maxLengthIn(items),
    contexts: new Map(accepted),
    isVersionSupported: (pdu.readUInt16BE(VERSION_OFFSET) & 1) === 1,
    accept: (announcedPDUBytes) => formatAccept(pdu, answers, announcedPDUBytes),
    reject: (rejection) => formatPDU(PDU_TYPE.associateReject, Buffer.from([0, ...rejection])),
  };
}

type AnsweredContext = { readonly id: number; readonly result: number; readonly context: PresentationContext };

/** Verification, every storage class and every private class, in the first transfer syntax that the sender offers. */
function answerContext({ value }: AssociationItem): AnsweredContext {
  if (value.length < 4) throw protocolFault('invalid-parameter', 'A presentation context is cut short');
  const parts = readItems(value.subarray(4));
  const offered = parts.filter(({ type }) => type === ITEM_TYPE.transferSyntax).map(uidIn);
  const abstractSyntaxUID = parts.filter(({ type }) => type === ITEM_TYPE.abstractSyntax).map(uidIn)[0] ?? '';
  const chosen = offered.find((uid) => !isReferencedPixelData(uid));
  const context = { abstractSyntaxUID, transferSyntaxUID: chosen ?? offered[0] ?? '' };
  return { id: value[0] ?? 0, result: resultOf(abstractSyntaxUID, chosen), context };
}

function resultOf(abstractSyntaxUID: string, transferSyntaxUID: string | undefined): number {
  if (!isServed(abstractSyntaxUID)) return CONTEXT_RESULT.abstractSyntaxNotSupported;
  return transferSyntaxUID === undefined ? CONTEXT_RESULT.transferSyntaxesNotSupported : CONTEXT_RESULT.accepted;
}

function isServed(abstractSyntaxUID: string): boolean {
  return abstractSyntaxUID === DICOM_UID.verification || isStorageClass(abstractSyntaxUID);
}

function checkIds(contexts: readonly AnsweredContext[]): void {
  const ids = new Set(contexts.map(({ id }) => id));
  const areOdd = [...ids].every((id) => id % 2 === 1);
  if (ids.size === contexts.length && areOdd && contexts.length <= MAX_CONTEXTS) return;
  throw protocolFault('invalid-parameter', 'Presentation context ids must be odd and used once');
}

/** UIDs may be padded, though the standard forbids it here. */
function uidIn({ value }: AssociationItem): string {
  return value.toString('latin1').replace(/[\0 ]+$/, '');
}

function aeTitleAt(pdu: Buffer, offset: number): string {
  return pdu
    .toString('latin1', offset, offset + AE_TITLE_BYTES)
    .replace(/\0+$/, '')
    .trim();
}

function maxLengthIn(items: readonly AssociationItem[]): number {
  const information = items.find(({ type }) => type === ITEM_TYPE.userInformation);
  const maximum = information && readItems(information.value).find(({ type }) => type === ITEM_TYPE.maxLength);
  if (maximum === undefined) return 0;
  if (maximum.value.length !== 4)
    throw protocolFault('invalid-parameter', 'The maximum length is not one of four bytes');
  return maximum.value.readUInt32BE();
}

/** AE titles and reserved bytes come back as they were sent (PS3.8 table 9-17). */
function formatAccept(request: Buffer, answers: readonly AnsweredContext[], announcedPDUBytes: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 1, 0, 0]),
    request.subarray(CALLED_AE_OFFSET, ITEMS_OFFSET),
    formatItem(ITEM_TYPE.applicationContext, DICOM_UID.applicationContext),
    ...answers.map(formatAnswer),
    formatItem(
      ITEM_TYPE.userInformation,
      formatMaxLength(announcedPDUBytes),
      formatItem(ITEM_TYPE.implementationClass, DICOM_IMPLEMENTATION.classUID),
      formatItem(ITEM_TYPE.implementationVersion, DICOM_IMPLEMENTATION.versionName),
    ),
  ]);
  return formatPDU(PDU_TYPE.associateAccept, body);
}

function formatAnswer({ id, result, context }: AnsweredContext): Buffer {
  return formatItem(
    ITEM_TYPE.answeredContext,
    Buffer.from([id, 0, result, 0]),
    formatItem(ITEM_TYPE.transferSyntax, context.transferSyntaxUID),
  );
}
