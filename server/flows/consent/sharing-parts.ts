/**
 * The parts of a plan that change whether a record is shared. The switches are a function of the withdrawals and
 * oppositions that stand afterwards, and are kept of the identity that each is filed under: they go with that one when
 * identities part. Changes of one person take turns.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { closedPaper, isPaperTask } from '../../../profiles/consent/reconsent/paper.ts';
import { RECONSENT_REQUEST } from '../../../profiles/consent/reconsent/request.ts';
import { recordedBy, sharingOf, type Sharing } from '../../../profiles/consent/sharing.ts';
import { choiceOf, type SharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { identitiesOf } from '../identity/identities.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { nextTurn, readTurn, type Turn } from '../turns.ts';
import { isConfirmedTicket } from '../support/ticket-done.ts';

/** What stands of a person. */
export type StandingSharing = {
  readonly sharing: Sharing<Consent & { readonly id: string }>;
  /** Who each identity of hers (`Patient/id`) is by itself. */
  readonly homes: ReadonlyMap<string, PersonKey>;
  /** Withdrawals that earlier servers left active though they had ended: nothing is withdrawn. */
  readonly leftovers: readonly Consent[];
  /** Rows by id. */
  readonly rows: ReadonlyMap<string, InternalRow>;
  /** What establishments asked and she has not answered. */
  readonly requests: readonly Found<Task>[];
  /** Tickets of support that were confirmed. */
  readonly tickets: readonly Found<Task>[];
  /** Papers that wait for who confirms them. */
  readonly papers: readonly Found<Task>[];
  readonly turn: Turn;
};

const OPEN: Criterion = {
  kind: 'token',
  param: 'status',
  values: [{ code: 'active' }, { code: 'proposed' }],
};
/** Tasks that wait, or whose ticket may stand. */
const OPEN_TASKS: Criterion = { kind: 'token', param: 'status', values: [{ code: 'requested' }, { code: 'accepted' }] };

/**
 * Whether a patient said it as this identity (`Patient/id`). What she said as another one may be another human's; what
 * somebody said who represents her is hers, whichever of her identities it is for (C10).
 */
export function isSaidAs(
  { rows }: Pick<StandingSharing, 'rows'>,
  denial: Consent & { readonly id: string },
  patient: string,
): boolean {
  if (recordedBy(denial) !== undefined) return false;
  return !isSaidByHerself(denial) || rows.get(denial.id)?.subject === patient;
}

/** Whether the patient said it in her own account: no establishment recorded it, and nobody said it for her. */
export function isSaidByHerself(denial: Consent): boolean {
  const { performer = [] } = denial;
  const isRepresentatives = performer.some(({ reference = '' }) => reference.startsWith('RelatedPerson/'));
  return recordedBy(denial) === undefined && !isRepresentatives;
}

/** Whether it stood at a time (epoch milliseconds): what was written later may say something new. */
export function stoodAt({ rows }: Pick<StandingSharing, 'rows'>, { id }: Pick<Consent, 'id'>, time: number): boolean {
  const row = rows.get(id ?? '');
  return row !== undefined && row.updated <= time;
}

/** Reads it. */
export async function readSharing(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  now: number,
): Promise<StandingSharing> {
  const turn = await readTurn(records, reading, claimKey.sharing(person));
  const consents = await findAll<Consent>(records, reading({ person }), 'Consent', [OPEN]);
  const tasks = await findAll<Task>(records, reading({ person }), 'Task', [OPEN_TASKS]);
  const waiting = tasks.filter(({ resource }) => resource.status === 'requested');
  const identities = await identitiesOf(records, person, now);
  const { denials, ...others } = sharingOf(consents.map(({ row, resource }) => ({ ...resource, id: row.id })));
  const withdrawals = denials.filter((denial) => choiceOf(denial) === 'withdraw');
  const isWithdrawn = withdrawals.length > 0 && (await records.stateOf(reading({ person }), person)).withdrawn;
  const leftovers = isWithdrawn ? [] : withdrawals;
  return {
    turn,
    homes: new Map(identities.map(({ content: { id, home } }) => [`Patient/${id}`, personKey(home)])),
    sharing: { denials: denials.filter((denial) => !leftovers.includes(denial)), ...others },
    leftovers,
    rows: new Map(consents.map(({ row }) => [row.id, row])),
    requests: waiting.filter(({ resource }) => resource.code?.text === RECONSENT_REQUEST),
    tickets: tasks.filter(({ resource }) => isConfirmedTicket(resource)),
    papers: waiting.filter(({ resource }) => isPaperTask(resource)),
  };
}

