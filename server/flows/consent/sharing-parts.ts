/**
 * The parts of a plan that change whether a record is shared. The switch is a function of the withdrawals that stand
 * afterwards; changes of one person follow each other, by a claim that each of them renews.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { RECONSENT_REQUEST } from '../../../profiles/consent/reconsent-request.ts';
import { sharingOf, type Sharing } from '../../../profiles/consent/sharing.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { claimOf, findAll, type Found } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** What stands of a person. */
export type StandingSharing = {
  readonly person: PersonKey;
  readonly sharing: Sharing<Consent & { readonly id: string }>;
  /** Rows by id. */
  readonly rows: ReadonlyMap<string, InternalRow>;
  /** What establishments asked and she has not answered. */
  readonly requests: readonly Found<Task>[];
  /** The last change. */
  readonly turn: string | undefined;
};

const OPEN: Criterion = {
  kind: 'token',
  param: 'status',
  values: [{ code: 'active' }, { code: 'proposed' }],
};
const REQUESTED: Criterion = { kind: 'token', param: 'status', values: [{ code: 'requested' }] };

/** Reads it. */
export async function readSharing(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
): Promise<StandingSharing> {
  // Asked first: what is changed afterwards breaks the condition on it.
  const turn = await claimOf(records, reading, claimKey.sharing(person));
  const consents = await findAll<Consent>(records, reading({ person }), 'Consent', [OPEN]);
  const tasks = await findAll<Task>(records, reading({ person }), 'Task', [REQUESTED]);
  return {
    person,
    turn,
    sharing: sharingOf(consents.map(({ row, resource }) => ({ ...resource, id: row.id }))),
    rows: new Map(consents.map(({ row }) => [row.id, row])),
    requests: tasks.filter(({ resource }) => resource.code?.text === RECONSENT_REQUEST),
  };
}

/** What changes: Consents that end, requests that are done, and whether the record is hidden afterwards. */
export type SharingChange = {
  readonly ended: readonly Consent[];
  readonly done: readonly Found<Task>[];
  readonly withdrawn: boolean;
};

/** The parts of it, but for what is new. */
export function sharingParts(
  indexer: Indexer,
  { person, rows, turn }: StandingSharing,
  { ended, done, withdrawn }: SharingChange,
  now: number,
): PlanParts {
  const key = claimKey.sharing(person);
  const former = turn === undefined ? {} : { preconditions: [{ kind: 'claimed', key, value: turn } as const] };
  const parts: PlanParts[] = [
    ...ended.map((consent) => change(indexer, rows.get(consent.id ?? ''), { ...consent, status: 'inactive' }, now)),
    ...done.map(({ row, resource }) => change(indexer, row, { ...resource, status: 'completed' }, now)),
  ];
  return {
    preconditions: [...(former.preconditions ?? []), ...parts.flatMap(({ preconditions = [] }) => preconditions)],
    puts: parts.flatMap(({ puts = [] }) => puts),
    erased: turn === undefined ? [] : [{ claims: [key] }],
    claims: [{ key, value: newId() }],
    states: [{ person, change: { withdrawn } }],
  };
}

function change(indexer: Indexer, row: InternalRow | undefined, resource: Consent | Task, now: number): PlanParts {
  if (row === undefined) throw new Error('What changes was not read');
  return changed(indexer, row, resource, now, aboutRow(row));
}
