/**
 * Break-glass: a professional declares an emergency and sees a patient's normal exams for some hours. The answer is
 * the same whether the patient or any exam is known; the patient is told and the use is reviewed.
 */
import type { Task } from '@medplum/fhirtypes';
import { buildEmergencyNotice, buildReviewTask } from '../../../profiles/consent/emergency.ts';
import { buildEmergencyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import { refusalOf, requireProfessional } from '../../access/may-attempt.ts';
import { mayWrite } from '../../access/may-write.ts';
import type { PractitionerRequester, Requester } from '../../access/requester.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { identitiesNamed } from '../identity/identities.ts';
import { subjectFacts, toKnownPatient, type KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { commitFresh, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { newId } from '../new-id.ts';

/** A declared emergency. */
export type Emergency = {
  readonly identifier: { readonly system: string; readonly value: string };
  readonly reason: string;
  readonly justification: string;
};

/** What the flow needs. */
export type BreakGlassDeps = GuardDeps & {
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly hours: number;
};

/** Codes of v3-ActReason by which an emergency is declared. */
export const EMERGENCY_REASONS = ['ETREAT', 'BTG'] as const;
/** The characters of a justification, without spaces around it. */
export const JUSTIFICATION_LENGTH = { least: 15, most: 2_000 } as const;
/** A sign-in older than this has to be made again before an emergency is declared. */
export const FRESH_SECONDS = 300;
const HOUR_MS = 3_600_000;

/**
 * Opens an emergency access; resolves with the id of the review task.
 * @throws {Fault} forbidden - the requester is no professional
 * @throws {Fault} login (insufficient_user_authentication) - the sign-in is not fresh. @see RFC 9470
 * @throws {Fault} invalid - reason or justification
 */
export function breakGlass(deps: BreakGlassDeps) {
  return async (visit: Visit, emergency: Emergency): Promise<{ taskId: string }> =>
    await refusalsRecorded(deps, visit, 'break-glass', async () => {
      const requester = requireProfessional(visit.requester);
      requireFresh(requester, deps.clock.now());
      checkEmergency(emergency);
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('break-glass', now);
        const known = await findPatient(deps, emergency, now);
        const subject = known === undefined ? undefined : await subjectFacts(deps.records, reading, requester, known);
        const warrant = mayWrite(requester, { interaction: 'operation', operation: 'break-glass' }, { now, subject });
        const taskId = newId();
        const plan = joinParts(...planOf({ deps, visit, requester, emergency, taskId, now }, known));
        return { warrant, plan, result: { taskId } };
      });
      return result;
    });
}

/**
 * Whether a requester may declare an emergency: `no`, `after-sign-in` when the last one is too old, or `now`. It asks
 * nothing of data, so that a page may offer it wherever nothing is shown.
 */
export function mayDeclareEmergency({ clock }: Pick<BreakGlassDeps, 'clock'>) {
  return (requester: Requester): 'no' | 'after-sign-in' | 'now' => {
    const act = { interaction: 'operation', operation: 'break-glass' } as const;
    if (refusalOf(requester, act) !== undefined) return 'no';
    return isFresh(requester.authTime, clock.now()) ? 'now' : 'after-sign-in';
  };
}

function isFresh(authTime: number | undefined, now: number): boolean {
  return authTime !== undefined && now / 1000 - authTime <= FRESH_SECONDS;
}

function requireFresh({ authTime }: PractitionerRequester, now: number): void {
  if (isFresh(authTime, now)) return;
  throw new Fault('login', 'Sign in again to declare an emergency', {
    protocolCode: 'insufficient_user_authentication',
  });
}

function checkEmergency({ reason, justification }: Emergency): void {
  if (!(EMERGENCY_REASONS as readonly string[]).includes(reason))
    throw new Fault('invalid', `The reason is one of ${EMERGENCY_REASONS.join(', ')}`, { expression: 'reason' });
  const { length } = justification.trim();
  const { least, most } = JUSTIFICATION_LENGTH;
  if (length < least || length > most) {
    throw new Fault('invalid', `The justification has ${least} to ${most} characters`, {
      expression: 'justification',
    });
  }
}

/** An identifier that two persons bear names nobody: the wrong record must not open. */
async function findPatient(
  deps: BreakGlassDeps,
  { identifier }: Emergency,
  now: number,
): Promise<KnownPatient | undefined> {
  const [first, ...others] = await identitiesNamed(deps, identifier, now);
  return first === undefined || others.some(({ person }) => person !== first.person)
    ? undefined
    : toKnownPatient(first);
}

type Opening = {
  readonly deps: BreakGlassDeps;
  readonly visit: Visit;
  readonly requester: PractitionerRequester;
  readonly emergency: Emergency;
  readonly taskId: string;
  readonly now: number;
};

function planOf(opening: Opening, known: KnownPatient | undefined): PlanParts[] {
  const { deps, visit, requester, taskId, now } = opening;
  const task = putOf(
    deps.indexer,
    reviewOf(opening, known),
    now,
    known === undefined ? {} : { person: known.person, subject: known.patient },
  );
  const consentId = newId();
  const about =
    known === undefined ? {} : { person: known.person, patient: known.patient, consent: `Consent/${consentId}` };
  const entities = [{ what: { reference: `Task/${taskId}` }, detail: { reason: opening.emergency.reason } }];
  const audit = [eventRecord(deps.clock, withPurpose(visit), 'break-glass', { ...about, entities })];
  return known === undefined
    ? [{ puts: [task], audit }]
    : [{ puts: [task], audit }, accessParts(opening, known, consentId, requester)];
}

function reviewOf(
  { requester: { practitioner }, emergency: { reason, justification }, taskId, now }: Opening,
  known: KnownPatient | undefined,
): Task {
  const patient = known === undefined ? {} : { patient: known.patient };
  return buildReviewTask({ id: taskId, ...patient, practitioner, reason, justification, now });
}

/** The event of an emergency bears its purpose, whatever the token said. */
function withPurpose(visit: Visit): Visit {
  return { ...visit, requester: { ...visit.requester, purpose: 'BTG' } };
}

/** The Consent that gives the record and that every later event cites, and the notice to the patient. */
function accessParts(
  { deps, now }: Opening,
  known: KnownPatient,
  consentId: string,
  requester: PractitionerRequester,
): PlanParts {
  const { person, patient } = known;
  const { practitioner } = requester;
  const consent = `Consent/${consentId}`;
  const to = now + deps.hours * HOUR_MS;
  const noticeId = newId();
  const facts = { person, subject: patient };
  return {
    puts: [
      putOf(deps.indexer, buildEmergencyConsent({ id: consentId, patient, practitioner, from: now, to }), now, facts),
      putOf(deps.indexer, buildEmergencyNotice({ id: noticeId, patient, consent, now }), now, facts),
    ],
  };
}
