/**
 * Changes of whether a record is shared, as parts of a plan: a withdrawal or an opposition, its end, a consent to
 * share again, by `$withdraw` and `$reconsent` or as a Consent that was sent. Each withdrawal is ended by who spoke; a
 * patient, or who represents her, speaks as the identity that it is filed under, for two may be joined by mistake. The
 * record is given back when none stands.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { buildConsentChange, type PrivacyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { buildReconsentRequest, buildRequestNotice } from '../../../profiles/consent/reconsent/request.ts';
import { isShare } from '../../../profiles/consent/giving/is-share.ts';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { recordedBy } from '../../../profiles/consent/sharing.ts';
import { choiceOf, type SharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { buildSharingNotice, type SharingNotice } from '../../../profiles/notices/news.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import { speaksForPatient, type EstablishmentRequester, type SpeakingRequester } from '../../access/requester.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import type { About } from '../audit/event-records.ts';
import { eventRecord, filerOf, type GuardDeps, type Visit } from '../guard.ts';
import { newId } from '../new-id.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { filedBy, putOf, type PlanParts } from '../write/plan-parts.ts';
import { endedShare } from '../share/end-share.ts';
import { ticketsDone } from '../support/ticket-done.ts';
import { endedConsent } from './end-consent.ts';
import { isSaidAs, sharingParts, type StandingSharing } from './sharing-parts.ts';

/** Who changes what, on what stands. */
export type SharingStory = {
  readonly deps: Pick<GuardDeps, 'clock'> & { readonly indexer: Indexer };
  readonly visit: Visit;
  readonly requester: SpeakingRequester | EstablishmentRequester;
  /** The identity that is spoken of, and who it is at present. */
  readonly subject: Pick<SubjectFacts, 'patient' | 'person'>;
  readonly standing: StandingSharing;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The Consent that was sent; without one it is put into words here. */
  readonly sent?: PrivacyConsent;
};

/** What came of it. An establishment that gives back hears the same whatever stands. */
export type ConsentChanged = {
  readonly outcome: 'recorded' | 'requested';
  /** `Consent/id`, or `Task/id` of a request. */
  readonly reference: string;
  /** For the patient: withdrawals (`Consent/id`) of others, or under another identity, that still hide her record. */
  readonly standing: readonly string[];
};

/** The parts of the plan, its event among them. */
export type SharingChanged = { readonly parts: readonly PlanParts[]; readonly result: ConsentChanged };

/**
 * Works out what is said. `task` is the request (`Task/id`) that a patient confirms.
 * @throws {Fault} not-found - no such request of hers
 */
export function changeOf(story: SharingStory, choice: SharingChoice, task?: string): SharingChanged {
  if (choice !== 'reconsent') return withdrawn(story, choice);
  const { requester } = story;
  return speaksForPatient(requester) ? givenBack(story, task) : told(story, requester.organization);
}

/**
 * Works out the end of a Consent of sharing, as it is to stand. Who ends a consent to share withdraws: without one the
 * record would be shared all the same.
 * @throws {Fault} forbidden - another spoke
 */
export function endOf(story: SharingStory, ended: PrivacyConsent): SharingChanged {
  const { denials, permits } = story.standing.sharing;
  if (permits.some(({ id }) => id === ended.id)) return withdrawn(story, 'withdraw', ended);
  const denial = denials.find(({ id }) => id === ended.id);
  // An earlier server left it though it had ended: nothing is withdrawn.
  if (denial === undefined)
    return { parts: [sharingPartsOf(story, { ended: [], done: [], denials })], result: recorded(ended) };
  if (!isOf(story, denial)) throw new Fault('forbidden', 'A withdrawal is ended by who spoke');
  const left = denials.filter((one) => one !== denial);
  const [begun, ...waiting] = left.length === 0 ? permits.filter(({ status }) => status === 'proposed') : [];
  const change = { ended: [ended, ...waiting], begun, done: requestsDone(story, left), denials: left };
  return {
    parts: [sharingPartsOf(story, change), toldOf(story, 'reconsent', ended), eventOf(story, 'reconsent', ended)],
    result: recorded(ended),
  };
}

