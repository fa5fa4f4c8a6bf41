/**
 * What is to be done of an identity with data that was joined to an opposed person: it waits for the desk, is purged,
 * is separated again when no desk has confirmed it in time, or stays as it is where nobody is opposed any more.
 */
import type { Task } from '@medplum/fhirtypes';
import type { IdentityContent } from '../../../../profiles/identity/identity-resource.ts';
import {
  begunPurge,
  isPurgeTask,
  joinedTo,
  separatesAt,
  stoppedPurge,
} from '../../../../profiles/identity/joined-purge.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { systemReading, type NarrowReading } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { identityAt, type StandingIdentity } from '../../identity/identities.ts';
import { placeIdentities } from '../../identity/place-identity.ts';
import { claimOf, findById, type Found } from '../../internal-reads.ts';
import { nextTurn, readTurn } from '../../turns.ts';
import { changed } from '../../write/changed-put.ts';
import { aboutRow } from '../../write/plain-parts.ts';
import { commitFresh, joinParts, type Planned, type PlanParts } from '../../write/plan-parts.ts';
import type { EraseStudyDeps } from '../erase-study.ts';

/**
 * A purge that is carried out: the id of its Task, the person, the identity (`Patient/id`), and one she is told by;
 * whether it is over, so that what was begun is ended and nothing more is taken.
 */
export type BegunPurge = {
  readonly task: string;
  readonly person: PersonKey;
  readonly subject: string;
  readonly told: string;
  readonly isOver: boolean;
};

type Outcome = BegunPurge | number | undefined;

const DAY_MS = 24 * 3_600_000;

/** Begins; a moment when it is too early, undefined when there is nothing to purge. */
export async function beginPurge(deps: EraseStudyDeps, task: string): Promise<Outcome> {
  const { result } = await commitFresh<Outcome>(deps.records, async () => await planOf(deps, task));
  return result;
}

async function planOf(deps: EraseStudyDeps, task: string): Promise<Planned<Outcome>> {
  const now = deps.clock.now();
  const reading = systemReading('erase-record', now);
  const nothing = { warrant: systemWarrant('purge-joined'), plan: joinParts() };
  const found = await findById<Task>(deps.records, reading, 'Task', task);
  const { person, subject } = found?.row ?? {};
  if (found === undefined || person === undefined || subject === undefined) return { ...nothing, result: undefined };
  const { status } = found.resource;
  const isRunning = (await claimOf(deps.records, reading, claimKey.taken(task))) !== undefined;
  if (!isPurgeTask(found.resource) || !(isRunning || OPEN.includes(status))) return { ...nothing, result: undefined };
  // Before her state: whoever ends an opposition meanwhile takes the next one.
  const turn = nextTurn(await readTurn(deps.records, reading, claimKey.sharing(person)));
  const one = await identityAt(deps.records, reading, subject);
  const others = await stillJoined(deps, reading, found.resource, person);
  const { opposed, erasurePending } = await deps.records.stateOf(reading({ person }), person);
  const [told] = others;
  const isOver = !OPEN.includes(status) || one?.person !== person || told === undefined || !(opposed || erasurePending);
  const warrant = systemWarrant('purge-joined', person);
  const begun = { task, person, subject, told: told === undefined ? subject : `Patient/${told.content.id}`, isOver };
  if (isOver && (isRunning || status === 'in-progress')) return { ...nothing, result: begun };
  if (isOver) {
    const stopped = turnedParts(deps, found, stoppedPurge(found.resource, {}, now), now);
    return { warrant, plan: joinParts(turn, stopped, noMore(subject)), result: undefined };
  }
  if (status === 'requested') return await waitingPlan(deps, found, [one, ...others], now);
  // The erasure of the record takes it along, and may be cancelled until its day.
  if (!opposed) return { ...nothing, result: now + DAY_MS };
  if (status === 'in-progress') return { ...nothing, result: begun };
  const claims = [{ key: claimKey.taken(task), value: '{}' }];
  const turned = turnedParts(deps, found, begunPurge(found.resource, now), now);
  return { warrant, plan: joinParts(turn, turned, { claims }), result: begun };
}

