/**
 * What came in under an identity before it was joined to an opposed person is erased as the exams of a record are, once
 * a desk has confirmed the join; the person stays, and so does her opposition. A run that was cut short goes on with
 * what is left. Each step looks for what is hers: whom a feed parts from her meanwhile keeps the rest.
 */
import type { Task } from '@medplum/fhirtypes';
import { buildPurgeNotice } from '../../../../profiles/identity/joined-purge.ts';
import { systemReading } from '../../../access/grant.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { TakenJob } from '../../../ports/job-queue.ts';
import { dropLostTeams } from '../../care/lost-teams.ts';
import { findById } from '../../internal-reads.ts';
import type { JobRun } from '../../jobs/job-runner.ts';
import { noticeParts } from '../../notices/notice-parts.ts';
import { commitFresh, joinParts } from '../../write/plan-parts.ts';
import { beginPurge, turnedParts, type BegunPurge } from './begin-purge.ts';
import { eraseAside } from '../erase-aside.ts';
import { eraseItems } from '../erase-items.ts';
import { eraseStudiesOf } from '../erase-studies.ts';
import type { EraseStudyDeps } from '../erase-study.ts';

/** Makes the work of `purge-joined`. */
export function purgeJoined(deps: EraseStudyDeps) {
  return async (
    { subject }: Pick<TakenJob<'purge-joined'>, 'subject'>,
    run: JobRun,
  ): Promise<{ readonly againAt: number } | void> => {
    const begun = await beginPurge(deps, subject);
    if (typeof begun === 'number') return { againAt: begun };
    if (begun === undefined) return;
    const identities = new Set([begun.subject]);
    await eraseStudiesOf(deps, begun.person, identities, run);
    await eraseAside(deps, begun.person, identities, run);
    await eraseItems(deps, begun, identities, run);
    await dropLostTeams(deps, begun.person);
    await endPurge(deps, begun);
  };
}

/** Ends it, once, and tells her. */
async function endPurge(deps: EraseStudyDeps, { task, person, told }: BegunPurge): Promise<void> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const warrant = systemWarrant('purge-joined', person);
    const found = await findById<Task>(deps.records, systemReading('erase-record', now), 'Task', task);
    if (found?.resource.status !== 'in-progress') return { warrant, plan: joinParts(), result: undefined };
    const notice = noticeParts(deps.indexer, { person, patient: told }, now, (facts) =>
      buildPurgeNotice({ ...facts, task: `Task/${task}` }),
    );
    return { warrant, plan: joinParts(turnedParts(deps, found, 'completed', now), notice), result: undefined };
  });
}
