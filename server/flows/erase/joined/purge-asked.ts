/**
 * Data that came in under an identity which is joined to an opposed person, or to one whose record is to be erased: the
 * join hides it at once, and asks the desk of the region to confirm it. A separation takes that back.
 */
import type { Task } from '@medplum/fhirtypes';
import { buildPurgeTask, separatesAt, stoppedPurge, joinedTo } from '../../../../profiles/identity/joined-purge.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { systemGrant, systemReading, type NarrowReading } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { ERASED_TYPES, systemWarrant } from '../../../access/system-warrant.ts';
import { claimKey, type ClaimKey } from '../../../ports/claim-key.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Claim } from '../../../ports/commit-plan.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { takenFor } from '../taken.ts';
import { identitiesOf, type StandingIdentity } from '../../identity/identities.ts';
import type { Group } from '../../identity/person-groups.ts';
import { claimOf, findById, pagesOfAll } from '../../internal-reads.ts';
import { jobOf } from '../../jobs/job-of.ts';
import { newId } from '../../new-id.ts';
import { changed } from '../../write/changed-put.ts';
import { commitFresh, joinParts, putOf, type PlanParts } from '../../write/plan-parts.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer };

/** Persons as they are to be, and identities (by id) as they stand. */
type Placing = { readonly groups: readonly Group[]; readonly standing: ReadonlyMap<string, StandingIdentity> };

/** The parts of a plan that joins or separates; none of any other. */
export async function purgeParts(deps: Deps, placing: Placing, now: number): Promise<PlanParts> {
  if (placing.groups.every(({ moves }) => moves.length === 0)) return {};
  const reading = systemReading('erase-study', now);
  const parts: PlanParts[] = [];
  for (const group of placing.groups) parts.push(await askedParts(deps, reading, group, placing, now));
  return joinParts(...parts, await takenBackParts(deps, reading, placing, now));
}

/** Of each identity with data that comes to somebody whose record takes none. */
async function askedParts(
  deps: Deps,
  reading: NarrowReading,
  { person, members, moves }: Group,
  { standing }: Placing,
  now: number,
): Promise<PlanParts> {
  const known = members.flatMap(({ id }) => standing.get(id) ?? []);
  const parties = Map.groupBy(known, (one) => one.person);
  if (moves.length === 0 || parties.size < 2) return {};
  const closed = new Set<PersonKey>();
  for (const party of parties.keys()) if (await isClosed(deps.records, reading, party)) closed.add(party);
  if (closed.size === 0) return {};
  const others = known.filter((one) => closed.has(one.person)).map(({ content }) => content.id);
  const parts: PlanParts[] = [];
  for (const one of known.filter((each) => !closed.has(each.person))) {
    const identity = one.content.id;
    const isAsked = (await claimOf(deps.records, reading, claimKey.joinedPurge(identity))) !== undefined;
    if (isAsked) continue;
    const isFiled = await isAnythingFiled(deps.records, reading, one);
    const key = claimKey.joinedToClosed(identity);
    // What comes in while the two are joined is looked for afterwards (`askedLate`).
    const late: PlanParts = { claims: [{ key, value: JSON.stringify(others) }] };
    parts.push({ erased: [{ claims: [key] }] }, isFiled ? taskParts(deps, person, one, others, now) : late);
  }
  return joinParts(...parts);
}

/** The Task that asks the desk of the region. What was to be looked for goes with the same plan. */
function taskParts(
  { indexer }: Deps,
  person: PersonKey,
  { content: { id: identity, source: organization } }: StandingIdentity,
  others: readonly string[],
  now: number,
): PlanParts & { readonly claims: readonly Claim[] } {
  const task = buildPurgeTask(newId(), { identity, others }, now);
  const origin = { sources: [], services: [], offices: [{ office: 'region-desk', organization }] as const };
  return {
    claims: [{ key: claimKey.joinedPurge(identity), value: task.id }],
    puts: [putOf(indexer, task, now, { person, subject: `Patient/${identity}`, origin })],
    jobs: [jobOf('purge-joined', task.id, separatesAt(task)), jobOf('alert-officers', task.id, now)],
  };
}

/**
 * Asks, once a join stands, about identities of a person of which something came in that the join did not find; `known`
 * are hers as they were read last.
 */
