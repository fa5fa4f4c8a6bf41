/**
 * When a patient comes of age whom somebody represents as a child: she is invited to open her record herself. Her birth
 * date may be corrected, so it is looked at again when it changes, and on the day.
 */
import type { Patient, RelatedPerson } from '@medplum/fhirtypes';
import { majorityOf, namedTime, representationsOf } from '../../../profiles/consent/representation.ts';
import type { NarrowReading } from '../../access/grant.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { findAll, findById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** What the subject of a `tell-news` has behind its item where she is told of that alone. */
export const MAJORITY = 'majority';

/** The subject of that job about a RelatedPerson (`RelatedPerson/id`). */
export function ofMajority(item: string): string {
  return `${item}/${MAJORITY}`;
}

/** Asks for it, at a time (epoch milliseconds). */
export function majorityAt(item: string, at: number): JobRequest {
  return jobOf('tell-news', ofMajority(item), at);
}

/**
 * When whoever a row names as a parent or guardian represents a patient no more because she comes of age, epoch
 * milliseconds; undefined where that one ends before, begins later, or has a mandate, and of a patient who has died.
 */
export async function endsByAge(
  records: RecordStore,
  reading: NarrowReading,
  row: InternalRow,
  timeZone: string,
): Promise<number | undefined> {
  const related = openedResource<RelatedPerson>(row);
  const named = namedTime(related, timeZone);
  const isOfChild = representationsOf(related).some((kind) => kind === 'parent' || kind === 'guardian');
  const [, id = ''] = (row.patient ?? row.subject ?? '').split('/');
  const patient = await findById<Patient>(records, reading, 'Patient', id);
  if (patient === undefined || named === undefined || !isOfChild) return undefined;
  const { birthDate, deceasedBoolean, deceasedDateTime } = patient.resource;
  const majority = majorityOf(birthDate, timeZone);
  if (majority === undefined || deceasedBoolean === true || deceasedDateTime !== undefined) return undefined;
  return named.from < majority && majority <= named.to ? majority : undefined;
}

/**
 * What a plan asks for that changes the birth date of a Patient: who represents her from now on she is told of, and
 * where she was a child, that she is of age. `row` is the Patient as it stands.
 */
export async function agedParts(
  records: RecordStore,
  reading: NarrowReading,
  row: InternalRow,
  birthDate: string | undefined,
  now: number,
): Promise<PlanParts> {
  const former = openedResource<Patient>(row).birthDate;
  const { person } = row;
  if (former === birthDate || person === undefined) return {};
  const related = await findAll<RelatedPerson>(records, reading({ person }), 'RelatedPerson', []);
  const wasChild = (majorityOf(former, 'UTC') ?? -Infinity) > now;
  const items = related.map(({ row: { id } }) => `RelatedPerson/${id}`);
  const jobs = items.flatMap((item) => [jobOf('tell-news', item, now), ...(wasChild ? [majorityAt(item, now)] : [])]);
  return { jobs };
}
