/** The erasure of a record ends: its request says that it was done, and the store forgets. */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { buildErasureCertificate } from '../../../profiles/consent/erasure-certificate.ts';
import { endedErasure } from '../../../profiles/consent/erasure-request.ts';
import { OPEN_STATE } from '../../access/decide.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { ErasureKey } from '../../ports/erasure-key.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf, findById, type Found } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { Begun } from './begin-erasure.ts';
import { eventsErasedBy } from './erase-from-trail.ts';
import type { EraseStudyDeps } from './erase-study.ts';
import { takenFor } from './taken.ts';

/** The job that lets the store forget comes, should this be the last thing that happens. */
const TAKE_OVER_MS = 600_000;

/** What ending needs. Without a key nothing is certified. */
export type EndErasureDeps = EraseStudyDeps & {
  readonly erasureKey?: ErasureKey | undefined;
  /** The address of the server, without a slash at the end. */
  readonly publicUrl: () => string;
};

/** Ends it, once. What was said of her state goes with the identities that said it. */
export async function endErasure(deps: EndErasureDeps, begun: Begun): Promise<void> {
  const { records, clock } = deps;
  const forgetting = jobOf('forget-erased', randomUUID(), clock.now() + TAKE_OVER_MS);
  const warrant = systemWarrant('erase-record', begun.person, ...begun.identities.map(({ home }) => home));
  await commitFresh(records, async () => {
    const key = claimKey.erasingRecord(begun.task);
    const known = await claimOf(records, systemReading('erase-record', clock.now()), key);
    if (known === undefined) return { warrant, plan: joinParts(), result: undefined };
    const states = begun.identities.map(({ home }) => ({ person: home, change: OPEN_STATE }));
    const plan = joinParts(await endedParts(deps, begun), {
      preconditions: [{ kind: 'claimed', key, value: known }],
      states,
      jobs: [forgetting],
    });
    return { warrant, plan, result: undefined };
  });
  await records.forget();
  await records.commit(systemWarrant('erase-record'), joinParts({ erased: [{ jobs: [forgetting] }] }));
}

async function endedParts(deps: EndErasureDeps, begun: Begun): Promise<PlanParts> {
  const { records, clock } = deps;
  const now = clock.now();
  const { person, task } = begun;
  const found = await findById<Task>(records, systemReading('erase-record', now), 'Task', task);
  const entities = [{ what: { reference: `Task/${task}` }, detail: { operation: 'erase-record' } }];
  const event = recordOf(clock, ownOccasion('passerelle'), 'operation', { person, entities });
  const ended = found === undefined ? {} : await completed(deps, begun, found, now);
  const { forgotten } = await takenFor(records, systemReading('erase-record', now), task);
  const history = [{ type: 'Task', id: task }] as const;
  return joinParts(ended, forgotten, { erased: [{ history, claims: [claimKey.erasingRecord(task)] }], audit: [event] });
}

async function completed(deps: EndErasureDeps, begun: Begun, found: Found<Task>, now: number): Promise<PlanParts> {
  const certificate = await certificateOf(deps, begun, found.resource, now);
  return changed(deps.indexer, found.row, endedErasure(found.resource, now, certificate), now, aboutRow(found.row));
}

async function certificateOf(
  deps: EndErasureDeps,
  { task, counts: known, begunAt, isTold = false, recipients = 0 }: Begun,
  { authoredOn = '' }: Task,
  now: number,
): Promise<string | undefined> {
  const { records, trail, erasureKey, publicUrl } = deps;
  const taken = await takenFor(records, systemReading('erase-record', now), task);
  const [events, head] = [await eventsErasedBy(deps, `Task/${task}`), await trail.head()];
  const [issuer, receivedAt] = [publicUrl(), Date.parse(authoredOn)];
  const times = { receivedAt, begunAt, endedAt: now };
  const counts = known ?? taken.counts;
  const what = { request: `Task/${task}`, counts, events, head, isTold, recipients };
  return await erasureKey?.sign(buildErasureCertificate({ issuer, ...times, ...what }));
}
