/**
 * A Patient is kept with what every source says of her, and shown as far as its reader may know it: both stores look up
 * which of her identities the reader sees an item of, or is a source of; what that means is said here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { sayerOf } from '../../profiles/identity/said-by.ts';
import { asSeenBy } from '../../profiles/identity/shown-patient.ts';
import type { TokenCriterion, TokenValue } from '../../profiles/search/criterion.ts';
import { STORED_TYPES, VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import type { VisibleRow } from '../ports/record-store.ts';

/** Ids of the identities of a person: those of which the reader sees an item, and those that it is a source of. */
export type SeenIdentities = { readonly sees: ReadonlySet<string>; readonly isSourceOf: ReadonlySet<string> };

/** The types of which one row that is seen tells of the identity that it is filed under. */
export const ITEM_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => VISIBILITY[type] === 'item');

/** Whether a row is a Patient that a requester is shown. */
export function isShownPatient(grant: AnyGrant, { type, json }: Pick<VisibleRow, 'type' | 'json'>): boolean {
  return type === 'Patient' && !grant.system && json !== '';
}

/** The identities that have to be looked up for a Patient: none when she says nothing that not everybody may know. */
export function identitiesToLookUp({ json, shownBy }: Pick<VisibleRow, 'json' | 'shownBy'>): readonly string[] {
  if (shownBy?.relation === 'self') return [];
  const patient = JSON.parse(json) as Patient;
  const sayers = [patient, ...(patient.identifier ?? [])].map(sayerOf);
  return [...new Set(sayers.flatMap((sayer) => sayer?.identity ?? []))];
}

/** A Patient as its reader sees it. */
export function patientAsSeen<Row extends Pick<VisibleRow, 'json' | 'shownBy'>>(row: Row, seen: SeenIdentities): Row {
  const { sees, isSourceOf } = seen;
  const patient = asSeenBy(JSON.parse(row.json) as Patient, {
    sees: (id) => sees.has(id),
    isSourceOf: (id) => isSourceOf.has(id),
    isSelf: row.shownBy?.relation === 'self',
  });
  return { ...row, json: JSON.stringify(patient) };
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
