/**
 * A Patient is kept with what every source says of her, and shown as far as its reader may know it: both stores look up
 * which of her identities the reader sees an item of, or is a source of; what that means is said here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { sayerOf } from '../../profiles/identity/said-by.ts';
import { asSeenBy } from '../../profiles/identity/shown-patient.ts';
import { STORED_TYPES, VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import type { VisibleRow } from '../ports/record-store.ts';

/** An identity of a person, by its id. */
export type IdentityOf = { readonly person: string; readonly id: string };

/** By {@link identityKey}: the identities of which the reader sees an item, and those that it is a source of. */
export type SeenIdentities = { readonly sees: ReadonlySet<string>; readonly isSourceOf: ReadonlySet<string> };

const SEES_NOTHING: SeenIdentities = { sees: new Set(), isSourceOf: new Set() };

/** The types of which one row that is seen tells of the identity that it is filed under. */
export const ITEM_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => VISIBILITY[type] === 'item');

/** Names an identity of a person: one that has left her is another's. */
export function identityKey({ person, id }: IdentityOf): string {
  return `${person}/${id}`;
}

type Shown = Pick<VisibleRow, 'type' | 'json' | 'person' | 'shownBy'>;

/** The identities that have to be looked up for the Patients of an answer, each once. */
export function identitiesIn(grant: AnyGrant, rows: readonly Shown[]): readonly IdentityOf[] {
  const identities = rows.filter((row) => isShownPatient(grant, row) && !isSelf(row)).flatMap(identitiesOf);
  return [...new Map(identities.map((identity) => [identityKey(identity), identity])).values()];
}

/** Rows of an answer, each Patient among them as its reader sees it. */
export function asSeen<Row extends Shown>(
  grant: AnyGrant,
  rows: readonly Row[],
  seen: SeenIdentities = SEES_NOTHING,
): readonly Row[] {
  return rows.map((row) => (isShownPatient(grant, row) ? patientAsSeen(row, seen) : row));
}

function isShownPatient(grant: AnyGrant, { type, json }: Shown): boolean {
  return type === 'Patient' && !grant.system && json !== '';
}

function isSelf({ shownBy }: Shown): boolean {
  return shownBy?.relation === 'self';
}

/** None when she says nothing that not everybody may know. */
function identitiesOf({ json, person }: Shown): readonly IdentityOf[] {
  const patient = JSON.parse(json) as Patient;
  const sayers = [patient, ...(patient.identifier ?? [])].map(sayerOf);
  return sayers.flatMap((sayer) => (sayer === undefined ? [] : [{ person: person ?? '', id: sayer.identity }]));
}

function patientAsSeen<Row extends Shown>(row: Row, { sees, isSourceOf }: SeenIdentities): Row {
  const key = (id: string): string => identityKey({ person: row.person ?? '', id });
  const patient = asSeenBy(JSON.parse(row.json) as Patient, {
    sees: (id) => sees.has(key(id)),
    isSourceOf: (id) => isSourceOf.has(key(id)),
    isSelf: isSelf(row),
  });
  return { ...row, json: JSON.stringify(patient) };
}
