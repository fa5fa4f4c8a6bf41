/**
 * The erasure of a record begins: nobody cancels it any more, and what it has to know to its end is kept as the value
 * of a claim, as what told it goes on the way. Nothing of it names her.
 */
import type { Person, RelatedPerson, Task } from '@medplum/fhirtypes';
import { begunErasure, erasureBegins, isErasureTask } from '../../../profiles/consent/erasure-request.ts';
import { isConfirmedPurge } from '../../../profiles/identity/joined-purge.ts';
import { identityContentOf } from '../../../profiles/identity/identity-resource.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { identitiesWith, identityAt, readAs } from '../identity/identities.ts';
import { claimOf, findAll, findById, type Found } from '../internal-reads.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { EraseStudyDeps } from './erase-study.ts';
import type { Counts } from './taken.ts';

/** An identity that is erased: its id, and the person that it is by itself. */
type ErasedIdentity = { readonly id: string; readonly home: PersonKey };

/** What is known to the end. */
export type Progress = {
  /** The identities that were she when the request was received. */
  readonly identities: readonly ErasedIdentity[];
  /** Identities (ids) of others that bear a number of hers, or came to her since: they are settled without her. */
  readonly around: readonly string[];
  /** Who acted for her (`RelatedPerson/id`), also those who do no more. Absent in what began earlier. */
  readonly representatives?: readonly string[];
  /** Of what began on an earlier server: how much there was. Else what goes is counted (`taken.ts`). */
  readonly counts?: Counts;
  /** Epoch milliseconds. */
  readonly begunAt: number;
  /** Whether she was told by mail; undefined before. */
  readonly isTold?: boolean;
  /** How many establishments were told; undefined before. */
  readonly recipients?: number;
  /** In a copy of the data that is older than her erasure: the entry (id) of the list of erasures that tells of it. */
  readonly listed?: string;
};

/** A request that is carried out: whose it is, and the identity (`Patient/id`) that it is filed under. */
export type Begun = Progress & {
  /** The id of its Task. */
  readonly task: string;
  /** When it was received: epoch milliseconds. */
  readonly receivedAt: number;
  readonly person: PersonKey;
  readonly subject: string;
};

type Outcome = Begun | number | undefined;

/** Begins; a moment when it is too early, undefined when there is nothing to do. */
export async function beginErasure(deps: EraseStudyDeps, id: string): Promise<Outcome> {
  const { result } = await commitFresh<Outcome>(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('erase-record', now);
    const nothing = { warrant: systemWarrant('erase-record'), plan: joinParts() };
    const first = await findById<Task>(deps.records, reading, 'Task', id);
    if (first?.row.person === undefined || !isErasureTask(first.resource)) return { ...nothing, result: undefined };
    const turn = await readTurn(deps.records, reading, claimKey.sharing(first.row.person));
    // After the turn: whoever cancels it meanwhile takes the next one.
    const found = (await findById<Task>(deps.records, reading, 'Task', id)) ?? first;
    const { row, resource } = found;
    const { person, subject = '' } = row;
    if (person === undefined || !OPEN.includes(resource.status)) return { ...nothing, result: undefined };
    const key = claimKey.erasingRecord(id);
    const known = await claimOf(deps.records, reading, key);
    const whose = { task: id, person, subject, receivedAt: Date.parse(resource.authoredOn ?? '') };
    if (known !== undefined) {
      const begun = JSON.parse(known) as Progress;
      const identities = await stillHers(deps.records, person, begun.identities, now);
      return { ...nothing, result: { ...whose, ...begun, identities } };
    }
    const begins = erasureBegins(resource);
    if (begins > now) return { ...nothing, result: begins };
    const all = await findAll<Person>(deps.records, reading({ person }), 'Person', []);
    const hers = await hersThen(deps.records, reading, all, { subject, receivedAt: whose.receivedAt });
    const progress = await progressOf(deps, reading, { person, all, hers }, now);
    const plan = joinParts(nextTurn(turn), begunParts(deps, found, now), progressParts(id, progress));
    return { warrant: systemWarrant('erase-record', person), plan, result: { ...whose, ...progress } };
  });
  return result;
}

/** Those of some identities that are she, or are gone already: one that a feed separated since is somebody else's. */
export async function stillHers(
  records: RecordStore,
  person: PersonKey,
  identities: readonly ErasedIdentity[],
  now: number,
): Promise<readonly ErasedIdentity[]> {
  const reading = systemReading('resolve-identity', now);
  const standing = await Promise.all(
    identities.map(async ({ id }) => await identityAt(records, reading, `Patient/${id}`)),
  );
  return identities.filter((_, at) => (standing[at]?.person ?? person) === person);
}

/**
 * Keeps what became known on the way, unless another server that went on with it knew it first; `besides` goes into the
 * same commit. Resolves with what is known; undefined when another has ended it.
 */
