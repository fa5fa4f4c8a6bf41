/** What a JSON Schema cannot say of the region file: names are unique, references lead somewhere, keys are public. */
import { elementsAt } from '../../profiles/types/element.ts';
import { fhirType, VISIBILITY, isStoredType } from '../../profiles/types/visibility.ts';
import { PAGES_CLIENT_ID } from '../../profiles/codes.ts';
import { checkDomains } from './region-domain-rules.ts';
import type { Region, RegionClient, RegionKey } from './region-model.ts';

/** Key ids with this prefix belong to the published demonstration keys. */
export const DEMONSTRATION_KEY_PREFIX = 'demonstration-';

// Members that hold the secret part of an RSA, EC, OKP or symmetric key (RFC 7518 section 6, RFC 8037).
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** Lists every rule that a well-shaped region breaks, as `place reason`; empty when it keeps them all. */
export function checkRegion(region: Region): string[] {
  return [
    ...checkEntries(region),
    ...checkReferences(region),
    ...checkOrganizations(region),
    ...checkUnique(region),
    ...checkDomains(region),
    ...region.clients.flatMap((client, index) => checkClient(region, client, `/clients/${index}`)),
  ];
}

function entriesOf(region: Region): { url: string; key: string; type: string; resource: object }[] {
  return (region.bundle.entry ?? []).map((entry) => {
    const type = entry.resource?.resourceType ?? '';
    return {
      url: entry.request?.url ?? '',
      key: `${type}/${entry.resource?.id ?? ''}`,
      type,
      resource: entry.resource ?? {},
    };
  });
}

function checkEntries(region: Region): string[] {
  const errors: string[] = [];
  for (const [index, { url, key, type, resource }] of entriesOf(region).entries()) {
    if (!isStoredType(type) || VISIBILITY[type] !== 'directory') {
      errors.push(`/bundle/entry/${index} is no resource of the directory`);
    }
    const subject = isStoredType(type) ? fhirType(type).subject : undefined;
    if (subject !== undefined && elementsAt(resource, subject).length > 0) {
      errors.push(`/bundle/entry/${index}/resource/${subject} names a person, whom no entry of the directory may name`);
    }
    if (url !== key) errors.push(`/bundle/entry/${index}/request/url must be the type and id of the resource`);
  }
  return errors;
}

function checkReferences(region: Region): string[] {
  const entries = entriesOf(region);
  const known = new Set(entries.map(({ key }) => key));
  return entries.flatMap(({ resource }, index) =>
    referencesIn(resource)
      .filter((reference) => !known.has(reference))
      .map((reference) => `/bundle/entry/${index} refers to ${reference}, which the bundle does not hold`),
  );
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([member, child]) =>
    member === 'reference' && typeof child === 'string' ? [child] : referencesIn(child),
  );
}

function checkOrganizations(region: Region): string[] {
  const known = new Set(entriesOf(region).map(({ key }) => key));
  const named = [
    ...region.clients.map((client, index) => [`/clients/${index}/organization`, client.organization] as const),
    ...region.aeTitles.map((peer, index) => [`/aeTitles/${index}/organization`, peer.organization] as const),
    ...region.identifierDomains.map(
      (one, index) => [`/identifierDomains/${index}/organization`, one.organization] as const,
    ),
    ...region.imagingServices.flatMap(
      (service, index) =>
        [
          [`/imagingServices/${index}/organization`, service.organization],
          [`/imagingServices/${index}/establishment`, service.establishment],
        ] as const,
    ),
  ];
  return named
    .filter(([, organization]) => organization !== undefined && !known.has(organization))
    .map(([place]) => `${place} is not in the bundle`);
}

function checkUnique(region: Region): string[] {
  return [
    ...repeated(
      '/bundle/entry',
      'resource',
      entriesOf(region).map(({ key }) => key),
    ),
    ...repeated(
      '/clients',
      'client_id',
      region.clients.map((client) => client.client_id),
    ),
    ...repeated(
      '/aeTitles',
      'aeTitle',
      region.aeTitles.map((peer) => peer.aeTitle),
    ),
    ...repeated(
      '/identifierDomains',
      'organization',
      region.identifierDomains.map((domain) => domain.organization),
    ),
    ...repeated(
      '/identifierDomains',
      'accessionSystem',
      region.identifierDomains.map((domain) => domain.accessionSystem),
    ),
    ...repeated(
      '/imagingServices',
      'organization',
      region.imagingServices.map((service) => service.organization),
    ),
    ...repeated(
      '/persons',
      'login',
      region.persons.map((person) => person.login),
    ),
  ];
}

function repeated(place: string, member: string, names: readonly string[]): string[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [`${place}/${index} repeats the ${member} of another`] : [],
  );
}

function checkClient(region: Region, client: RegionClient, place: string): string[] {
  const errors: string[] = [];
  const isConfidential = client.token_endpoint_auth_method === 'private_key_jwt';
  const actsAlone = client.grant_types.includes('client_credentials');
  if (isConfidential && client.jwks === undefined)
    errors.push(`${place} authenticates by private_key_jwt and needs jwks`);
  if (actsAlone && !isConfidential)
    errors.push(`${place} uses client_credentials and must authenticate by private_key_jwt`);
  if (actsAlone && client.organization === undefined)
    errors.push(`${place} uses client_credentials and needs an organization`);
  if (client.grant_types.includes('authorization_code') && (client.redirect_uris ?? []).length === 0) {
    errors.push(`${place} uses authorization_code and needs redirect_uris`);
  }
  if (client.client_id === PAGES_CLIENT_ID) errors.push(`${place}/client_id is how the server's own pages are called`);
  const keys = client.jwks?.keys ?? [];
  return [...errors, ...keys.flatMap((key, index) => checkKey(region, key, `${place}/jwks/keys/${index}`))];
}

function checkKey(region: Region, key: RegionKey, place: string): string[] {
  const errors: string[] = [];
  if (PRIVATE_MEMBERS.some((member) => member in key)) errors.push(`${place} holds a private key`);
  if (typeof key.kid === 'string' && key.kid.startsWith(DEMONSTRATION_KEY_PREFIX) && !region.demonstration) {
    errors.push(`${place} is a demonstration key, which is public`);
  }
  return errors;
}
