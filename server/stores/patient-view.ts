/**
 * A Patient is kept with what every source says of her, and shown as far as its reader may know it, versions included:
 * both stores look up which of her identities the reader sees an item of, or is a source of; what that means is said
 * here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { sayersIn, stampAsSeen } from '../../profiles/identity/seen-changes.ts';
import { asSeenBy } from '../../profiles/identity/shown-patient.ts';
import type { TokenCriterion, TokenValue } from '../../profiles/search/criterion.ts';
import { STORED_TYPES, VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import type { VisibleRow } from '../ports/record-store.ts';

/** Ids of the identities of a person: those of which the reader sees an item, and those that it is a source of. */
export type SeenIdentities = { readonly sees: ReadonlySet<string>; readonly isSourceOf: ReadonlySet<string> };

/** The types of which one row that is seen tells of the identity that it is filed under. */
export const ITEM_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => VISIBILITY[type] === 'item');

/** What of a row says what its reader is shown of it. */
export type ShownRow = Pick<VisibleRow, 'type' | 'json' | 'version' | 'updated' | 'shownBy' | 'person'>;

/** Patients of an answer, opened, by their rows. */
export type OpenedPatients<Row> = ReadonlyMap<Row, Patient>;

/** Opens the rows that are Patients which a requester is shown. */
export function openedPatients<Row extends ShownRow>(grant: AnyGrant, rows: readonly Row[]): OpenedPatients<Row> {
  const shown = rows.filter(({ type, json }) => type === 'Patient' && !grant.system && json !== '');
  return new Map(shown.map((row) => [row, JSON.parse(row.json) as Patient]));
}

/** The identities that have to be looked up: none of Patients who say nothing that not everybody may know. */
export function identitiesToLookUp(patients: OpenedPatients<ShownRow>): readonly string[] {
  const others = [...patients].filter(([{ shownBy }]) => shownBy?.relation !== 'self');
  return [...new Set(others.flatMap(([, patient]) => sayersIn(patient)))];
}

/** A Patient as its reader sees it. */
export function patientAsSeen<Row extends ShownRow>(row: Row, patient: Patient, seen: SeenIdentities): Row {
  const reader = {
    sees: (id: string) => seen.sees.has(id),
    isSourceOf: (id: string) => seen.isSourceOf.has(id),
    isSelf: row.shownBy?.relation === 'self',
  };
  const { version, updated } = stampAsSeen(patient, row, reader);
  const stamp = { versionId: String(version), lastUpdated: new Date(updated).toISOString() };
  const shown = asSeenBy({ ...patient, meta: { ...patient.meta, ...stamp } }, reader);
  return { ...row, version, updated, json: JSON.stringify(shown) };
}

/** Rows of an answer, each Patient among them as its reader sees it. */
export function rowsWith<Row extends ShownRow>(
  rows: readonly Row[],
  patients: OpenedPatients<Row>,
  seen: SeenIdentities,
): readonly Row[] {
  return rows.map((row) => {
    const patient = patients.get(row);
    return patient === undefined ? row : patientAsSeen(row, patient, seen);
  });
}

/** What of a criterion may match an identifier that not everybody may know; undefined when it is another criterion. */
export function identifierAsked(type: StoredType, criterion: { readonly kind: string }): TokenCriterion | undefined {
  const { param, negated } = criterion as TokenCriterion;
  const isIt = type === 'Patient' && criterion.kind === 'token' && param === 'identifier' && negated !== true;
  return isIt ? (criterion as TokenCriterion) : undefined;
}

/** The whole identifiers that a criterion asks for. */
export function wholeValues({ values }: TokenCriterion): readonly (TokenValue & { readonly code: string })[] {
  return values.flatMap(({ code, ...value }) => (code === undefined ? [] : [{ ...value, code }]));
}

/** Whether a Patient, as its reader sees it, bears one of some identifiers. */
export function bears(json: string, values: readonly TokenValue[]): boolean {
  const { identifier = [] } = JSON.parse(json) as Patient;
  return values.some(({ system, code }) =>
    identifier.some((one) => one.value === code && (system === undefined || (one.system ?? '') === system)),
  );
}
