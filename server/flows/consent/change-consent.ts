/**
 * Withdrawal and its end: `Patient/$withdraw` hides the record from all professionals at once. Each withdrawal is ended
 * by `Patient/$reconsent` of who may: the patient's own by her alone, as the identity that it is filed under, for
 * identities may be joined by mistake; one that an establishment recorded by that establishment. The record is given
 * back when none stands. Each change is one plan: Consents, state, event.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { buildConsentChange, type PrivacyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { buildReconsentRequest, buildRequestNotice } from '../../../profiles/consent/reconsent-request.ts';
import { recordedBy } from '../../../profiles/consent/sharing.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { EstablishmentRequester, PatientRequester } from '../../access/requester.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { filingPatient, knownPatient, subjectFacts } from '../identity/persons.ts';
import { newId } from '../new-id.ts';
import { commitFresh, filedBy, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { endedConsent } from './end-consent.ts';
import { readSharing, sharingParts, type StandingSharing } from './sharing-parts.ts';

/** What the flow needs. */
export type ChangeConsentDeps = GuardDeps & { readonly indexer: Indexer };

/** What is asked: by an establishment about a Patient, by the patient about the Task that she confirms. */
export type ConsentChangeAsked = {
  readonly change: 'withdraw' | 'reconsent';
  /** `Patient/id`. */
  readonly patient?: string | undefined;
  /** `Task/id` of an establishment's request. */
  readonly task?: string | undefined;
};

/** What came of it. An establishment that gives back hears the same whatever stands. */
export type ConsentChanged = {
  readonly outcome: 'recorded' | 'requested';
  /** `Consent/id`, or `Task/id` of a request. */
  readonly reference: string;
  /** For the patient: withdrawals (`Consent/id`) of others, or under another identity, that still hide her record. */
  readonly standing: readonly string[];
};

/**
 * Withdraws or gives back. The patient speaks for herself; an establishment records what its patient told it.
 * @throws {Fault} forbidden - a professional asks
 * @throws {Fault} not-found - no such patient, or none of this establishment; no such request of hers
 */
export function changeConsent(deps: ChangeConsentDeps) {
  return async (visit: Visit, asked: ConsentChangeAsked): Promise<ConsentChanged> =>
    await refusalsRecorded(deps, visit, 'withdraw', async () => {
      const requester = requireConsentChanger(visit.requester);
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('change-consent', now);
        const subject = await patientAsked(deps, reading, requester, asked.patient, now);
        const act = { interaction: 'operation', operation: asked.change } as const;
        const warrant = mayWrite(requester, act, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const standing = await readSharing(deps.records, reading, subject.person, now);
        const { parts, result } = changeOf({ deps, visit, requester, subject, standing, now }, asked);
        return { warrant, plan: joinParts(...parts), result };
      });
      return result;
    });
}

type Story = {
  readonly deps: ChangeConsentDeps;
  readonly visit: Visit;
  readonly requester: PatientRequester | EstablishmentRequester;
  readonly subject: SubjectFacts;
  readonly standing: StandingSharing;
  readonly now: number;
};

type Change = { readonly parts: readonly PlanParts[]; readonly result: ConsentChanged };

function changeOf(story: Story, { change, task }: ConsentChangeAsked): Change {
  if (change === 'withdraw') return withdrawn(story);
  return story.requester.kind === 'patient' ? givenBack(story, task) : told(story, story.requester.organization);
}

/** What this speaker said before stands for itself, and is not said twice. Emergencies end with it. */
function withdrawn(story: Story): Change {
  const { denials, permits, emergencies } = story.standing.sharing;
  const own = denials.find((denial) => isOf(story, denial));
  const consent = own ?? consentOf(story, 'withdraw');
  const fresh = own === undefined ? [putConsent(story, consent)] : [];
  const parts = sharingPartsOf(story, {
    ended: permits,
    done: [],
    denials: own === undefined ? [...denials, consent] : denials,
  });
  const ends = emergencies.map((emergency) => endOf(story, emergency));
  return { parts: [parts, ...ends, ...fresh, eventOf(story, 'withdraw', consent)], result: recorded(consent) };
}

function endOf({ deps, visit, standing, now }: Story, emergency: Consent & { readonly id: string }): PlanParts {
  const row = standing.rows.get(emergency.id);
  if (row === undefined) throw new Error('What changes was not read');
  return endedConsent(deps.indexer, { row, resource: emergency }, now, (about) =>
    eventRecord(deps.clock, visit, 'break-glass-end', about),
  );
}

/** The patient ends what she said herself; what establishments asked her is answered with it, unless more is hers. */
function givenBack(story: Story, task: string | undefined): Change {
  const { sharing, requests } = story.standing;
  if (task !== undefined && !requests.some(({ row }) => `Task/${row.id}` === task))
    throw new Fault('not-found', 'No such request');
  const left = sharing.denials.filter((denial) => !isOf(story, denial));
  const consent = { ...consentOf(story, 'reconsent'), status: left.length === 0 ? 'active' : 'proposed' } as const;
  const ended = [...sharing.denials.filter((denial) => isOf(story, denial)), ...sharing.permits];
  const done = left.some((denial) => recordedBy(denial) === undefined) ? [] : requests;
  const parts = sharingPartsOf(story, { ended, done, denials: left });
  return {
    parts: [parts, putConsent(story, consent), eventOf(story, 'reconsent', consent)],
    result: { ...recorded(consent), standing: left.map(({ id }) => `Consent/${id}`) },
  };
}

