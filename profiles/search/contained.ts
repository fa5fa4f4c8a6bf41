/**
 * Entries for contained resources: a chain reaches them although no row of their own exists. MHD asks for
 * `author.family` of authors that its Comprehensive profile wants contained.
 * @see https://hl7.org/fhir/R4/search.html#contained
 */
import type { TypedValue } from '@medplum/core';
import type { HumanName, Identifier, Reference, Resource } from '@medplum/fhirtypes';
import type { SearchParameterEntry } from './parameters.ts';
import { addString, addToken, partsOf } from './values.ts';
import type { Entries } from './values.ts';

type Named = { readonly identifier?: readonly Identifier[]; readonly name?: string | readonly HumanName[] };

/**
 * Adds `<code>:identifier`, `<code>.family`, `<code>.given` and `<code>.name` of the contained targets of references.
 */
export function indexContained(
  entries: Entries,
  { code }: SearchParameterEntry,
  resource: Resource,
  references: readonly TypedValue[],
): void {
  const contained = 'contained' in resource ? resource.contained : undefined;
  if (contained === undefined || contained.length === 0) return;
  for (const { value } of references) {
    const target = findContained(contained, value);
    if (target === undefined) continue;
    addPerson(entries, code, target);
    if (target.resourceType !== 'PractitionerRole') continue;
    const practitioner = findContained(contained, target.practitioner);
    if (practitioner !== undefined) addPerson(entries, code, practitioner);
  }
}

function findContained(contained: readonly Resource[], reference: Reference | undefined): Resource | undefined {
  const local = reference?.reference;
  return local?.startsWith('#') === true ? contained.find(({ id }) => id === local.slice(1)) : undefined;
}

function addPerson(entries: Entries, code: string, target: Resource): void {
  const { identifier, name } = target as Resource & Named;
  for (const { system, value } of identifier ?? []) addToken(entries, `${code}:identifier`, system, value);
  if (typeof name === 'string') return addString(entries, `${code}.name`, name);
  for (const part of name ?? []) {
    if (part.family !== undefined) addString(entries, `${code}.family`, part.family);
    for (const given of part.given ?? []) addString(entries, `${code}.given`, given);
    for (const text of partsOf(part)) if (text !== undefined) addString(entries, `${code}.name`, text);
  }
}
