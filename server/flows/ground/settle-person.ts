/**
 * After persons were joined or separated: what was kept aside is filed, a desk is asked about what came in meanwhile
 * under an identity that joined an opposed person, and restrictions follow. A restriction is of a person: what joins
 * her is restricted, too, and what leaves her is no more. It compares what stands, so it may run at any time.
 */
import { systemReading } from '../../access/grant.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { AsideDeps } from '../aside/aside-deps.ts';
import { fileWhatIsJoined } from '../aside/settle-study.ts';
import { askedLate } from '../erase/joined/purge-asked.ts';
import { identitiesOf, type StandingIdentity } from '../identity/identities.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import { settlingOf } from './ground.ts';
import { restrictionsOf } from './restrictions.ts';

/** Makes the work of `settle-person`. */
export function settlePerson(deps: AsideDeps) {
  const file = fileWhatIsJoined(deps);
  return async ({ subject }: Pick<TakenJob<'settle-person'>, 'subject'>, run: JobRun): Promise<void> => {
    const person = personKey(subject);
    await file(person, run);
    const identities = await identitiesOf(deps.records, person, deps.clock.now());
    await askForRestricting(deps, person, identities);
    await askedLate(deps, person, identities);
  };
}

/** Asks for the settling of her items, where something is restricted. */
async function askForRestricting(
  { records, clock }: AsideDeps,
  person: PersonKey,
  identities: readonly StandingIdentity[],
): Promise<void> {
  const now = clock.now();
  const [first] = identities.map(({ content }) => `Patient/${content.id}`);
  if (first === undefined || !(await isRestricted({ records }, person, first, now))) return;
  const jobs = identities.map(({ content }) => settlingOf(`Patient/${content.id}`, now));
  await records.commit(systemWarrant('ask-for-work', 'settle-ground'), joinParts({ jobs }));
}

/** Whether a restriction of hers stands, or an item of hers is under one that may be another's now. */
async function isRestricted(
  { records }: Pick<AsideDeps, 'records'>,
  person: PersonKey,
  patient: string,
  now: number,
): Promise<boolean> {
  const reading = systemReading('settle-ground', now);
  if ((await restrictionsOf(records, reading, person, now)).length > 0) return true;
  // What is restricted gives its officers a right to who she is; those to single items are not asked for.
  const rights = await records.rightsOf(reading({ person }), person, patient);
  return rights.some(({ relation }) => relation === 'dpo');
}
