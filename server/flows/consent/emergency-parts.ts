/**
 * What the plan of an emergency writes: the review of the data protection officers, and of a known patient whose record
 * is shared, and who does not block the professional unless the region lets emergencies pass blocks, the Consent that
 * opens it; she is told either way.
 */
import type { Patient, Task } from '@medplum/fhirtypes';
import { resourceType } from '../../../profiles/audit/entities.ts';
import type { TouchedEntity } from '../../../profiles/audit/facts.ts';
import {
  buildAlertTask,
  buildAmbiguousTask,
  buildEmergencyNotice,
  buildReviewTask,
  type BreakGlassSetting,
  type EmergencyOutcome,
} from '../../../profiles/consent/emergency.ts';
import { maskedAsExam } from '../../../profiles/consent/giving/masked-as-exam.ts';
import { buildEmergencyConsent } from '../../../profiles/consent/privacy-consent.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { stateAllows } from '../../access/decide.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import type { PersonKey, PractitionerRequester } from '../../access/requester.ts';
import type { Origin } from '../../access/rights-of.ts';
import { emergencyBeyond } from '../../access/rules/table.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import type { About } from '../audit/event-records.ts';
import { eventRecord, type Visit } from '../guard.ts';
import type { KnownPatient } from '../identity/persons.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { putOf, type PlanParts } from '../write/plan-parts.ts';
import { USUAL_OF_A_DAY, type Attempts } from './emergency-attempts.ts';
import { endingAt } from './end-consent.ts';

/** Whom an emergency is about: somebody's number, or her strict traits. */
export type Sought =
  { readonly identifier: { readonly system: string; readonly value: string } } | { readonly traits: Patient };

/** The exam that an emergency is for alone: its ImagingStudy by id, or by Study Instance UID. */
export type StudySought = { readonly id: string } | { readonly studyInstanceUID: string };

/** A declared emergency. */
export type Emergency = {
  readonly sought: Sought;
  /** The record when absent. */
  readonly study?: StudySought;
  readonly reason: string;
  readonly justification: string;
  /** Milliseconds; as long as may be when absent. */
  readonly duration?: number;
};

/** An emergency that is declared. `nobody` is the key of what is about no patient: officers find it by that. */
export type Opening = {
  readonly deps: { readonly clock: Clock; readonly indexer: Indexer; readonly hours: number };
  readonly visit: Visit;
  readonly requester: PractitionerRequester;
  readonly emergency: Emergency;
  readonly taskId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly nobody: PersonKey;
};

/** An hour, in milliseconds. */
export const HOUR_MS = 3_600_000;

/** An exam (`ImagingStudy/id`), and whether it is masked from who represents the patient. */
export type FoundExam = { readonly exam: string; readonly isMasked: boolean };

/** What was found: `subject` is whom the emergency names, if that is one person; `exam` is hers. */
export type FoundOfEmergency = {
  readonly subject: SubjectFacts | undefined;
  readonly exam: FoundExam | undefined;
  readonly isBlocked: boolean;
  /** What it does beyond what every emergency does. */
  readonly beyond: BreakGlassSetting | undefined;
  readonly attempts: Attempts;
};

/** The parts of the plan. */
export function emergencyParts(opening: Opening, found: FoundOfEmergency): readonly PlanParts[] {
  const { deps, visit, taskId, emergency, nobody } = opening;
  const { subject, exam, attempts, beyond } = found;
  const outcome = outcomeOf(emergency, found);
  const opens = outcome === 'record' || outcome === 'exam';
  const consentId = opens ? newId() : undefined;
  const entities = [
    { what: { reference: `Task/${taskId}` }, detail: { reason: emergency.reason } },
    ...(outcome === 'exam' && exam !== undefined ? [examOpened(exam)] : []),
  ];
  const isUnusual = attempts.ofDay >= USUAL_OF_A_DAY;
  const of =
    subject === undefined
      ? { person: nobody }
      : { person: subject.person, patient: subject.patient, ...(isUnusual ? { others: [nobody] } : {}) };
  const opened = consentId === undefined ? undefined : { consentId, exam, beyond };
  const right = opened === undefined ? {} : rightOpened(opened);
  return [
    { audit: [eventRecord(deps.clock, withPurpose(visit), 'break-glass', { ...of, ...right, entities })] },
    reviewParts(opening, subject, opened),
    ...(subject === undefined ? [] : [toldParts(opening, subject, outcome, opened)]),
    ...(subject === undefined || opened === undefined ? [] : [consentParts(opening, subject, opened)]),
    ...(isUnusual ? [alertParts(opening, attempts.ofDay + 1)] : []),
  ];
}

/** What an emergency opens: by which Consent, of which exam where it is one alone. */
type Opened = {
  readonly consentId: string;
  readonly exam: FoundExam | undefined;
  readonly beyond: BreakGlassSetting | undefined;
};

