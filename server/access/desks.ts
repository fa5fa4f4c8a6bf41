/** The offices that clear things up: the desk of the region, and that of an establishment for what is its own. */
import type { Requester } from './requester.ts';

/** Whether who asks holds the office of the region's desk. */
export function isRegionDesk(requester: Requester): boolean {
  return requester.kind === 'practitioner' && requester.roles.some(({ offices }) => offices.includes('region-desk'));
}

/** Whether who asks holds the office of an establishment's desk (`Organization/id`). */
export function isDeskOf(requester: Requester, organization: string): boolean {
  return (
    requester.kind === 'practitioner' &&
    requester.roles.some((role) => role.organization === organization && role.offices.includes('establishment-desk'))
  );
}