/** An establishment ends what it recorded; against what is the patient's own it only asks her. */
function told(story: Story, organization: string): Change {
  const { subject, standing, now } = story;
  const { denials, permits } = standing.sharing;
  const own = denials.filter((denial) => isOf(story, denial));
  const left = denials.filter((denial) => !isOf(story, denial));
  const isHers = left.some((denial) => recordedBy(denial) === undefined);
  const task = buildReconsentRequest({ id: newId(), patient: subject.patient, organization, isDone: !isHers, now });
  const isShared = own.length > 0 && left.length === 0;
  const ended = [...own, ...(isShared ? permits : [])];
  return {
    parts: [
      sharingPartsOf(story, { ended, done: [], denials: left }),
      ...(isShared ? [putConsent(story, consentOf(story, 'reconsent'))] : []),
      ...(isHers ? noticesOf(story, organization, task) : []),
      putTask(story, task),
      eventOf(story, isHers ? 'reconsent-request' : 'reconsent', task),
    ],
    result: { outcome: 'requested', reference: `Task/${task.id}`, standing: [] },
  };
}

/** She is told once, however often an establishment asks. */
function noticesOf(story: Story, organization: string, task: Task): readonly PlanParts[] {
  const { deps, subject, standing, now } = story;
  if (standing.requests.some(({ resource }) => resource.requester?.reference === organization)) return [];
  const { person, patient } = subject;
  const notice = buildRequestNotice({ id: newId(), patient, task: `Task/${task.id}`, now });
  return [{ puts: [putOf(deps.indexer, notice, now, { person, subject: patient })] }];
}

/** Whether this speaker said it. What a patient said as another identity may be another human's. */
function isOf({ requester, standing }: Story, denial: Consent & { readonly id: string }): boolean {
  if (requester.kind === 'establishment') return recordedBy(denial) === requester.organization;
  return recordedBy(denial) === undefined && standing.rows.get(denial.id)?.subject === requester.patient;
}

function recorded({ id }: Pick<PrivacyConsent, 'id'>): ConsentChanged {
  return { outcome: 'recorded', reference: `Consent/${id}`, standing: [] };
}

function consentOf({ requester, subject, now }: Story, change: 'withdraw' | 'reconsent'): PrivacyConsent {
  const { patient } = subject;
  const organization = requester.kind === 'establishment' ? { organization: requester.organization } : {};
  return buildConsentChange({ id: newId(), patient, change, ...organization, now });
}

function sharingPartsOf({ deps, standing, now }: Story, change: Parameters<typeof sharingParts>[2]): PlanParts {
  return sharingParts(deps.indexer, standing, change, now);
}

function putConsent({ deps, visit, subject, now }: Story, consent: Consent): PlanParts {
  const { person, patient } = subject;
  const origin = filedBy(referenceOf(visit.requester));
  return { puts: [putOf(deps.indexer, consent, now, { person, subject: patient, origin })] };
}

/** Whoever is asked may name it. Whoever asked may not read it: its status tells what the patient said herself. */
function putTask({ deps, subject, now }: Story, task: Task): PlanParts {
  const { person, patient } = subject;
  const origin = filedBy(patient);
  return { puts: [putOf(deps.indexer, task, now, { person, subject: patient, origin })] };
}

function eventOf({ deps, visit, subject }: Story, change: string, about: Consent | Task): PlanParts {
  const { person, patient } = subject;
  const reference = `${about.resourceType}/${about.id}`;
  const what = about.resourceType === 'Task' ? { what: { reference } } : {};
  const consent = about.resourceType === 'Consent' ? { consent: reference } : {};
  const entities = [{ ...what, detail: { change } }];
  return { audit: [eventRecord(deps.clock, visit, 'withdraw', { person, patient, ...consent, entities })] };
}

/** The Patient that an establishment names, or the patient's own; undefined when there is none. */
async function patientAsked(
  { records }: ChangeConsentDeps,
  reading: NarrowReading,
  requester: PatientRequester | EstablishmentRequester,
  asked: string | undefined,
  now: number,
): Promise<SubjectFacts | undefined> {
  const own = requester.kind === 'patient' ? requester.patient : undefined;
  const patient = asked ?? own;
  if (patient === undefined)
    throw new Fault('required', 'The parameter patient is missing', { expression: 'Parameters.parameter' });
  const known = await filingPatient(records, reading, requester, patient, now);
  const self = own === undefined || own === patient ? known : await knownPatient(records, reading, own);
  if (known === undefined || self === undefined) return undefined;
  // Whatever Patient of hers she names, the Consent is about the one that she signed in as.
  return await subjectFacts(records, reading, requester, self.person === known.person ? self : known);
}
