/** What a JSON Schema cannot say of the region file: names are unique, references lead somewhere, keys are public. */
import { createPublicKey } from 'node:crypto';
import { elementsAt } from '../../profiles/types/element.ts';
import { fhirType, VISIBILITY, isStoredType } from '../../profiles/types/visibility.ts';
import type { Validate } from '../../profiles/validation/validate.ts';
import { isAddressRange } from './address-range.ts';
import { checkClient } from './region-client-rules.ts';
import { checkDirectory } from './region-directory-rules.ts';
import { checkDomains } from './region-domain-rules.ts';
import type { Region } from './region-model.ts';

/** Lists every rule that a well-shaped region breaks, as `place reason`; `validate` is that of R4. */
export function checkRegion(region: Region, validate: Validate | undefined): string[] {
  return [
    ...checkEntries(region),
    ...checkReferences(region),
    ...checkOrganizations(region),
    ...checkUnique(region),
    ...checkDomains(region),
    ...checkDirectory(region, validate),
    ...checkCallers(region),
    ...checkIssuers(region),
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

function checkCallers({ aeTitles }: Region): string[] {
  return aeTitles.flatMap(({ addresses }, index) =>
    addresses.flatMap((address, at) =>
      isAddressRange(address)
        ? []
        : [`/aeTitles/${index}/addresses/${at} is no address or range, as 192.0.2.7 or 192.0.2.0/24`],
    ),
  );
}

/** An assertion is believed by the key of its issuer alone. */
function checkIssuers({ assertionIssuers }: Region): string[] {
  return assertionIssuers.flatMap(({ certificate }, index) =>
    isCertificate(certificate) ? [] : [`/assertionIssuers/${index}/certificate is no certificate or public key (PEM)`],
  );
}

function isCertificate(pem: unknown): boolean {
  try {
    return typeof pem === 'string' && createPublicKey(pem).type === 'public';
  } catch {
    return false;
  }
}
