/** The moment by which lists are sorted, latest first: what a reader means by "newest" for each type. */
import type { Resource } from '@medplum/fhirtypes';
import { elementsAt } from '../types/element.ts';
import { fhirType, isStoredType } from '../types/visibility.ts';
import { parseDateRange } from './date-range.ts';

/**
 * The sort key of a resource in epoch milliseconds: the begin of the first element of its type's `sort` that is there.
 * Types without a date of their own take the given one.
 */
export function sortKeyOf(resource: Resource, otherwise: number): number {
  const { resourceType } = resource;
  const elements = isStoredType(resourceType) ? fhirType(resourceType).sort.elements : [];
  const [text] = elements.flatMap((path) => elementsAt(resource, path));
  return (typeof text === 'string' ? parseDateRange(text)?.lo : undefined) ?? otherwise;
}