export async function askedLate(
  deps: Deps & { readonly clock: Clock },
  person: PersonKey,
  known: readonly StandingIdentity[],
): Promise<void> {
  const { records, clock } = deps;
  const keys = known.map(({ content }) => joinedToClosed(content));
  if ((await records.claimedAmong(systemGrant('erase-study', 'whole', clock.now()), keys)).size === 0) return;
  await commitFresh(records, async () => {
    const now = clock.now();
    const reading = systemReading('erase-study', now);
    const identities = await identitiesOf(records, person, now);
    const ids = new Set(identities.map(({ content }) => content.id));
    const parts: PlanParts[] = [];
    for (const one of identities) {
      const key = joinedToClosed(one.content);
      const value = await claimOf(records, reading, key);
      if (value === undefined) continue;
      parts.push(forgottenClaim(key, value));
      // A join that came later found what had come in by then.
      if ((await claimOf(records, reading, claimKey.joinedPurge(one.content.id))) !== undefined) continue;
      const others = (JSON.parse(value) as readonly string[]).filter((id) => ids.has(id));
      if (others.length === 0 || !(await isAnythingFiled(records, reading, one))) continue;
      const asked = taskParts(deps, person, one, others, now);
      const entities = asked.claims.map(({ value: task }) => ({ what: { reference: `Task/${task}` }, detail: ASKED }));
      const about = { person, patient: one.present, entities };
      parts.push(asked, { audit: [recordOf(clock, ownOccasion('passerelle'), 'operation', about)] });
    }
    return { warrant: systemWarrant('purge-joined', person), plan: joinParts(...parts), result: undefined };
  });
}

function joinedToClosed({ id }: Pick<StandingIdentity['content'], 'id'>): ClaimKey {
  return claimKey.joinedToClosed(id);
}

/** A claim goes that has this value. */
function forgottenClaim(key: ClaimKey, value: string): PlanParts {
  return { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] };
}

const ASKED = { operation: 'purge-joined', status: 'requested' };

/** Whether nothing of somebody is to come in. */
export async function isClosed(records: RecordStore, reading: NarrowReading, person: PersonKey): Promise<boolean> {
  const { opposed, erasurePending } = await records.stateOf(reading({ person }), person);
  return opposed || erasurePending;
}

async function isAnythingFiled(
  records: RecordStore,
  reading: NarrowReading,
  { person, content: { id } }: StandingIdentity,
): Promise<boolean> {
  const [hers, subject] = [reading({ person }), `Patient/${id}`];
  for (const type of ['ImagingStudy', ...ERASED_TYPES] as const)
    for await (const page of pagesOfAll(records, hers, type))
      if (page.some(({ row }) => row.subject === subject)) return true;
  // What is not derived yet, too.
  if (await records.hasInstances(hers, person, subject)) return true;
  for await (const one of records.quarantined(hers)) if (one.subject === subject) return true;
  // Of an identity that has joined another its own Patient is deleted: nobody filed that.
  const deleted = await records.deletedOf(hers, person);
  return deleted.some((one) => ERASED_TYPES.includes(one.type) && one.subject === subject);
}

/** Of each identity that is one no more with those for whom it was asked, or is to be looked at. */
async function takenBackParts(
  { records, indexer }: Deps,
  reading: NarrowReading,
  { groups, standing }: Placing,
  now: number,
): Promise<PlanParts> {
  const persons = new Map(groups.flatMap(({ person, members }) => members.map(({ id }) => [id, person] as const)));
  const former = Map.groupBy(standing.values(), ({ person }) => person);
  const split = [...former.values()].filter(
    (some) => new Set(some.map(({ content: { id }, person }) => persons.get(id) ?? person)).size > 1,
  );
  const parts: PlanParts[] = [];
  for (const { content, person: before } of split.flat()) {
    const key = claimKey.joinedPurge(content.id);
    const id = await claimOf(records, reading, key);
    const person = persons.get(content.id) ?? before;
    parts.push(await looksNoMore(records, reading, content, (other) => persons.get(other) === person));
    const found = id === undefined ? undefined : await findById<Task>(records, reading, 'Task', id);
    if (id === undefined || isStillJoined(found?.resource, person, persons)) continue;
    // A purge that runs stops; what it had begun by then it adds.
    const { counts, forgotten } = await takenFor(records, reading, id);
    const isOpen = found !== undefined && OPEN.includes(found.resource.status);
    const facts = { person, subject: `Patient/${content.id}` };
    parts.push(
      forgottenClaim(key, id),
      forgotten,
      isOpen ? changed(indexer, found.row, stoppedPurge(found.resource, counts, now), now, facts) : {},
    );
  }
  return joinParts(...parts);
}

/** What comes in under an identity is looked for no more where it is one (`isOne`) with none of those (ids). */
async function looksNoMore(
  records: RecordStore,
  reading: NarrowReading,
  content: StandingIdentity['content'],
  isOne: (other: string) => boolean,
): Promise<PlanParts> {
  const key = joinedToClosed(content);
  const value = await claimOf(records, reading, key);
  const isOver = value !== undefined && !(JSON.parse(value) as readonly string[]).some(isOne);
  return isOver ? forgottenClaim(key, value) : {};
}

const OPEN: readonly Task['status'][] = ['requested', 'accepted', 'in-progress'];

function isStillJoined(task: Task | undefined, person: PersonKey, persons: ReadonlyMap<string, PersonKey>): boolean {
  const others = task === undefined ? [] : joinedTo(task);
  return others.some((other) => persons.get(other.replace(/^Patient\//, '')) === person);
}
