/** The erasure of a record ends: its request says that it was done, and the store forgets. */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { endedErasure } from '../../../profiles/consent/erasure-request.ts';
import { OPEN_STATE } from '../../access/decide.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { findById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { Begun } from './begin-erasure.ts';
import type { EraseStudyDeps } from './erase-study.ts';

/** The job that lets the store forget comes, should this be the last thing that happens. */
const TAKE_OVER_MS = 600_000;

/** Ends it. What was said of her state goes with the identities that said it. */
export async function endErasure(deps: EraseStudyDeps, begun: Begun): Promise<void> {
  const { records, clock } = deps;
  const forgetting = jobOf('forget-erased', randomUUID(), clock.now() + TAKE_OVER_MS);
  const warrant = systemWarrant('erase-record', begun.person, ...begun.identities.map(({ home }) => home));
  await commitFresh(records, async () => {
    const states = begun.identities.map(({ home }) => ({ person: home, change: OPEN_STATE }));
    const plan = joinParts(await endedParts(deps, begun), { states, jobs: [forgetting] });
    return { warrant, plan, result: undefined };
  });
  await records.forget();
  await records.commit(systemWarrant('erase-record'), joinParts({ erased: [{ jobs: [forgetting] }] }));
}

async function endedParts({ records, clock, indexer }: EraseStudyDeps, begun: Begun): Promise<PlanParts> {
  const now = clock.now();
  const { person, task } = begun;
  const found = await findById<Task>(records, systemReading('erase-record', now), 'Task', task);
  const entities = [{ what: { reference: `Task/${task}` }, detail: { operation: 'erase-record' } }];
  const event = recordOf(clock, ownOccasion('passerelle'), 'operation', { person, entities });
  const ended =
    found === undefined ? {} : changed(indexer, found.row, endedErasure(found.resource, now), now, aboutRow(found.row));
  const history = [{ type: 'Task', id: task }] as const;
  return joinParts(ended, { erased: [{ history, claims: [claimKey.erasingRecord(task)] }], audit: [event] });
}
