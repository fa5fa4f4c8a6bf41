/**
 * The erasure of a record is asked for, and that is cancelled: `Patient/$request-erasure` hides the record at once from
 * everybody, the patient herself included, until it is erased; `Patient/$cancel-erasure` gives it back as it was. Each
 * establishment cancels what it received itself, the patient whatever was received of her. Requests of one person take
 * turns with withdrawals.
 */
import type { Task } from '@medplum/fhirtypes';
import { buildErasureNotice, buildErasureTask, cancelledErasure } from '../../../profiles/consent/erasure-request.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { EstablishmentRequester, PersonKey, SpeakingRequester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { attendanceOf } from '../consent/attendance.ts';
import { patientAsked } from '../consent/patient-asked.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { knownPatient } from '../identity/persons.ts';
import type { Found } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { filedRequest } from './filed-request.ts';
import { openRequests } from './open-requests.ts';

/** What the flows need; `days` from a receipt to the erasure. */
export type RequestErasureDeps = GuardDeps & {
  readonly indexer: Indexer;
  readonly days: number;
  readonly timeZone: string;
};

/**
 * Asks for erasure; resolves with the request (`Task/id`), which is the same when the same speaker asks again.
 * `patient` is whom an establishment names (`Patient/id`).
 * @throws {Fault} forbidden - a professional asks, or an establishment that filed no exam, report or visit of hers
 * @throws {Fault} not-found - no such patient, or none of this establishment
 */
export function requestErasure(deps: RequestErasureDeps) {
  return async (visit: Visit, patient?: string): Promise<string> =>
    await changeErasure(deps, visit, 'request-erasure', patient, asked);
}

/**
 * Cancels it; resolves with the request that was cancelled.
 * @throws {Fault} forbidden - a professional asks
 * @throws {Fault} not-found - no such patient, or no request that the requester may cancel
 */
export function cancelErasure(deps: RequestErasureDeps) {
  return async (visit: Visit, patient?: string): Promise<string> =>
    await changeErasure(deps, visit, 'cancel-erasure', patient, cancelled);
}

type Operation = 'request-erasure' | 'cancel-erasure';

/** What is asked, on what stands. */
type Story = {
  readonly deps: RequestErasureDeps;
  readonly requester: SpeakingRequester | EstablishmentRequester;
  readonly subject: SubjectFacts;
  /** Requests that stand, under whichever identity of the person. */
  readonly standing: readonly Found<Task>[];
  /** Who each of these identities, and the one of which it is asked, is by itself. */
  readonly homes: ReadonlyMap<string, PersonKey>;
  readonly now: number;
};

type Change = { readonly parts: readonly PlanParts[]; readonly task: string };

async function changeErasure(
  deps: RequestErasureDeps,
  visit: Visit,
  operation: Operation,
  named: string | undefined,
  change: (story: Story) => Change,
): Promise<string> {
  return await refusalsRecorded(deps, visit, 'operation', async () => {
    const requester = requireConsentChanger(visit.requester, operation);
    const { result } = await commitFresh(deps.records, async () => {
      const now = deps.clock.now();
      const reading = systemReading('change-consent', now);
      const subject = await patientAsked(deps, reading, requester, named, now);
      const isFiled = operation === 'request-erasure' && subject !== undefined;
      const attendance = isFiled
        ? await attendanceOf(deps.records, reading, requester, subject.person, now)
        : undefined;
      const warrant = mayWrite(requester, { interaction: 'operation', operation }, { now, subject, attendance });
      if (subject === undefined) throw new Fault('not-found', 'No such patient');
      const turn = await readTurn(deps.records, reading, claimKey.sharing(subject.person));
      const { parts, task } = change(await storyOf(deps, reading, { requester, subject, now }));
      const { person, patient } = subject;
      const entities = [{ what: { reference: task }, detail: { operation } }];
      const event = eventRecord(deps.clock, visit, 'operation', { person, patient, entities });
      return { warrant, plan: joinParts(nextTurn(turn), ...parts, { audit: [event] }), result: task };
    });
    return result;
  });
}

async function storyOf(
  deps: RequestErasureDeps,
  reading: NarrowReading,
  asked: Pick<Story, 'requester' | 'subject' | 'now'>,
): Promise<Story> {
  const { person, patient } = asked.subject;
  const standing = await openRequests(deps.records, reading, person);
  const homes = new Map<string, PersonKey>();
  for (const subject of new Set([patient, ...standing.map(subjectOf)])) {
    const known = await knownPatient(deps.records, reading, subject);
    if (known?.person !== person) throw new Fault('conflict', 'The patient has changed meanwhile');
    homes.set(subject, known.home);
  }
  return { deps, ...asked, standing, homes };
}

/** What the same speaker asked before stands. */
function asked(story: Story): Change {
  const { deps, requester, subject, standing, now } = story;
  const own = standing.find((request) => isOf(requester, request));
  if (own !== undefined) return { parts: [], task: `Task/${own.row.id}` };
  const { person, patient } = subject;
  const receiver = referenceOf(requester);
  const task = buildErasureTask({ id: newId(), patient, requester: receiver, now, days: deps.days });
  return {
    parts: [
      filedRequest(deps.indexer, task, { person, subject: patient }, now),
      noticeOf(story, task),
      { states: [pendingOf(story, patient, true)] },
    ],
    task: `Task/${task.id}`,
  };
}

/** Whatever of hers stands is cancelled by her; an establishment leaves what others received. */
function cancelled(story: Story): Change {
  const { deps, requester, standing, now } = story;
  const open = standing.filter(({ resource }) => resource.status === 'requested');
  const own = requester.kind === 'patient' ? open : open.filter((request) => isOf(requester, request));
  const [first] = own;
  if (first === undefined) throw new Fault('not-found', 'No such request');
  const left = new Set(standing.filter((request) => !own.includes(request)).map(subjectOf));
  const subjects = new Set(own.map(subjectOf));
  return {
    parts: [
      ...own.map(({ row, resource }) =>
        changed(deps.indexer, row, cancelledErasure(resource, now), now, aboutRow(row)),
      ),
      // While one is left, under another identity too, her record is hidden.
      ...(left.size > 0 ? [] : [noticeOf(story, cancelledErasure(first.resource, now))]),
      { states: [...subjects].map((subject) => pendingOf(story, subject, left.has(subject))) },
    ],
    task: `Task/${first.row.id}`,
  };
}

/** Of each identity it is kept apart: those that were one by a mistake take theirs along. */
function pendingOf({ homes }: Story, subject: string, erasurePending: boolean) {
  const person = homes.get(subject);
  if (person === undefined) throw new Error('Of each request the identity was read');
  return { person, change: { erasurePending } };
}

function subjectOf({ row }: Found<Task>): string {
  return row.subject ?? '';
}

function isOf(requester: Story['requester'], { resource }: Found<Task>): boolean {
  return resource.requester?.reference === referenceOf(requester);
}

function noticeOf({ deps, subject, now }: Story, task: Task): PlanParts {
  const { timeZone } = deps;
  return noticeParts(deps.indexer, subject, now, (facts) => buildErasureNotice({ ...facts, task, timeZone }));
}