/** No desk is asked about the identity (`Patient/id`) any more. */
export function noMore(subject: string): PlanParts {
  return { erased: [{ claims: [claimKey.joinedPurge(subject.replace(/^Patient\//, ''))] }] };
}

/** What ends a purge before its end. */
export class PurgeOver extends Fault {}

/**
 * That the purge goes on: parts of each plan of it. One that follows the end of her opposition, or of the Task, is
 * refused and asks anew.
 * @throws {PurgeOver} business-rule - she is opposed no more, or the two are one no more
 */
export async function stillPurging(deps: EraseStudyDeps, { task, person }: BegunPurge): Promise<PlanParts> {
  const reading = systemReading('erase-record', deps.clock.now());
  const turn = await readTurn(deps.records, reading, claimKey.sharing(person));
  const found = await findById<Task>(deps.records, reading, 'Task', task);
  const { opposed } = await deps.records.stateOf(reading({ person }), person);
  if (found?.resource.status !== 'in-progress' || !opposed) throw new PurgeOver('business-rule', 'The purge is over');
  return {
    preconditions: [
      { kind: 'version', type: 'Task', id: task, version: found.row.version },
      ...(turn.last === undefined ? [] : [{ kind: 'claimed' as const, key: turn.key, value: turn.last }]),
    ],
  };
}

const OPEN: readonly Task['status'][] = ['requested', 'accepted', 'in-progress'];

/** The identities that it was joined to, as far as they are one with it. */
async function stillJoined(
  { records }: EraseStudyDeps,
  reading: NarrowReading,
  task: Task,
  person: PersonKey,
): Promise<readonly StandingIdentity[]> {
  const found = await Promise.all(joinedTo(task).map(async (patient) => await identityAt(records, reading, patient)));
  return found.filter((one) => one !== undefined).filter((one) => one.person === person);
}

/** The Task as it goes on, with an event of hers. */
export function turnedParts(
  { indexer, clock }: EraseStudyDeps,
  { row }: Found<Task>,
  turned: Task,
  now: number,
): PlanParts {
  const { person, subject: patient } = row;
  const about = { ...(person === undefined ? {} : { person }), ...(patient === undefined ? {} : { patient }) };
  const detail = { operation: 'purge-joined', status: turned.status };
  const entities = [{ what: { reference: `Task/${row.id}` }, detail }];
  const event = recordOf(clock, ownOccasion('passerelle'), 'operation', { ...about, entities });
  return joinParts({ audit: [event] }, changed(indexer, row, turned, now, aboutRow(row)));
}

type Joined = readonly [StandingIdentity, ...StandingIdentity[]];

/**
 * Waits for the desk until its day; then the first is separated from the others, which ends the Task, unless a desk has
 * answered since it was read.
 */
async function waitingPlan(
  deps: EraseStudyDeps,
  { row, resource: task }: Found<Task>,
  joined: Joined,
  now: number,
): Promise<Planned<number | undefined>> {
  const day = separatesAt(task);
  if (day > now) return { warrant: systemWarrant('purge-joined'), plan: joinParts(), result: day };
  const [one, ...others] = joined;
  const ids = others.map(({ content }) => content.id);
  const placed = await placeIdentities(
    deps,
    [
      { content: notOneWith(one.content, ids), standing: one },
      ...others.map((other) => ({ content: notOneWith(other.content, [one.content.id]), standing: other })),
    ],
    now,
  );
  const audit = [...placed.touched].map(([person, patient]): AuditRecord => {
    const own = joined.filter(({ content }) => placed.persons.get(content.id) === person);
    const entities = own.map(({ content: { id } }) => ({
      what: { reference: `Patient/${id}` },
      role: '1',
      detail: { operation: 'separate', reason: 'No desk has confirmed that they are one' },
    }));
    return recordOf(deps.clock, ownOccasion('passerelle'), 'operation', { person, patient, entities });
  });
  const warrant = systemWarrant('separate-unconfirmed', ...placed.reached, ...placed.reviewed);
  const preconditions = [{ kind: 'version', type: 'Task', id: row.id, version: row.version }] as const;
  return { warrant, plan: joinParts(placed.parts, { audit, preconditions }), result: undefined };
}

function notOneWith(content: IdentityContent, others: readonly string[]): IdentityContent {
  const rest = content.verdicts.filter(({ other }) => !others.includes(other));
  return { ...content, verdicts: [...rest, ...others.map((other) => ({ other, same: false }))] };
}
