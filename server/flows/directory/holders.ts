/** Who holds the rights of a principal, told from the resources of a region's directory. Pure. */
import type { Organization, Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { madeOf, type CurrentRegion } from '../../config/current-region.ts';
import { principalsOfProfessional } from '../../access/grant.ts';
import type { Principal } from '../../access/right.ts';
import { directoryOf, heldRoles, isHeld, isOutsideCare, mayAct, roleOf } from '../identity/held-roles.ts';
import type { DirectorySettings } from '../identity/held-roles.ts';
import { referenceOf, resourcesOf } from './directory-changes.ts';

/** A professional who holds a principal, by roles: by which of hers, or by all that she holds. */
export type Holder = { readonly practitioner: Practitioner; readonly roles: readonly PractitionerRole[] };

/** The directory by principals, made once for a region. */
export type Holders = {
  /** Those who hold a principal at a time (epoch milliseconds), each once. */
  readonly of: (principal: Principal, now: number) => readonly Holder[];
  /** Those who hold an office at a time, by the roles that give it. */
  readonly inOffice: (now: number) => readonly Holder[];
  /** Whether a professional (`Practitioner/id`) is barred at a time: by these principals, or from all records. */
  readonly isBarred: (practitioner: string, bars: ReadonlySet<Principal>, now: number) => boolean;
  /** `Organization/id`, `Practitioner/id`. */
  readonly organization: (reference: string) => Organization | undefined;
  readonly practitioner: (reference: string) => Practitioner | undefined;
};

/** One role, or none, that gives a principal. */
type Giving = { readonly practitioner: Practitioner; readonly role: PractitionerRole | undefined };

/** Indexes a directory. What holds at a time is found out when it is asked: roles begin and end. */
export function indexHolders(resources: readonly Resource[], settings: DirectorySettings = {}): Holders {
  const ofType = <T extends Resource>(type: T['resourceType']): readonly T[] =>
    resources.filter((one): one is T => one.resourceType === type);
  const directory = directoryOf(resources, settings);
  const roles = Map.groupBy(
    ofType<PractitionerRole>('PractitionerRole'),
    ({ practitioner }) => practitioner?.reference,
  );
  const organizations = new Map(ofType<Organization>('Organization').map((one) => [referenceOf(one), one]));
  const practitioners = new Map(ofType<Practitioner>('Practitioner').map((one) => [referenceOf(one), one]));
  const givings = [...practitioners].flatMap(([reference, practitioner]) =>
    [undefined, ...(roles.get(reference) ?? [])].flatMap((role) => {
      const known = role === undefined ? [] : roleOf(role, directory);
      const principals = principalsOfProfessional(reference, known, directory.breakGlass);
      return principals.map((principal) => ({ principal, practitioner, role }));
    }),
  );
  const byPrincipal = Map.groupBy(givings, ({ principal }) => principal);
  const offices = givings.filter(({ principal }) => principal.startsWith('of:'));
  const acting = (all: readonly Giving[], now: number): readonly Holder[] => {
    const held = all.filter(({ role }) => role === undefined || isHeld(role, now));
    const byHolder = Map.groupBy(held, ({ practitioner }) => practitioner);
    return [...byHolder].flatMap(([practitioner, some]) => {
      if (!mayAct(practitioner, roles.get(referenceOf(practitioner)) ?? [], now)) return [];
      return [{ practitioner, roles: [...new Set(some.flatMap(({ role }) => role ?? []))] }];
    });
  };
  return {
    of: (principal, now) => acting(byPrincipal.get(principal) ?? [], now),
    inOffice: (now) => acting(offices, now),
    isBarred: (practitioner, bars, now) => {
      const all = roles.get(practitioner) ?? [];
      const held = heldRoles(all, now, directory);
      return (
        isOutsideCare(all, now, directory) ||
        principalsOfProfessional(practitioner, held).some((name) => bars.has(name))
      );
    },
    organization: (reference) => organizations.get(reference),
    practitioner: (reference) => practitioners.get(reference),
  };
}

/** The holders of the region of this process: each question is asked of what is loaded then. */
export function followedHolders(current: CurrentRegion): () => Holders {
  return madeOf(current, (region) => indexHolders(resourcesOf(region), region));
}
