/** A patient who is named by an identifier alone: a logical reference. @see FHIR R4 references.html#logical */
import type { Identifier, Reference, Resource } from '@medplum/fhirtypes';
import { fhirType, type StoredType } from './visibility.ts';

type Json = { readonly [member: string]: unknown };

/**
 * The resource with a search in place of each such name of its patient: `Patient?identifier=…`, as a conditional
 * reference has it. Where the element may name others, too, the reference must say that it is a Patient's.
 */
export function withSearchedSubject<R extends Resource>(type: StoredType, resource: R): R {
  const { subject } = fhirType(type);
  if (subject === undefined) return resource;
  const path = subject.split('.');
  // The element stays what it is but for the text of its reference.
  return replaced(resource as unknown as Json, path, path.length > 1) as unknown as R;
}

function replaced(element: Json, [name = '', ...rest]: readonly string[], needsType: boolean): Json {
  const value = element[name];
  if (typeof value !== 'object' || value === null) return element;
  const one = (part: unknown): unknown =>
    rest.length === 0 ? searched(part as Reference, needsType) : replaced(part as Json, rest, needsType);
  return { ...element, [name]: Array.isArray(value) ? value.map(one) : one(value) };
}

function searched(reference: Reference, needsType: boolean): Reference {
  const { reference: literal, identifier, type } = reference;
  const isPatient = type === 'Patient' || (type === undefined && !needsType);
  const text = literal === undefined && isPatient ? searchOf(identifier) : undefined;
  return text === undefined ? reference : { ...reference, reference: text };
}

/** A number that has signs of a search in it names nobody here. */
function searchOf({ system = '', value = '' }: Identifier = {}): string | undefined {
  if (system === '' || value === '' || /[\\,|$]/.test(system + value)) return undefined;
  return `Patient?${new URLSearchParams({ identifier: `${system}|${value}` }).toString()}`;
}
