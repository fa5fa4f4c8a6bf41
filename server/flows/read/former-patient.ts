/**
 * A Patient who is another's at present: reads of her former id answer that it was replaced, to whoever sees the
 * Patient of that person. @see https://hl7.org/fhir/R4/patient-definitions.html#Patient.link
 */
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import { replacedPatient } from '../../../profiles/identity/shown-patient.ts';
import { systemReading } from '../../access/grant.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { guarded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import { identityAt } from '../identity/identities.ts';

/** The one version at a former id, numbered by when it was so; undefined when it is none, or the Patient is hidden. */
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
  const since = await replacedAt(records, clock.now(), id);
  const tell = (row: VisibleRow | undefined): Account => accountOf(row && versionOf(row, since));
  const { answer } = await guarded({ ...deps, records, clock }, visit, kind, question, tell);
  if (answer === undefined) return undefined;
  const row = versionOf(answer, since);
  const meta = { versionId: String(row.version), lastUpdated: new Date(row.updated).toISOString() };
  return { ...row, id, json: JSON.stringify({ ...replacedPatient(id, present), meta }) };
}

/** None of the versions that the Patient had by itself: who knows one of those learns that it was replaced. */
function versionOf(present: VisibleRow, since: number): VisibleRow {
  const updated = Math.max(present.updated, since);
  return { ...present, version: updated, updated };
}

/** When a Patient was deleted, for it was replaced (epoch milliseconds); of one that never stood by itself the past. */
async function replacedAt(records: GuardDeps['records'], now: number, id: string): Promise<number> {
  const grant = systemReading('resolve-identity', now)({ item: `Patient/${id}` });
  const deletion = await records.peek(grant, { kind: 'resource', type: 'Patient', id, orDeleted: true });
  return deletion?.updated ?? -Infinity;
}
