/**
 * Mails whoever a share is for that it was given, or that it has ended. What stands when it is sent says which; address
 * and words are read then, so that nothing of it waits in the queue. A share whose time is over mails nothing.
 */
import type { Consent } from '@medplum/fhirtypes';
import { recipientOfShare, shareOf } from '../../../profiles/consent/giving/share.ts';
import type { Language } from '../../../profiles/language.ts';
import { recipientOf } from '../../../profiles/notices/recipient.ts';
import { shareMailOf } from '../../../profiles/notices/share.ts';
import { systemReading } from '../../access/grant.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { Mailer } from '../../ports/mailer.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { identitiesOf, sourcePatientOf } from '../identity/identities.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById } from '../internal-reads.ts';

/** What the work needs. */
export type MailShareDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly region: RegionIndex;
  /** Undefined: the region sends no mail. */
  readonly mailer: Mailer | undefined;
  readonly timeZone: string;
  readonly log: Pick<Log, 'warn'>;
};

/** Makes the work of `mail-share`, in the language of who shares. */
export function mailShare(deps: MailShareDeps) {
  const { records, clock, mailer, timeZone, log } = deps;
  return async ({ subject }: TakenJob<'mail-share'>): Promise<void> => {
    const now = clock.now();
    const found = await findById<Consent>(records, systemReading('mail-share', now), 'Consent', subject);
    if (mailer === undefined || found === undefined) return;
    const { row, resource } = found;
    const to = recipientOfShare(resource);
    const share = shareOf({ ...resource, status: 'active' });
    if (to === undefined || share === undefined || share.to <= now) return;
    const change = resource.status === 'active' ? 'given' : 'ended';
    const language = await languageOf(deps, row, now);
    const text = shareMailOf(change, language, { until: share.to - 1, timeZone });
    const outcome = await mailer.send({ id: `${subject}.${change}`, to, language, ...text });
    if (outcome === 'refused') log.warn({ share: subject }, 'the mail server refuses the address of a share for good');
  };
}

async function languageOf(
  { records, region }: MailShareDeps,
  { person, subject = '' }: InternalRow,
  now: number,
): Promise<Language> {
  const identities = person === undefined ? [] : await identitiesOf(records, person, now);
  const members = identities.map(({ content }) => sourcePatientOf(region, content));
  return recipientOf(members, subject.replace(/^Patient\//, ''), now).language ?? region.language;
}
