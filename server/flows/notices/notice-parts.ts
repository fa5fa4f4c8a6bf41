/** The parts of a plan that tell a patient something: the Communication, and the job that mails it. */
import type { Communication } from '@medplum/fhirtypes';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { PersonKey } from '../../access/requester.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { putOf, type PlanParts } from '../write/plan-parts.ts';

/** Whose notice it is: a person, and the identity (`Patient/id`) that it is filed under. */
export type ToldPatient = { readonly person: PersonKey; readonly patient: string };

/** Works them out; `build` makes the Communication. `now` is in epoch milliseconds. */
export function noticeParts(
  indexer: Indexer,
  { person, patient }: ToldPatient,
  now: number,
  build: (facts: { readonly id: string; readonly patient: string; readonly now: number }) => Communication,
): PlanParts {
  const notice = build({ id: newId(), patient, now });
  return {
    puts: [putOf(indexer, notice, now, { person, subject: patient })],
    jobs: [jobOf('send-notice', notice.id ?? '', now)],
  };
}
