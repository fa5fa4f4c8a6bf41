/**
 * Mails a notice, and keeps what became of it in its Communication. Address, language and words are read when it is
 * sent: nothing that names her waits in the queue. What cannot be mailed, and what tells of a paper, goes by letter:
 * the desks of the establishments that know her by the identity that it is filed under read it from then on.
 */
import type { Communication, RelatedPerson } from '@medplum/fhirtypes';
import type { Language } from '../../../profiles/language.ts';
import { mailTextOf } from '../../../profiles/notices/mail-text.ts';
import {
  awaitsMail,
  forLetter,
  goesByLetterToo,
  mailed,
  noticeKindOf,
  type LetterReason,
  type NoticeKind,
} from '../../../profiles/notices/notice.ts';
import { addressesOf, recipientOf, type NoticeRecipient } from '../../../profiles/notices/recipient.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isReservedSystem } from '../../../profiles/reserved-systems.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { Mailer } from '../../ports/mailer.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { identitiesOf, sourcePatientOf, type StandingIdentity } from '../identity/identities.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findAll, findById, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';

/** What the work needs. */
export type SendNoticeDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  /** Undefined: the region sends no mail. */
  readonly mailer: Mailer | undefined;
  /** The address of the server, without a slash at the end. */
  readonly publicUrl: () => string;
  /** Attempts, after which a letter is written. */
  readonly attempts: number;
};

/** Makes the work of `send-notice`. A notice that somebody has settled before is left as it is. */
export function sendNotice(deps: SendNoticeDeps) {
  return async (job: TakenJob<'send-notice'>): Promise<void> => {
    const found = await waitingNotice(deps, job.subject);
    const kind = found === undefined ? undefined : noticeKindOf(found.resource);
    if (found === undefined || kind === undefined) return;
    const told = await whoIsTold(deps, found, kind);
    const fate = await fateOf(deps, job, kind, told);
    await commitFresh(deps.records, async () => {
      const standing = await waitingNotice(deps, job.subject);
      const warrant = systemWarrant(
        'send-notice',
        ...(standing?.row.person === undefined ? [] : [standing.row.person]),
      );
      const parts = standing === undefined ? {} : settledParts(deps, standing, told, fate);
      return { warrant, plan: joinParts(parts), result: undefined };
    });
  };
}

async function waitingNotice(
  { records, clock }: SendNoticeDeps,
  id: string,
): Promise<Found<Communication> | undefined> {
  const reading = systemReading('send-notice', clock.now());
  const found = await findById<Communication>(records, reading, 'Communication', id);
  return found !== undefined && awaitsMail(found.resource) ? found : undefined;
}

/** The identity that a notice is filed under, where mail for it goes, and the language that she reads. */
type Told = {
  readonly identity: StandingIdentity | undefined;
  readonly address: NoticeRecipient['address'];
  readonly language: Language;
};

/** Who comes of age is told at an address of her own: those of her parents are not hers. */
async function whoIsTold(
  { records, clock, region }: SendNoticeDeps,
  { row }: Found<Communication>,
  kind: NoticeKind,
): Promise<Told> {
  const now = clock.now();
  const { person, subject = '' } = row;
  const filedUnder = subject.replace(/^Patient\//, '');
  const identities = person === undefined ? [] : await identitiesOf(records, person, now);
  const members = identities.map(({ content }) => sourcePatientOf(region, content));
  const isOfAge = kind === 'majority' && person !== undefined;
  const related = isOfAge ? await relatedTo(records, person, now) : [];
  const contacts = isOfAge ? members.flatMap(({ patient }) => patient.contact ?? []) : [];
  const others = addressesOf([...related, ...contacts]);
  const { address, language = region.language } = recipientOf(members, filedUnder, now, others);
  return { identity: identities.find(({ content }) => content.id === filedUnder), address, language };
}

async function relatedTo(records: RecordStore, person: PersonKey, now: number): Promise<readonly RelatedPerson[]> {
  const grant = systemReading('send-notice', now)({ person });
  const found = await findAll<RelatedPerson>(records, grant, 'RelatedPerson', []);
  return found.map(({ resource }) => resource);
}

/** Whether a mail server has it, or why a letter is to be written. */
async function fateOf(
  { mailer, publicUrl, attempts }: SendNoticeDeps,
  job: TakenJob<'send-notice'>,
  kind: NoticeKind,
  { address: to, language }: Told,
): Promise<'sent' | LetterReason> {
  if (mailer === undefined) return 'no-mail';
  if (to === undefined) return 'no-address';
  try {
    return await mailer.send({ id: job.subject, to, language, ...mailTextOf(kind, language, publicUrl()) });
  } catch (error) {
    if (error instanceof Fault && error.kind === 'transient' && job.attempts >= attempts) return 'undeliverable';
    throw error;
  }
}

function settledParts(
  { indexer, clock, region }: SendNoticeDeps,
  { row, resource }: Found<Communication>,
  { identity, language }: Told,
  fate: 'sent' | LetterReason,
): PlanParts {
  const about = aboutRow(row);
  const now = clock.now();
  const isLetter = fate !== 'sent' || goesByLetterToo(resource);
  if (!isLetter) return changed(indexer, row, mailed(resource, language), now, about);
  const { own, sources = [] } = identity?.content ?? {};
  const number = own === undefined || own.value === '' || isReservedSystem(own.system) ? {} : { own };
  const desks = sources.map((organization) => ({ office: 'establishment-desk' as const, organization }));
  // Of whom no establishment of the region knows any more, the region's desk writes it.
  const isKnown = sources.some((organization) => region.establishments.includes(organization));
  const offices = isKnown ? desks : [...desks, { office: 'region-desk' as const, organization: '' }];
  const letter = forLetter(resource, { language, reason: fate === 'sent' ? 'letter-too' : fate, ...number });
  return changed(indexer, row, letter, now, { ...about, origin: { sources: [], services: [], offices } });
}
