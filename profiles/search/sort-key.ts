/** The moment by which lists are sorted, latest first: what a reader means by "newest" for each type. */
import type { DiagnosticReport, DocumentReference, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { parseDateRange } from './date-range.ts';

/** The sort key of a resource in epoch milliseconds; types without a date of their own take the given one. */
export function sortKeyOf(resource: Resource, otherwise: number): number {
  const text = dateOf(resource);
  return (text === undefined ? undefined : parseDateRange(text)?.lo) ?? otherwise;
}

function dateOf(resource: Resource): string | undefined {
  switch (resource.resourceType) {
    case 'ImagingStudy':
      return (resource satisfies ImagingStudy).started;
    case 'DiagnosticReport':
      return (resource satisfies DiagnosticReport).issued ?? resource.effectiveDateTime;
    case 'DocumentReference':
      return (resource satisfies DocumentReference).date;
    default:
      return undefined;
  }
}
