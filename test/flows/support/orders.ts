/** Orders that tests send: a resource that is kept as it comes. */
import type { ServiceRequest } from '@medplum/fhirtypes';

/** A search that matches every order. */
export const ORDERS = 'ServiceRequest?intent=order';

/** An active order for the Patient of a reference. */
export function anOrder(subject: string, parts: Partial<ServiceRequest> = {}): ServiceRequest {
  return {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    code: { text: 'Scanner thoracique' },
    authoredOn: '2026-01-10T09:00:00+01:00',
    subject: { reference: subject },
    ...parts,
  };
}
