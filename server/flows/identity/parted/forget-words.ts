/**
 * Once an exam is with the right person: what the events of the wrong one tell of it goes, as an erasure takes it.
 * The events of a person hold only what is of that person; who passed when, and that it was this exam, stays.
 */
import type { DocumentReference } from '@medplum/fhirtypes';
import { Fault } from '../../../../profiles/fault.ts';
import { systemReading, type SystemGrant } from '../../../access/grant.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import type { AuditTrail } from '../../../ports/audit-trail.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { rowById } from '../../internal-reads.ts';
import type { JobRun } from '../../jobs/job-runner.ts';
import { manifestsOf } from '../../study/study-content.ts';
import { identitiesOf, type StandingIdentity } from '../identities.ts';

/** What it needs. */
export type ForgetWordsDeps = { readonly records: RecordStore; readonly trail: AuditTrail; readonly clock: Clock };

/**
 * Takes what names an exam (`ImagingStudy/id`), its manifests and their bytes out of the events that a person reads
 * under any of her identities. It may run twice, and late: of an exam that is hers again nothing goes.
 */
export async function forgetWords(
  { records, trail, clock }: ForgetWordsDeps,
  whole: SystemGrant,
  item: string,
  { person, identities }: { readonly person: PersonKey; readonly identities: readonly StandingIdentity[] },
  goOn: JobRun['goOn'],
): Promise<void> {
  const id = item.replace(/^ImagingStudy\//, '');
  const readers = new Set([person, ...identities.map(({ content }) => personKey(content.home))]);
  const isHersAgain = async (): Promise<boolean> => await isOf(records, id, readers, clock.now());
  if (await isHersAgain()) return;
  const manifests = await manifestsOf(records, whole, id, 'all');
  const names = new Set([item, ...manifests.flatMap(({ resource }) => namesOf(resource))]);
  await trail.eraseEntities(
    names,
    (events) =>
      recordOf(clock, ownOccasion('passerelle'), 'erase-events', {
        entities: [{ role: '13', detail: { events: String(events) } }],
      }),
    async () => {
      await goOn();
      if (await isHersAgain()) throw new Fault('transient', 'The exam was moved back');
    },
    readers,
  );
}

/** Whether an exam is filed under an identity that is one of some persons by itself. */
async function isOf(records: RecordStore, id: string, persons: ReadonlySet<PersonKey>, now: number): Promise<boolean> {
  const row = await rowById(records, systemReading('end-given', now), 'ImagingStudy', id);
  if (row?.person === undefined) return false;
  const identities = await identitiesOf(records, row.person, now);
  return identities.some(
    ({ content }) => `Patient/${content.id}` === row.subject && persons.has(personKey(content.home)),
  );
}

function namesOf({ id = '', content }: DocumentReference): readonly string[] {
  const urls = content.flatMap(({ attachment: { url = '' } }) => (url.includes('/Binary/') ? [url] : []));
  return [`DocumentReference/${id}`, ...urls.map((url) => `Binary/${url.split('/Binary/').at(-1) ?? ''}`)];
}
