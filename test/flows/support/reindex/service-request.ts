/** The ServiceRequests of these tests, by numbers. */
import type { ServiceRequest } from '@medplum/fhirtypes';

/** So many different codes of the performer there are. */
export const PERFORMER_TYPES = 5;

/** The code of the performer of a number. */
export function performerType(number: number): string {
  return `type-${number % PERFORMER_TYPES}`;
}

/** The order of a number: those of a higher number are of a later day, up to 25,000, and then once more. */
export function serviceRequest(patient: string, number: number): ServiceRequest {
  const day = new Date(Date.UTC(1950, 0, 1 + (number % 25_000)));
  return {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${patient}` },
    authoredOn: day.toISOString().slice(0, 10),
    code: { coding: [{ system: 'urn:example:orders', code: String(number) }] },
    performerType: { coding: [{ system: 'urn:example:performers', code: performerType(number) }] },
  };
}
