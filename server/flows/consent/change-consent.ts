/**
 * Withdrawal and its end: `Patient/$withdraw` hides the record from all professionals at once, `Patient/$reconsent`
 * gives it back. Each is one plan: the state, the Consent that tells of it, the event.
 */
import { randomUUID } from 'node:crypto';
import type { Consent } from '@medplum/fhirtypes';
import { buildConsentChange } from '../../../profiles/consent/privacy-consent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemGrant, type SystemGrant } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import type { EstablishmentRequester, PatientRequester } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import { commitFresh, joinParts, lastingRight, putOf } from '../write/plan-parts.ts';
import { readersOf } from '../write/plain-parts.ts';

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
        const known = await personAsked(deps, systemGrant('change-consent', now), requester, patient);
        const consent = buildConsentChange({
          id: randomUUID(),
          patient: known.patient,
          change,
          ...(requester.kind === 'establishment' ? { organization: requester.organization } : {}),
          now,
        });
        return { plan: planOf(deps, visit, known, consent, change, now), result: { id: consent.id } };
      });
      return result;
    });
}

function planOf(
  deps: ChangeConsentDeps,
  visit: Visit,
  known: KnownPatient,
  consent: Consent & { id: string },
  change: 'withdraw' | 'reconsent',
  now: number,
) {
  const { person, patient } = known;
  const item = `Consent/${consent.id}`;
  return joinParts({
    states: [{ person, change: { withdrawn: change === 'withdraw' } }],
    puts: [putOf(deps.indexer, consent, now, { person, subject: patient })],
    rights: readersOf(visit.requester, person).map((holder) => lastingRight(person, holder, 'named', { item })),
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

async function personAsked(
  deps: ChangeConsentDeps,
  grant: SystemGrant,
  requester: PatientRequester | EstablishmentRequester,
  patient: string | undefined,
): Promise<KnownPatient> {
  if (requester.kind === 'patient') return await own(deps, grant, requester.patient, patient);
  if (patient === undefined)
    throw new Fault('required', 'The parameter patient is missing', { expression: 'Parameters.parameter' });
  const known = await knownPatient(deps.records, grant, patient);
  const rights = known === undefined ? [] : await deps.records.rightsOf(grant, known.person);
  const holder = principal.establishment(requester.organization);
  const isItsPatient = rights.some(
    (right) => right.principal === holder && right.scope !== 'record' && right.scope.item === known?.patient,
  );
  if (known === undefined || !isItsPatient) throw notFound();
  return known;
}

async function own(
  deps: ChangeConsentDeps,
  grant: SystemGrant,
  self: string,
  asked: string | undefined,
): Promise<KnownPatient> {
  const known = await knownPatient(deps.records, grant, self);
  const other = asked === undefined || asked === self ? known : await knownPatient(deps.records, grant, asked);
  if (known === undefined || other?.person !== known.person) throw notFound();
  return known;
}

function notFound(): Fault {
  return new Fault('not-found', 'No such patient');
}