export async function keepProgress(
  { records, clock }: Pick<EraseStudyDeps, 'records' | 'clock'>,
  begun: Begun,
  more: Pick<Progress, 'isTold'> | Pick<Progress, 'recipients'>,
  besides: PlanParts = {},
): Promise<Begun | undefined> {
  const key = claimKey.erasingRecord(begun.task);
  const warrant = systemWarrant('erase-record', begun.person);
  const { result } = await commitFresh<Begun | undefined>(records, async () => {
    const value = await claimOf(records, systemReading('erase-record', clock.now()), key);
    if (value === undefined) return { warrant, plan: joinParts(), result: undefined };
    const known = JSON.parse(value) as Progress;
    const isKnown = Object.keys(more).every((name) => name in known);
    const progress = isKnown ? known : { ...known, ...more };
    const kept: PlanParts = {
      preconditions: [{ kind: 'claimed', key, value }],
      erased: [{ claims: [key] }],
      claims: [{ key, value: JSON.stringify(progress) }],
    };
    const plan = isKnown ? joinParts() : joinParts(kept, besides);
    return { warrant, plan, result: { ...begun, ...progress, identities: begun.identities } };
  });
  return result;
}

const OPEN: readonly Task['status'][] = ['requested', 'in-progress'];

function begunParts({ indexer, clock }: EraseStudyDeps, { row, resource }: Found<Task>, now: number) {
  const { person, subject = '' } = row;
  const entities = [{ what: { reference: `Task/${row.id}` }, detail: { operation: 'erase-record' } }];
  const about = { ...(person === undefined ? {} : { person }), patient: subject, entities };
  const event = recordOf(clock, ownOccasion('passerelle'), 'operation', about);
  return joinParts(changed(indexer, row, begunErasure(resource, now), now, aboutRow(row)), { audit: [event] });
}

/** The parts that keep what is known to the end of a request (id) that begins. */
export function progressParts(task: string, progress: Progress): PlanParts {
  return {
    claims: [
      { key: claimKey.erasingRecord(task), value: JSON.stringify(progress) },
      { key: claimKey.taken(task), value: '{}' },
    ],
  };
}

/** What is known as the erasure of some identities (`hers`, by id) of all those of a person begins. */
export async function progressOf(
  { records, region }: EraseStudyDeps,
  reading: NarrowReading,
  whose: {
    readonly person: PersonKey;
    readonly all: readonly Found<Person>[];
    readonly hers: ReadonlySet<string>;
  },
  now: number,
): Promise<Progress> {
  const { person, all, hers } = whose;
  const contents = all.map((one) => identityContentOf(one.resource));
  const erased = contents.filter(({ id }) => hers.has(id));
  const numbers = erased.flatMap((content) => readAs(region, content).numbers.filter((one) => one.isQualified));
  const bearers = (await identitiesWith(records, numbers, now)).map(({ content }) => content.id);
  const around = new Set([...contents.map(({ id }) => id), ...bearers].filter((id) => !hers.has(id)));
  const patients = new Set([...hers].map((id) => `Patient/${id}`));
  return {
    begunAt: now,
    identities: erased.map(({ id, home }) => ({ id, home: personKey(home) })),
    around: [...around],
    representatives: await representativesOf(records, reading, person, patients),
  };
}

async function representativesOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  patients: ReadonlySet<string>,
): Promise<readonly string[]> {
  const standing = await findAll<RelatedPerson>(records, reading({ person }), 'RelatedPerson', []);
  const deleted = await records.deletedOf(reading({ person }), person);
  return [...standing.map(({ row }) => row), ...deleted]
    .filter(({ type, subject = '' }) => type === 'RelatedPerson' && patients.has(subject))
    .map(({ id }) => `RelatedPerson/${id}`);
}

/**
 * The identities (ids) that were she when the request was received, and those that a desk confirmed: two may have been
 * joined since by a mistake, or before, while the desk that was asked has not answered.
 */
async function hersThen(
  records: RecordStore,
  reading: NarrowReading,
  all: readonly Found<Person>[],
  { subject, receivedAt }: { readonly subject: string; readonly receivedAt: number },
): Promise<ReadonlySet<string>> {
  const isLater = async (identity: string): Promise<boolean> => {
    const since = await claimOf(records, reading, claimKey.joined(identity));
    return since !== undefined && Number(since) > receivedAt;
  };
  const own = subject.replace(/^Patient\//, '');
  const identities = new Set([own]);
  const isOwnLater = await isLater(own);
  for (const { row } of all) {
    const verdict = await verdictOn(records, reading, row.id);
    if (verdict ?? (!isOwnLater && !(await isLater(row.id)))) identities.add(row.id);
  }
  return identities;
}

/** Whether the desk that was asked about the join of an identity has confirmed it; undefined when none was asked. */
async function verdictOn(records: RecordStore, reading: NarrowReading, identity: string): Promise<boolean | undefined> {
  const id = await claimOf(records, reading, claimKey.joinedPurge(identity));
  if (id === undefined) return undefined;
  const found = await findById<Task>(records, reading, 'Task', id);
  return found !== undefined && isConfirmedPurge(found.resource);
}
