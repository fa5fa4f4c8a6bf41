/**
 * Withdrawal and its end: `Patient/$withdraw` hides the record from all professionals at once, `Patient/$reconsent`
 * gives it back. Each is one plan: the state, the Consent that tells of it, the event.
 */
import type { Consent } from '@medplum/fhirtypes';
import { buildConsentChange } from '../../../profiles/consent/privacy-consent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { EstablishmentRequester, PatientRequester } from '../../access/requester.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { filingPatient, knownPatient, subjectFacts } from '../identity/persons.ts';
import { commitFresh, filedBy, joinParts, putOf } from '../write/plan-parts.ts';
import { newId } from '../new-id.ts';

/** What the flow needs. */
export type ChangeConsentDeps = GuardDeps & { readonly indexer: Indexer };

/**
 * Withdraws or gives back. The patient speaks for herself; an establishment records what its patient told it
 * (`patient` then names the Patient). Resolves with the id of the Consent that tells of it.
 * @throws {Fault} forbidden - a professional asks
 * @throws {Fault} not-found - no such patient, or none of this establishment
 */
export function changeConsent(deps: ChangeConsentDeps) {
  return async (visit: Visit, change: 'withdraw' | 'reconsent', patient: string | undefined): Promise<{ id: string }> =>
    await refusalsRecorded(deps, visit, 'withdraw', async () => {
      const requester = requireConsentChanger(visit.requester);
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const subject = await patientAsked(deps, systemReading('change-consent', now), requester, patient, now);
        const warrant = mayWrite(requester, { interaction: 'operation', operation: change }, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const consent = buildConsentChange({
          id: newId(),
          patient: subject.patient,
          change,
          ...(requester.kind === 'establishment' ? { organization: requester.organization } : {}),
          now,
        });
        return { warrant, plan: planOf(deps, visit, subject, consent, change, now), result: { id: consent.id } };
      });
      return result;
    });
}

function planOf(
  deps: ChangeConsentDeps,
  visit: Visit,
  { person, patient }: SubjectFacts,
  consent: Consent & { id: string },
  change: 'withdraw' | 'reconsent',
  now: number,
) {
  const item = `Consent/${consent.id}`;
  return joinParts({
    states: [{ person, change: { withdrawn: change === 'withdraw' } }],
    puts: [
      putOf(deps.indexer, consent, now, { person, subject: patient, origin: filedBy(referenceOf(visit.requester)) }),
    ],
    audit: [
      eventRecord(deps.clock, visit, 'withdraw', {
        person,
        patient,
        consent: item,
        entities: [{ detail: { change } }],
      }),
    ],
  });
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
