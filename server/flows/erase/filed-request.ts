/** A request to erase the record of a person, as it is filed. */
import type { Task } from '@medplum/fhirtypes';
import { erasureBegins } from '../../../profiles/consent/erasure-request.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { PersonKey } from '../../access/requester.ts';
import { jobOf } from '../jobs/job-of.ts';
import { putOf, type PlanParts } from '../write/plan-parts.ts';

/** Whose it is; `subject` is the identity that it is filed under (`Patient/id`). */
type Whose = { readonly person: PersonKey; readonly subject: string };

/** The parts that file it and have it carried out on its day. */
export function filedRequest(indexer: Indexer, task: Task, { person, subject }: Whose, now: number): PlanParts {
  return {
    puts: [putOf(indexer, task, now, { person, subject, origin: namedOf(subject) })],
    jobs: [jobOf('erase-record', task.id ?? '', erasureBegins(task))],
  };
}

/** The patient, and the officers who see to it that the day is kept. Who received it may not read it. */
function namedOf(patient: string) {
  const offices = [{ office: 'region-dpo', organization: '' }] as const;
  return { sources: [patient], services: [], offices };
}