/** The Consent in the event, and the relation where it is more than every emergency gives. */
function rightOpened({ consentId, beyond }: Opened): Pick<About, 'consent' | 'relation'> {
  const relation = emergencyBeyond(beyond);
  return { consent: `Consent/${consentId}`, ...(relation === undefined ? {} : { relation }) };
}

/** The exam in the event, without its words: who reads the list of accesses may not see it. */
function examOpened({ exam }: FoundExam): TouchedEntity {
  return { what: { reference: exam }, type: resourceType('ImagingStudy'), role: '3' };
}

/** A record that is closed says nothing of its exams. */
function outcomeOf({ study }: Emergency, { subject, exam, isBlocked, beyond }: FoundOfEmergency): EmergencyOutcome {
  if (isBlocked && beyond !== 'passesBlocks') return 'blocked';
  if (subject === undefined || !stateAllows('break-glass', subject.state)) return 'closed';
  if (study === undefined) return 'record';
  return exam === undefined ? 'no-exam' : 'exam';
}

/** What the desk of the region hears of an emergency that names several persons. */
export function ambiguousParts(opening: Opening, patients: readonly KnownPatient[]): PlanParts {
  const { deps, now, nobody } = opening;
  const task = buildAmbiguousTask({ ...declaredIn(opening), patients: patients.map(({ patient }) => patient) });
  const origin = { sources: [], services: [], offices: [{ office: 'region-desk' as const, organization: '' }] };
  return { puts: [putOf(deps.indexer, task, now, { person: nobody, origin })] };
}

function declaredIn({ requester, now }: Opening) {
  return { id: newId(), practitioner: requester.practitioner, now };
}

/** Whoever declared it reads no review of it, nor does the patient. */
function reviewParts(opening: Opening, subject: SubjectFacts | undefined, opened: Opened | undefined): PlanParts {
  const { deps, emergency, taskId, now, nobody } = opening;
  const { reason, justification } = emergency;
  const of = {
    ...(subject === undefined ? {} : { patient: subject.patient }),
    ...(opened === undefined ? {} : { consent: `Consent/${opened.consentId}`, beyond: opened.beyond }),
  };
  const task = buildReviewTask({ ...declaredIn(opening), id: taskId, ...of, reason, justification });
  const facts = subject === undefined ? { person: nobody } : { person: subject.person, subject: subject.patient };
  return {
    puts: [putOf(deps.indexer, task, now, { ...facts, origin: forOfficers(opening) })],
    jobs: [mailed(task, now)],
  };
}

function alertParts(opening: Opening, count: number): PlanParts {
  const { deps, now, nobody } = opening;
  const task = buildAlertTask({ ...declaredIn(opening), count });
  const facts = { person: nobody, origin: forOfficers(opening) };
  return { puts: [putOf(deps.indexer, task, now, facts)], jobs: [mailed(task, now)] };
}

function mailed({ id = '' }: Task, now: number): JobRequest {
  return jobOf('alert-officers', id, now);
}

/** The officers of the region, and of where the professional works. */
function forOfficers({ requester }: Opening): Origin {
  const organizations = [...new Set(requester.roles.map(({ organization }) => organization))];
  return {
    sources: [],
    services: [],
    offices: [
      { office: 'region-dpo', organization: '' },
      ...organizations.map((organization) => ({ office: 'establishment-dpo' as const, organization })),
    ],
  };
}

/** The event of an emergency bears its purpose, whatever the token said. */
function withPurpose(visit: Visit): Visit {
  return { ...visit, requester: { ...visit.requester, purpose: 'BTG' } };
}

/** The Consent that gives the record, or the exam, and that every later event cites. */
function consentParts(
  opening: Opening,
  { person, patient }: SubjectFacts,
  { consentId: id, exam: found, beyond }: Opened,
): PlanParts {
  const { deps, requester, emergency, now } = opening;
  const { practitioner } = requester;
  const to = now + (emergency.duration ?? deps.hours * HOUR_MS);
  const built = buildEmergencyConsent({ id, patient, practitioner, from: now, to, exam: found?.exam, beyond });
  const consent = maskedAsExam(built, found?.isMasked === true);
  return {
    puts: [putOf(deps.indexer, consent, now, { person, subject: patient })],
    jobs: [endingAt(id, to)],
  };
}

function toldParts(
  opening: Opening,
  subject: SubjectFacts,
  outcome: EmergencyOutcome,
  opened: Opened | undefined,
): PlanParts {
  const { deps, requester, now } = opening;
  const { practitioner: reference, display } = requester;
  const by = opened === undefined ? {} : { consent: `Consent/${opened.consentId}`, beyond: opened.beyond };
  return noticeParts(deps.indexer, subject, now, (facts) =>
    buildEmergencyNotice({ ...facts, ...by, outcome, practitioner: { reference, display } }),
  );
}