/**
 * What this speaker said before stands for itself, and is not said twice; who opposes may have withdrawn. Emergencies,
 * tickets of support and shares end with it.
 */
function withdrawn(story: SharingStory, choice: Denial, ended?: PrivacyConsent): SharingChanged {
  const { denials, permits, emergencies, tickets, shares } = story.standing.sharing;
  const own = denials.find((denial) => choiceOf(denial) === choice && isOf(story, denial));
  const consent = own ?? consentOf(story, 'withdraw');
  const kind = choice === 'oppose' ? 'opposition' : 'withdrawal';
  const fresh = own === undefined ? [putConsent(story, consent), toldOf(story, kind, consent)] : [];
  const parts = sharingPartsOf(story, {
    ended: permits.map((permit) => (permit.id === ended?.id ? ended : permit)),
    done: [],
    denials: own === undefined ? [...denials, consent] : denials,
  });
  const ends = [...emergencies, ...tickets, ...shares].map((given) => endOfGiven(story, given));
  const { deps, standing, now } = story;
  const over = tickets.map(({ id }) => id);
  const done = ticketsDone(deps.indexer, standing.tickets, over, now);
  return { parts: [parts, ...ends, ...done, ...fresh, eventOf(story, choice, consent)], result: recorded(consent) };
}

type Denial = Exclude<SharingChoice, 'reconsent'>;

function endOfGiven({ deps, visit, standing, now }: SharingStory, given: PrivacyConsent): PlanParts {
  const row = standing.rows.get(given.id);
  if (row === undefined) throw new Error('What changes was not read');
  const kind = permitOf(given)?.kind === 'break-glass' ? 'break-glass-end' : 'update';
  const record = (about: About): AuditRecord => eventRecord(deps.clock, visit, kind, about);
  const found = { row, resource: given };
  return (isShare(given) ? endedShare : endedConsent)(deps.indexer, found, now, record);
}

/** The patient ends what she said herself; what establishments asked her is answered with it, unless more is hers. */
function givenBack(story: SharingStory, task: string | undefined): SharingChanged {
  const { sharing, requests } = story.standing;
  if (task !== undefined && !requests.some(({ row }) => `Task/${row.id}` === task))
    throw new Fault('not-found', 'No such request');
  const left = sharing.denials.filter((denial) => !isOf(story, denial));
  const consent = { ...consentOf(story, 'reconsent'), status: left.length === 0 ? 'active' : 'proposed' } as const;
  const own = sharing.denials.filter((denial) => isOf(story, denial));
  const ended = [...own, ...sharing.permits];
  const isChange = own.length > 0;
  const parts = sharingPartsOf(story, { ended, done: requestsDone(story, left), denials: left });
  return {
    parts: [
      parts,
      putConsent(story, consent),
      ...(isChange ? [toldOf(story, 'reconsent', consent)] : []),
      eventOf(story, 'reconsent', consent),
    ],
    result: { ...recorded(consent), standing: left.map(({ id }) => `Consent/${id}`) },
  };
}

/** What establishments asked is answered when she has ended all that is hers. */
function requestsDone({ requester, standing }: SharingStory, left: readonly Consent[]): StandingSharing['requests'] {
  const isHers = speaksForPatient(requester);
  return !isHers || left.some((denial) => recordedBy(denial) === undefined) ? [] : standing.requests;
}

/**
 * An establishment ends what it recorded; against what is the patient's own it only asks her. The Consent that it sent
 * stands where nothing stands against it.
 */
