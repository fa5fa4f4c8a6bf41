/**
 * Mails officers that a Task waits for them, at the addresses that the region file has of the offices that may read it.
 * Without an address of an office nobody of it is mailed; the Task waits all the same.
 */
import type { Task } from '@medplum/fhirtypes';
import { officerAlertOf, officerMailOf } from '../../../profiles/notices/officer-mail.ts';
import { systemReading } from '../../access/grant.ts';
import { principal } from '../../access/right.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { Mailer } from '../../ports/mailer.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById } from '../internal-reads.ts';

/** What the work needs. */
export type AlertOfficersDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly region: Pick<RegionIndex, 'contacts' | 'language'>;
  /** Undefined: the region sends no mail. */
  readonly mailer?: Mailer | undefined;
  /** The address of the server, without a slash at the end. */
  readonly publicUrl: () => string;
  readonly log: Pick<Log, 'warn'>;
};

/** Makes the work of `alert-officers`: each address gets a mail of its own. */
export function alertOfficers({ records, clock, region, mailer, publicUrl, log }: AlertOfficersDeps) {
  return async ({ subject }: Pick<TakenJob<'alert-officers'>, 'subject'>): Promise<void> => {
    if (mailer === undefined) return;
    const reading = systemReading('alert-officers', clock.now());
    const found = await findById<Task>(records, reading, 'Task', subject);
    const alert = found === undefined ? undefined : officerAlertOf(found.resource);
    const person = found?.row.person;
    if (alert === undefined || person === undefined) return;
    const rights = await records.rightsOf(reading({ person }), person, `Task/${subject}`);
    const readers = new Set(
      rights.filter(({ giver }) => giver === `Task/${subject}`).map((right): string => right.principal),
    );
    const troubles: unknown[] = [];
    for (const { office, organization = '', email: to } of region.contacts) {
      if (!readers.has(principal.office(office, organization))) continue;
      const mail = { id: subject, to, language: region.language };
      const text = officerMailOf(alert, region.language, publicUrl());
      const outcome = await mailer.send({ ...mail, ...text }).catch((error: unknown) => troubles.push(error));
      if (outcome === 'refused')
        log.warn({ office, organization, task: subject }, 'the mail server refuses the address of an office for good');
    }
    // All are tried: one address that is in trouble keeps no other waiting. A repeat bears the same Message-ID.
    if (troubles.length > 0) throw troubles[0];
  };
}
