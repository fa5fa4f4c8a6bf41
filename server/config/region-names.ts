/** Finds an establishment by what people call it. */
import type { Organization } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';
import type { IdentifierDomain, Region } from './region-model.ts';

const MAX_NAMED = 30;

/**
 * The identifier domain of the establishment with this id (`Organization/id` or the id alone), AE title or name.
 * @throws {Fault} not-found - no establishment of the region is called so; the message names those that are there
 * @throws {Fault} conflict - several have this name
 */
export function establishmentNamed(region: Region, called: string): IdentifierDomain {
  const found = region.identifierDomains.filter(({ organization }) => isCalled(region, organization, called.trim()));
  const [domain, ...others] = found;
  if (others.length > 0) throw new Fault('conflict', `Several establishments are called ${called}: give the id of one`);
  if (domain !== undefined) return domain;
  const known = region.identifierDomains
    .slice(0, MAX_NAMED)
    .map(({ organization }) => `\n  ${idOf(organization)}  ${nameOf(region, organization) ?? ''}`);
  throw new Fault('not-found', `No establishment of the region is called ${called}. There are:${known.join('')}`);
}

function isCalled(region: Region, organization: string, called: string): boolean {
  const aeTitles = region.aeTitles.filter((entry) => entry.organization === organization).map(({ aeTitle }) => aeTitle);
  return (
    [organization, idOf(organization), ...aeTitles].includes(called) ||
    nameOf(region, organization)?.toLowerCase() === called.toLowerCase()
  );
}

function idOf(organization: string): string {
  return organization.replace(/^Organization\//, '');
}

function nameOf({ bundle }: Region, organization: string): string | undefined {
  const entry = bundle.entry?.find(
    ({ resource }) => resource?.resourceType === 'Organization' && `Organization/${resource.id}` === organization,
  );
  return (entry?.resource as Organization | undefined)?.name;
}