function told(story: SharingStory, organization: string): SharingChanged {
  const { subject, standing, now, sent } = story;
  const { denials, permits } = standing.sharing;
  const own = denials.filter((denial) => isOf(story, denial));
  const left = denials.filter((denial) => !isOf(story, denial));
  const isHers = left.some((denial) => recordedBy(denial) === undefined);
  const task = buildReconsentRequest({ id: newId(), patient: subject.patient, organization, isDone: !isHers, now });
  const isShared = (own.length > 0 || sent !== undefined) && left.length === 0;
  const ended = [...own, ...(isShared ? permits : [])];
  return {
    parts: [
      sharingPartsOf(story, { ended, done: [], denials: left }),
      ...(isShared ? [putConsent(story, consentOf(story, 'reconsent'))] : []),
      ...(own.length > 0 ? [toldOf(story, 'reconsent')] : []),
      ...(isHers ? noticesOf(story, organization, task) : []),
      putTask(story, task),
      eventOf(story, isHers ? 'reconsent-request' : 'reconsent', task),
    ],
    result: { outcome: 'requested', reference: `Task/${task.id}`, standing: [] },
  };
}

/** She is told of each change at once, her own, too: it may have been made by somebody in her name (C10). */
function toldOf({ deps, subject, now }: SharingStory, change: SharingNotice, consent?: Consent): PlanParts {
  const of = consent === undefined ? {} : { consent: `Consent/${consent.id}` };
  return noticeParts(deps.indexer, subject, now, (facts) => buildSharingNotice({ ...facts, ...of, change }));
}

/** She is told once, however often an establishment asks. */
function noticesOf(story: SharingStory, organization: string, task: Task): readonly PlanParts[] {
  const { deps, subject, standing, now } = story;
  if (standing.requests.some(({ resource }) => resource.requester?.reference === organization)) return [];
  const asked = { task: `Task/${task.id}` };
  return [noticeParts(deps.indexer, subject, now, (facts) => buildRequestNotice({ ...facts, ...asked }))];
}

/** Whether this speaker said it. */
function isOf({ requester, standing }: SharingStory, denial: Consent & { readonly id: string }): boolean {
  if (requester.kind === 'establishment') return recordedBy(denial) === requester.organization;
  return isSaidAs(standing, denial, requester.patient);
}

function recorded({ id }: Pick<PrivacyConsent, 'id'>): ConsentChanged {
  return { outcome: 'recorded', reference: `Consent/${id}`, standing: [] };
}

/** Nobody opposes but by a Consent that is sent. */
function consentOf({ requester, subject, now, sent }: SharingStory, change: 'withdraw' | 'reconsent'): PrivacyConsent {
  if (sent !== undefined) return sent;
  const { patient } = subject;
  const speaker = requester.kind === 'establishment' ? { organization: requester.organization } : {};
  const performer = requester.kind === 'representative' ? { performer: requester.related } : {};
  return buildConsentChange({ id: newId(), patient, change, ...speaker, ...performer, now });
}

function sharingPartsOf({ deps, standing, now }: SharingStory, change: Parameters<typeof sharingParts>[2]): PlanParts {
  return sharingParts(deps.indexer, standing, change, now);
}

function putConsent({ deps, visit, subject, now }: SharingStory, consent: Consent): PlanParts {
  const { person, patient } = subject;
  const origin = filedBy(filerOf(visit.requester));
  return { puts: [putOf(deps.indexer, consent, now, { person, subject: patient, origin })] };
}

/** Whoever is asked may name it. Whoever asked may not read it: its status tells what the patient said herself. */
function putTask({ deps, subject, now }: SharingStory, task: Task): PlanParts {
  const { person, patient } = subject;
  const origin = filedBy(patient);
  return { puts: [putOf(deps.indexer, task, now, { person, subject: patient, origin })] };
}

function eventOf({ deps, visit, subject }: SharingStory, change: string, about: Consent | Task): PlanParts {
  const { person, patient } = subject;
  const reference = `${about.resourceType}/${about.id}`;
  const what = about.resourceType === 'Task' ? { what: { reference } } : {};
  const consent = about.resourceType === 'Consent' ? { consent: reference } : {};
  const entities = [{ ...what, detail: { change } }];
  return { audit: [eventRecord(deps.clock, visit, 'withdraw', { person, patient, ...consent, entities })] };
}