/**
 * What changes: Consents that end, as inactive if they do not say otherwise; one that waited and is in force; requests
 * that are done; and the withdrawals and oppositions that hide the record afterwards.
 */
export type SharingChange = {
  readonly ended: readonly Consent[];
  readonly begun?: Consent | undefined;
  readonly done: readonly Found<Task>[];
  readonly denials: readonly Consent[];
};

/** The parts of it, but for what is new. */
export function sharingParts(
  indexer: Indexer,
  standing: StandingSharing,
  { ended, begun, done, denials }: SharingChange,
  now: number,
): PlanParts {
  const { leftovers, rows, turn } = standing;
  const next = nextTurn(turn);
  const parts: PlanParts[] = [
    ...[...ended, ...leftovers].map((consent) => change(indexer, rows.get(consent.id ?? ''), endedOf(consent), now)),
    ...(begun === undefined ? [] : [change(indexer, rows.get(begun.id ?? ''), { ...begun, status: 'active' }, now)]),
    ...done.map(({ row, resource }) => change(indexer, row, { ...resource, status: 'completed' }, now)),
    ...emptyPapers(standing, denials).map(({ row, resource }) => change(indexer, row, closedPaper(resource, now), now)),
  ];
  return {
    ...next,
    preconditions: [...(next.preconditions ?? []), ...parts.flatMap(({ preconditions = [] }) => preconditions)],
    puts: parts.flatMap(({ puts = [] }) => puts),
    states: switchesOf(standing, denials),
  };
}

/** Papers that nothing is left for, of what they speak of. */
function emptyPapers(standing: StandingSharing, left: readonly Consent[]): StandingSharing['papers'] {
  return standing.papers.filter(({ resource: { authoredOn = '', for: of } }) => {
    const isSpokenOf = ({ id = '', ...denial }: Consent): boolean =>
      stoodAt(standing, { id }, Date.parse(authoredOn)) &&
      (recordedBy(denial) !== undefined || isSaidAs(standing, { ...denial, id }, of?.reference ?? ''));
    return !left.some((denial) => isSpokenOf(denial));
  });
}

function endedOf(consent: Consent): Consent {
  return consent.status === 'entered-in-error' ? consent : { ...consent, status: 'inactive' };
}

/** Whether something that is filed under each identity hides the record; what is new is of whom it names. */
function switchesOf({ homes, rows }: StandingSharing, denials: readonly Consent[]): NonNullable<PlanParts['states']> {
  const saying = (choice: SharingChoice): ReadonlySet<string | undefined> =>
    new Set(
      denials
        .filter((denial) => choiceOf(denial) === choice)
        .map(({ id = '', patient }) => rows.get(id)?.subject ?? patient?.reference),
    );
  const [withdrawn, opposed] = [saying('withdraw'), saying('oppose')];
  return [...homes].map(([identity, home]) => ({
    person: home,
    change: { withdrawn: withdrawn.has(identity), opposed: opposed.has(identity) },
  }));
}

function change(indexer: Indexer, row: InternalRow | undefined, resource: Consent | Task, now: number): PlanParts {
  if (row === undefined) throw new Error('What changes was not read');
  return changed(indexer, row, resource, now, aboutRow(row));
}
