/**
 * A Patient is kept with what every source says of her, and shown as far as its reader may know it, versions included:
 * both stores look up which of her identities the reader sees an item of, or is a source of; what that means is said
 * here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { sayersIn, stampAsSeen } from '../../profiles/identity/seen-changes.ts';
import { asSeenBy } from '../../profiles/identity/shown-patient.ts';
import { STORED_TYPES, VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import type { VisibleRow } from '../ports/record-store.ts';

/** Ids of identities: those of which the reader sees an item, and those that it is a source of. */
export type SeenIdentities = { readonly sees: ReadonlySet<string>; readonly isSourceOf: ReadonlySet<string> };

/** Of who sees no item of any identity, and is no source. */
export const SEES_NOTHING: SeenIdentities = { sees: new Set(), isSourceOf: new Set() };

/** The types of which one row that is seen tells of the identity that it is filed under. */
export const ITEM_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => VISIBILITY[type] === 'item');

/** What of a row says what its reader is shown of it. */
type Shown = Pick<VisibleRow, 'type' | 'json' | 'version' | 'updated' | 'shownBy'>;

/** The identities (ids) that have to be looked up for the Patients of an answer, those included that left. */
export function identitiesIn(grant: AnyGrant, rows: readonly Shown[]): readonly string[] {
  const others = rows.filter((row) => isShownPatient(grant, row) && !isSelf(row));
  return [...new Set(others.flatMap(({ json }) => sayersIn(JSON.parse(json) as Patient)))];
}

/** Rows of an answer, each Patient among them as its reader sees it. */
export function asSeen<Row extends Shown>(
  grant: AnyGrant,
  rows: readonly Row[],
  seen: SeenIdentities = SEES_NOTHING,
): readonly Row[] {
  return rows.map((row) =>
    isShownPatient(grant, row) ? patientAsSeen(row, JSON.parse(row.json) as Patient, seen) : row,
  );
}

function isShownPatient(grant: AnyGrant, { type, json }: Shown): boolean {
  return type === 'Patient' && !grant.system && json !== '';
}

function isSelf({ shownBy }: Shown): boolean {
  return shownBy?.relation === 'self';
}

/** A Patient as its reader sees it. */
export function patientAsSeen<Row extends Shown>(row: Row, patient: Patient, seen: SeenIdentities): Row {
  const reader = {
    sees: (id: string) => seen.sees.has(id),
    isSourceOf: (id: string) => seen.isSourceOf.has(id),
    isSelf: isSelf(row),
  };
  const { version, updated } = stampAsSeen(patient, row, reader);
  const stamp = { versionId: String(version), lastUpdated: new Date(updated).toISOString() };
  const shown = asSeenBy({ ...patient, meta: { ...patient.meta, ...stamp } }, reader);
  return { ...row, version, updated, json: JSON.stringify(shown) };
}
