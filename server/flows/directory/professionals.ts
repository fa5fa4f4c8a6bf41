/** Who may act in a region, told from the resources of its directory. Pure. */
import type { Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import type { Role } from '../../access/requester.ts';
import { directoryOf, heldRoles, mayAct } from '../identity/held-roles.ts';
import { displayNameOf, referenceOf } from './directory-changes.ts';

/** A professional and the roles that are held. */
export type Professional = {
  /** `Practitioner/id`. */
  readonly reference: string;
  readonly name: string | undefined;
  readonly roles: readonly Role[];
};

/** Those who may act at a time (epoch milliseconds), by `Practitioner/id`. */
export function professionalsOf(resources: readonly Resource[], now: number): ReadonlyMap<string, Professional> {
  const roles = Map.groupBy(
    resources.filter((resource): resource is PractitionerRole => resource.resourceType === 'PractitionerRole'),
    ({ practitioner }) => practitioner?.reference,
  );
  const acting = resources.filter(
    (resource): resource is Practitioner =>
      resource.resourceType === 'Practitioner' && mayAct(resource, roles.get(referenceOf(resource)) ?? [], now),
  );
  const directory = directoryOf(resources);
  return new Map(
    acting.map((resource) => {
      const reference = referenceOf(resource);
      const held = heldRoles(roles.get(reference) ?? [], now, directory);
      return [reference, { reference, name: displayNameOf(resource), roles: held }];
    }),
  );
}
