/**
 * A Patient who is another's at present: reads of her former id answer that it was replaced, to whoever sees the
 * Patient of that person. @see https://hl7.org/fhir/R4/patient-definitions.html#Patient.link
 */
import type { PassageKind } from '../../../profiles/audit/audit-event.ts';
import { replacedPatient } from '../../../profiles/identity/shown-patient.ts';
import { systemReading } from '../../access/grant.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { guarded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import { identityAt } from '../identity/identities.ts';

/** The one version at a Patient's former id; undefined when it is none, or the present Patient is hidden. */
export async function formerPatient(
  { records, clock, ...deps }: GuardDeps,
  visit: Visit,
  { id, kind }: { readonly id: string; readonly kind: PassageKind },
  accountOf: (row: VisibleRow | undefined) => Account,
): Promise<VisibleRow | undefined> {
  const identity = await identityAt(records, systemReading('resolve-identity', clock.now()), `Patient/${id}`);
  if (identity === undefined || identity.present === `Patient/${id}`) return undefined;
  const present = identity.present.slice('Patient/'.length);
  const question = { kind: 'resource', type: 'Patient', id: present } as const;
  const { answer } = await guarded({ ...deps, records, clock }, visit, kind, question, accountOf);
  if (answer === undefined) return undefined;
  const stub = replacedPatient(id, present);
  const lastUpdated = new Date(answer.updated).toISOString();
  const json = JSON.stringify({ ...stub, meta: { versionId: String(answer.version), lastUpdated } });
  return { ...answer, id, json };
}
