/**
 * The directory is another one: Consents that wait for somebody to be known are looked at again, and are in force where
 * each number that they name is somebody's by now. Names without a number wait for a desk.
 */
import type { Consent } from '@medplum/fhirtypes';
import { unknownActors } from '../../../profiles/consent/unknown-correspondent.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant, systemReading } from '../../access/grant.ts';
import { namedWarrant, systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { actorsNamed } from '../consent/named-actors.ts';
import { knownParts } from '../consent/unknown-parts.ts';
import { findById, pagesOfAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { commitFresh, joinParts, type Planned } from '../write/plan-parts.ts';
import { knownCorrespondentParts, type KnownDeps } from './known-parts.ts';

/** What the work needs. */
export type TakeUpDeps = KnownDeps & { readonly clock: Clock };

/** The subject of the job that looks at them. */
export const WAITING = 'waiting';

const PROPOSED: Criterion = { kind: 'token', param: 'status', values: [{ code: 'proposed' }] };

/** Asks for it, at each start and when another region file was loaded. */
export function askForWaiting({ records, clock }: Pick<TakeUpDeps, 'records' | 'clock'>) {
  return async (): Promise<void> => {
    const jobs = [jobOf('declare-named', WAITING, clock.now())];
    await records.commit(systemWarrant('ask-for-work', 'declare-named'), joinParts({ jobs }));
  };
}

/** Looks at all that wait, one after the other. */
export async function takeUp(deps: TakeUpDeps, run: JobRun): Promise<void> {
  const { records, clock } = deps;
  const whole = systemGrant('declare-named', 'whole', clock.now());
  for await (const page of pagesOfAll<Consent>(records, whole, 'Consent', [PROPOSED]))
    for (const { row, resource } of page) {
      const waits = unknownActors(resource).some(({ reference }) => reference.identifier !== undefined);
      if (waits) await commitFresh(records, async () => await planOf(deps, row.id));
      await run.goOn();
    }
}

async function planOf(deps: TakeUpDeps, id: string): Promise<Planned<void>> {
  const { records, clock } = deps;
  const now = clock.now();
  const reading = systemReading('declare-named', now);
  const nothing = { warrant: namedWarrant([]), plan: joinParts(), result: undefined };
  const found = await findById<Consent>(records, reading, 'Consent', id);
  const { person, subject: patient } = found?.row ?? {};
  if (found === undefined || person === undefined || patient === undefined) return nothing;
  if (found.resource.status !== 'proposed' || unknownActors(found.resource).length === 0) return nothing;
  const consent = await actorsNamed({ deps, reading }, person, found.resource);
  if (unknownActors(consent).length > 0) return nothing;
  const parts = await knownCorrespondentParts(deps, reading, found, consent, now);
  if (parts === undefined) return nothing;
  const about = { person, patient, consent: `Consent/${id}`, entities: [{ what: { reference: `Consent/${id}` } }] };
  const plan = joinParts(...parts, ...(await knownParts({ deps, reading, now }, person, id)), {
    audit: [recordOf(clock, ownOccasion('passerelle'), 'update', about)],
  });
  return { warrant: namedWarrant([{ patient, person }]), plan, result: undefined };
}
