/** Who refers to whom: what `_has` searches through and `_revinclude` brings, read off the files of the types. */
import { fhirType, STORED_TYPES, type StoredType } from '../types/visibility.ts';
import { findSearchParameter, searchParametersOf } from './parameters.ts';

/** A reference parameter of a type. */
export type Referrer = { readonly source: StoredType; readonly param: string };

/** The reference parameters of searched types that may lead to a type; none to what is joined to no other row. */
export function referrersOf(type: StoredType): readonly Referrer[] {
  if (fhirType(type).standsApart === true) return [];
  return STORED_TYPES.filter(isJoined).flatMap((source) =>
    searchParametersOf(source)
      .filter(({ type: kind, targets }) => kind === 'reference' && targets?.includes(type) === true)
      .map(({ code }) => ({ source, param: code })),
  );
}

/** The referrer that a source and the code of its parameter name; undefined when it does not lead to the type. */
export function findReferrer(type: StoredType, source: string, code: string): Referrer | undefined {
  const named = referrersOf(type).filter((referrer) => referrer.source === source);
  return named.find(({ source: from, param }) => param === findSearchParameter(from, code)?.code);
}

function isJoined(type: StoredType): boolean {
  const { interactions, standsApart } = fhirType(type);
  return standsApart !== true && interactions.includes('search-type');
}
