/**
 * What came in under an identity before it was joined to an opposed person is erased as the exams of a record are, once
 * a desk has confirmed the join; the person stays, and so does her opposition. A run that was cut short goes on with
 * what is left. It stops before the next exam, list or report when she is opposed no more, or a feed parts the two: the
 * rest is kept.
 */
import type { Task } from '@medplum/fhirtypes';
import {
  buildPurgeNotice,
  endedPurge,
  isAny,
  joinedTo,
  stoppedPurge,
} from '../../../../profiles/identity/joined-purge.ts';
import { systemReading } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { TakenJob } from '../../../ports/job-queue.ts';
import { dropLostTeams } from '../../care/lost-teams.ts';
import { identityAt } from '../../identity/identities.ts';
import { findById } from '../../internal-reads.ts';
import type { JobRun } from '../../jobs/job-runner.ts';
import { noticeParts } from '../../notices/notice-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../../write/plan-parts.ts';
import { beginPurge, noMore, PurgeOver, stillPurging, turnedParts, type BegunPurge } from './begin-purge.ts';
import { eraseAside } from '../erase-aside.ts';
import { eraseItems } from '../erase-items.ts';
import { endBegunStudies, eraseStudiesOf } from '../erase-studies.ts';
import type { EraseStudyDeps } from '../erase-study.ts';
import { removeErasedBytes } from '../erased-bytes.ts';
import { eraseNamed } from '../erased-names.ts';
import { takenFor } from '../taken.ts';

/** Makes the work of `purge-joined`. */
export function purgeJoined(deps: EraseStudyDeps) {
  return async (
    { subject }: Pick<TakenJob<'purge-joined'>, 'subject'>,
    run: JobRun,
  ): Promise<{ readonly againAt: number } | void> => {
    const begun = await beginPurge(deps, subject);
    if (typeof begun === 'number') return { againAt: begun };
    if (begun === undefined) return await endLeft(deps, subject, run);
    const isWhole = !begun.isOver && (await isPurged(deps, begun, run));
    if (!isWhole) await endBegun(deps, begun, run);
    await dropLostTeams(deps, begun.person);
    const over = isWhole || begun.isOver ? begun : await beginPurge(deps, subject);
    if (typeof over === 'number') return { againAt: over };
    await endPurge(deps, begun, isWhole);
  };
}

/** Purges; whether it came to its end. */
async function isPurged(deps: EraseStudyDeps, begun: BegunPurge, run: JobRun): Promise<boolean> {
  const still = async (): Promise<PlanParts> => await stillPurging(deps, begun);
  const taking = { ...begun, identities: new Set([begun.subject]), still };
  try {
    await eraseStudiesOf(deps, taking, run);
    await eraseAside(deps, taking, run);
    await eraseItems(deps, taking, run);
    return true;
  } catch (error) {
    if (error instanceof PurgeOver) return false;
    throw error;
  }
}

/** Of what was begun nothing is left: a study is erased whole, bytes go that no row names, and events that do. */
async function endBegun(deps: EraseStudyDeps, begun: BegunPurge, run: JobRun): Promise<void> {
  await endBegunStudies(deps, begun.person, run);
  await removeErasedBytes(deps, begun.person);
  await eraseNamed(deps, begun, run);
  await deps.records.forget();
}

/**
 * Of a run that was killed nothing is left where the two were parted since: what it left is kept by the key that she
 * had then, which either may have now.
 */
async function endLeft(deps: EraseStudyDeps, task: string, run: JobRun): Promise<void> {
  const reading = systemReading('erase-record', deps.clock.now());
  const found = await findById<Task>(deps.records, reading, 'Task', task);
  if (found?.row.subject === undefined) return;
  const persons = new Set<PersonKey>();
  for (const patient of [found.row.subject, ...joinedTo(found.resource)]) {
    const one = await identityAt(deps.records, reading, patient);
    if (one !== undefined) persons.add(one.person);
  }
  for (const person of persons) {
    await removeErasedBytes(deps, person);
    await eraseNamed(deps, { person, task }, run);
  }
}

/** Ends it, once, says how much was erased, and tells her. */
async function endPurge(deps: EraseStudyDeps, begun: BegunPurge, isWhole: boolean): Promise<void> {
  const { task, subject, told } = begun;
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('erase-record', now);
    const found = await findById<Task>(deps.records, reading, 'Task', task);
    const { person } = found?.row ?? {};
    const { counts, forgotten } = await takenFor(deps.records, reading, task);
    // Whoever parted the two has ended it: what went meanwhile is added, and not told to her.
    const isHers = found?.resource.status === 'in-progress';
    if (found === undefined || person === undefined || !(isHers || isAny(counts)))
      return { warrant: systemWarrant('purge-joined'), plan: joinParts(forgotten), result: undefined };
    const ended = (isWhole ? endedPurge : stoppedPurge)(found.resource, counts, now);
    const notice = noticeParts(deps.indexer, { person, patient: told }, now, (facts) =>
      buildPurgeNotice({ ...facts, task: `Task/${task}`, isPart: !isWhole }),
    );
    const plan = joinParts(
      turnedParts(deps, found, ended, now),
      isHers && (isWhole || isAny(counts)) ? notice : {},
      isHers && !isWhole ? noMore(subject) : {},
      forgotten,
    );
    return { warrant: systemWarrant('purge-joined', person), plan, result: undefined };
  });
}
