/** Records the end of a viewing (viewings.ts): how many requests followed the one that its first event tells of. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { furtherEvent, imagingStudyOf, moreRequests } from '../../../profiles/audit/further-event.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading, type ItemReading } from '../../access/grant.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findById, rowById } from '../internal-reads.ts';
import type { GuardDeps } from '../guard.ts';

/**
 * Makes the work of `end-viewing`. The event has the id of the job, so it is recorded once; a study that was erased
 * meanwhile is not named again.
 * @throws {Fault} not-found - there is no event of the beginning
 */
export function endViewing({ records, trail, clock }: GuardDeps) {
  return async ({ id, subject, payload }: TakenJob<'end-viewing'>): Promise<void> => {
    const reading = systemReading('record-viewing', clock.now());
    const found = await findById<AuditEvent>(records, reading, 'AuditEvent', subject);
    if (found === undefined) throw new Fault('not-found', 'The event of the beginning of a viewing is missing');
    const { part, further, ended, person, persons = person === undefined ? [] : [person] } = payload;
    const beginning = found.resource;
    const event = furtherEvent(beginning, {
      id,
      recorded: new Date(ended).toISOString(),
      detail: moreRequests(part, further),
      isErased: !(await stands(records, reading, imagingStudyOf(beginning))),
    });
    await trail.record([{ event, persons }]);
  };
}

async function stands(records: RecordStore, reading: ItemReading, study: string | undefined): Promise<boolean> {
  const [type, id] = study?.split('/') ?? [];
  if (type !== 'ImagingStudy' || id === undefined) return false;
  return (await rowById(records, reading, type, id)) !== undefined;
}
