/**
 * How much of a body a door reads: by what is asked, of which type, and who sends. The README repeats the table.
 * STOW-RS has no row: instances pass by one at a time, and each has a limit of its own.
 */
import type { Attempt } from '../../access/may-attempt.ts';
import type { Requester } from '../../access/requester.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';

/** The kind of a requester; `nobody` has shown neither a token that allows the request nor an assertion that holds. */
export type Sender = Requester['kind'] | 'nobody';

/** What a body is sent for: an interaction of FHIR, a form of `/auth/…`, a transaction of XDS. */
export type BodyPurpose =
  | { readonly door: 'FHIR'; readonly request: Attempt['interaction']; readonly type?: StoredType }
  | { readonly door: 'SMART'; readonly request: 'form' }
  | { readonly door: 'XDS'; readonly request: 'ITI-18' | 'ITI-43' | 'RAD-69' };

/** The most that is read. `values` counts the members and items of JSON; Infinity where the body is none. */
export type BodyLimit = { readonly bytes: number; readonly values: number };

/** Finds the limit of a body. */
export type FindBodyLimit = (purpose: BodyPurpose, sender: Sender) => BodyLimit;

/** What is left out fits everything; without `bytes` the configuration says how many. */
type Row = {
  readonly door: BodyPurpose['door'];
  readonly requests: readonly BodyPurpose['request'][];
  readonly types?: readonly StoredType[];
  readonly senders?: readonly Sender[];
  readonly bytes?: number;
  readonly values?: number;
  readonly reason: string;
};

const KIB = 1024;

/** Types that bring documents with them; what is written of any other is small. */
const WITH_DOCUMENTS = STORED_TYPES.filter((type) => fhirType(type).hooks?.write === 'documents');

/** The first row that fits counts. */
const ROWS: readonly Row[] = [
  { door: 'FHIR', requests: ['search-type'], bytes: 64 * KIB, reason: 'a form of 50 parameters' },
  {
    door: 'FHIR',
    requests: ['operation'],
    bytes: 64 * KIB,
    values: 1_000,
    reason: 'a justification has 2,000 characters',
  },
  {
    door: 'FHIR',
    requests: ['patch', 'delete'],
    bytes: 256 * KIB,
    values: 5_000,
    reason: 'a patch of 500 operations; a delete has no body',
  },
  {
    door: 'FHIR',
    requests: ['create', 'update'],
    types: WITH_DOCUMENTS,
    senders: ['establishment'],
    values: 100_000,
    reason: 'reports bring their PDF',
  },
  {
    door: 'FHIR',
    requests: ['transaction'],
    senders: ['establishment'],
    values: 100_000,
    reason: 'reports among others',
  },
  {
    door: 'FHIR',
    requests: ['create', 'update', 'transaction'],
    bytes: 256 * KIB,
    values: 5_000,
    reason: 'one resource without a document; what a patient writes',
  },
  { door: 'SMART', requests: ['form'], bytes: 32 * KIB, reason: 'as much as an address and its headers may hold' },
  {
    door: 'XDS',
    requests: ['ITI-18', 'ITI-43', 'RAD-69'],
    senders: ['nobody'],
    bytes: 64 * KIB,
    reason: 'a SOAP header with its assertion, before anything else is parsed',
  },
  { door: 'XDS', requests: ['ITI-18'], bytes: 256 * KIB, reason: 'a query of 1,000 values' },
  { door: 'XDS', requests: ['ITI-43'], bytes: 1024 * KIB, reason: '1,000 documents, each some hundred characters' },
  { door: 'XDS', requests: ['RAD-69'], bytes: 2048 * KIB, reason: 'the instances of a large study' },
];

/** Makes the lookup. No limit is above `configured`, the bytes of PASSERELLE_MAX_BODY_BYTES. */
export function bodyLimits(configured: number): FindBodyLimit {
  return (purpose, sender) => {
    const row = ROWS.find((candidate) => fits(candidate, purpose, sender));
    if (row === undefined) throw new Error(`No body is expected for ${purpose.door} ${purpose.request}`);
    return { bytes: Math.min(row.bytes ?? configured, configured), values: row.values ?? Infinity };
  };
}

function fits({ door, requests, types, senders }: Row, purpose: BodyPurpose, sender: Sender): boolean {
  if (door !== purpose.door || !requests.includes(purpose.request)) return false;
  if (senders?.includes(sender) === false) return false;
  return types === undefined || ('type' in purpose && purpose.type !== undefined && types.includes(purpose.type));
}

/** Writes the table of the README in Markdown, without a line break at its end. */
export function bodyLimitsTable(): string {
  const rows = ROWS.map(({ door, requests, types = [], senders = [], bytes, values, reason }) => {
    const lists = [requests, types, senders].map((list) => list.join(', '));
    return [door, ...lists, sizeOf(bytes), values?.toLocaleString('en') ?? '', reason];
  });
  const head = ['door', 'request', 'type', 'from', 'bytes', 'JSON values', 'for'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sizeOf(bytes: number | undefined): string {
  if (bytes === undefined) return '`PASSERELLE_MAX_BODY_BYTES`';
  return bytes < 1024 * KIB ? `${bytes / KIB} KiB` : `${bytes / KIB / KIB} MiB`;
}
