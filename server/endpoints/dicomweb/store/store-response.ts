/** The answer of STOW-RS. @see DICOM PS3.18 section 10.5.3 and table I.2.2 */
import type { DicomJson, JsonAttribute } from '../../../../profiles/dicom/json/json.ts';
import { TAG } from '../../../../profiles/dicom/attributes.ts';
import { formatTag } from '../../../../profiles/dicom/data-element.ts';
import type { Fault, FaultKind } from '../../../../profiles/fault.ts';
import type { SentOutcome } from '../../../flows/intake/receive-stow-request.ts';

/** What became of one part; UIDs are missing where the part did not say them. */
export type StoredItem = {
  readonly sopClassUID: string | undefined;
  readonly sopInstanceUID: string | undefined;
} & SentOutcome;

/** Failure reasons: those of C-STORE (PS3.4 table B.2-1, PS3.7 annex C). */
const FAILURE_REASON = {
  invalid: 0xc000,
  required: 0xa900,
  'not-supported': 0x0122,
  login: 0x0124,
  forbidden: 0x0124,
  'not-found': 0x0110,
  deleted: 0x0110,
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

/** Status and body: 200 when all are stored, 202 when some are, 409 when none is. */
export function formatStoreResponse(
  items: readonly StoredItem[],
  baseUrl: string,
): { readonly status: number; readonly body: DicomJson } {
  const stored = items.flatMap((item) => ('received' in item ? [storedOf(item.received.row, baseUrl)] : []));
  const named = items.filter((item) => 'refused' in item && item.sopInstanceUID !== undefined);
  const unnamed = items.filter((item) => 'refused' in item && item.sopInstanceUID === undefined);
  const studies = new Set(items.flatMap((item) => ('received' in item ? [item.received.row.studyInstanceUID] : [])));
  const [study] = studies;
  const body = toJson([
    ['RetrieveURL', 'UR', studies.size === 1 && study !== undefined ? [`${baseUrl}/studies/${study}`] : []],
    ['FailedSOPSequence', 'SQ', named.map(failedOf)],
    ['ReferencedSOPSequence', 'SQ', stored],
    ['OtherFailuresSequence', 'SQ', unnamed.map(failedOf)],
  ]);
  const isAll = stored.length === items.length;
  return { status: isAll ? 200 : stored.length > 0 ? 202 : 409, body };
}

type Row = Extract<SentOutcome, { received: unknown }>['received']['row'];

function storedOf(
  { sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID }: Row,
  baseUrl: string,
): DicomJson {
  return toJson([
    ['ReferencedSOPClassUID', 'UI', [sopClassUID]],
    ['ReferencedSOPInstanceUID', 'UI', [sopInstanceUID]],
    [
      'RetrieveURL',
      'UR',
      [`${baseUrl}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`],
    ],
  ]);
}

function failedOf(item: StoredItem): DicomJson {
  const reason = 'refused' in item ? reasonOf(item.refused) : FAILURE_REASON.exception;
  return toJson([
    ['ReferencedSOPClassUID', 'UI', item.sopClassUID === undefined ? [] : [item.sopClassUID]],
    ['ReferencedSOPInstanceUID', 'UI', item.sopInstanceUID === undefined ? [] : [item.sopInstanceUID]],
    ['FailureReason', 'US', [reason]],
  ]);
}

/** A `protocolCode` of four hexadecimal digits wins over the kind, as it does in DIMSE. */
function reasonOf({ kind, protocolCode = '' }: Fault): number {
  return /^[0-9A-F]{4}$/.test(protocolCode) ? Number.parseInt(protocolCode, 16) : FAILURE_REASON[kind];
}

/** Attributes without a value are left out. */
function toJson(
  attributes: readonly (readonly [
    keyword: keyof typeof TAG,
    vr: JsonAttribute['vr'],
    values: NonNullable<JsonAttribute['Value']>,
  ])[],
): DicomJson {
  const entries = attributes
    .filter(([, , values]) => values.length > 0)
    .map(([keyword, vr, values]): [string, JsonAttribute] => [formatTag(TAG[keyword]), { vr, Value: [...values] }]);
  return Object.fromEntries(entries);
}
