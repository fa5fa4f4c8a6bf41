/** Building of FHIR JSON, which has neither undefined nor empty elements. */

/** The parts of a T: an optional one may be undefined. */
type Parts<T extends object> = { readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };

/**
 * Returns the parts as an element or resource, in the order given, without those that are undefined or an empty
 * array. @see FHIR R4 ele-1
 */
export function toElements<T extends object>(parts: Parts<T>): T {
  const present = Object.entries(parts).filter(
    ([, part]) => part !== undefined && !(Array.isArray(part) && part.length === 0),
  );
  // Only optional parts can be missing now.
  return Object.fromEntries(present) as T;
}
