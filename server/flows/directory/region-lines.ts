/** What operators read of a region file: what is loaded, and what another one changes. Lines of plain text. */
import type { Region } from '../../config/region-model.ts';
import { displayNameOf, referenceOf, resourcesOf, type DirectoryChange } from './directory-changes.ts';
import type { GroundWeight } from '../ground/weigh-grounds.ts';
import type { RegionMark } from './region-mark.ts';
import type { Weight } from './weigh-region.ts';

/** What a reload changed; `endedTokens` are those of whom the region knows no more. */
export type ReloadFacts = {
  readonly former: Region;
  readonly region: Region;
  readonly changes: readonly DirectoryChange[];
  readonly endedTokens: number;
};

/** What would change. */
export type ForecastFacts = {
  /** The mark of the store. */
  readonly standing: RegionMark | undefined;
  /** The file that runs; undefined when no server does. */
  readonly former: Region | undefined;
  readonly region: Region;
  readonly changes: readonly DirectoryChange[];
  readonly reasons: readonly string[];
  readonly weights: readonly Weight[];
  readonly grounds: readonly GroundWeight[];
};

/** What is loaded: serial, counts, establishments with their domains. */
export function regionLines(region: Region): readonly string[] {
  const { serial, clients, aeTitles, identityProviders, assertionIssuers, identifierDomains, contacts, language } =
    region;
  const resources = resourcesOf(region);
  const counts = [...Map.groupBy(resources, ({ resourceType }) => resourceType)].map(
    ([type, group]) => `${type}: ${group.length}`,
  );
  const names = new Map(resources.map((resource) => [referenceOf(resource), displayNameOf(resource)]));
  return [
    `serial ${serial}`,
    ...counts,
    `clients: ${clients.length}`,
    `AE titles: ${aeTitles.length}`,
    `identity providers: ${identityProviders.length}`,
    `assertion issuers: ${assertionIssuers.length}`,
    `language: ${language}`,
    ...contacts.map((contact) => `address of ${contactName(contact)}`),
    ...identifierDomains.flatMap((domain) => domainLines(domain, names.get(domain.organization))),
    `affinity domain: ${[...region.affinityDomain.patientIdSystems, region.affinityDomain.ownSystem].join(', ')}`,
    ...(region.rolesOutsideCare === undefined ? [] : [`roles outside of care: ${region.rolesOutsideCare.join(', ')}`]),
    ...emergencyLines(region),
    ...representativeLines(region),
    ...(region.opposedInstances === undefined ? [] : [`instances of the opposed: ${region.opposedInstances}`]),
  ];
}

function emergencyLines({ breakGlass = {} }: Region): string[] {
  const { reachesConfidential = false, passesBlocks = false } = breakGlass;
  return [
    ...(reachesConfidential ? ['emergencies reach confidential items'] : []),
    ...(passesBlocks ? ['emergencies pass blocks'] : []),
  ];
}

function representativeLines({ representatives: { reachPrivateBelowAge } = {} }: Region): string[] {
  return reachPrivateBelowAge === undefined
    ? []
    : [`representatives reach private items of children below ${reachPrivateBelowAge}`];
}

function domainLines(domain: Region['identifierDomains'][number], name: string | undefined): string[] {
  const { organization, patientIdSystem, accessionSystem, qualifies, imagesQualified, readsFor, informsPatients } =
    domain;
  const { recordsPatientsWord = false } = domain;
  return [
    `${organization}${name === undefined ? '' : ` (${name})`}`,
    `  patients: ${patientIdSystem}`,
    `  orders: ${accessionSystem}`,
    `  qualifies: ${qualifies.join(', ') || 'nothing'}${imagesQualified === true ? ', in images too' : ''}`,
    ...(readsFor === undefined ? [] : [`  reads for: ${readsFor.join(', ')}`]),
    `  informs patients: ${informsPatients === false ? 'no' : `since ${informsPatients}`}`,
    ...(recordsPatientsWord === false ? [] : [`  images name whom patients declared: since ${recordsPatientsWord}`]),
  ];
}

/** What a reload changed. */
export function changeLines({ former, region, changes, endedTokens }: ReloadFacts): readonly string[] {
  return [
    former.serial === region.serial ? `serial ${region.serial}` : `serial ${former.serial} -> ${region.serial}`,
    ...changes.map(changeLine),
    ...memberLines(former, region),
    `tokens and sessions ended: ${endedTokens}`,
  ];
}

/** What a file would change; without a running server the former clients and AE titles are not known. */
export function forecastLines(facts: ForecastFacts): readonly string[] {
  const { standing, former, region, changes, reasons, weights, grounds } = facts;
  return [
    `serial ${standing === undefined ? 'unknown' : standing.serial} -> ${region.serial}`,
    ...changes.map(changeLine),
    ...(former === undefined ? [] : memberLines(former, region)),
    ...weights.map(weightLine),
    ...grounds.map(groundLine),
    ...reasons.map((reason) => `must be confirmed with --confirm ${region.serial}: ${reason}`),
  ];
}

function changeLine({ kind, reference, name, isRemoved }: DirectoryChange): string {
  return `${isRemoved ? 'removed' : kind}: ${reference}${name === undefined ? '' : ` (${name})`}`;
}

/** What the file says beside the directory: entries by what names them, and whether they are as before. */
function memberLines(former: Region, region: Region): string[] {
  return [
    ...comparedLines('client', former.clients, region.clients, ({ client_id: id }) => id),
    ...comparedLines('AE title', former.aeTitles, region.aeTitles, ({ aeTitle }) => aeTitle),
    ...comparedLines('domain of', former.identifierDomains, region.identifierDomains, (one) => one.organization),
    ...comparedLines('imaging service', former.imagingServices, region.imagingServices, (one) => one.organization),
    ...comparedLines('address of', former.contacts, region.contacts, contactName),
    ...comparedLines('emergencies', [emergencyLines(former)], [emergencyLines(region)], () => 'of the region'),
    ...comparedLines(
      'representatives',
      [representativeLines(former)],
      [representativeLines(region)],
      () => 'of the region',
    ),
    ...comparedLines('identity provider', former.identityProviders, region.identityProviders, ({ issuer }) => issuer),
    ...comparedLines('assertion issuer', former.assertionIssuers, region.assertionIssuers, ({ issuer }) => issuer),
  ];
}

function contactName({ office, organization, email }: Region['contacts'][number]): string {
  return [office, ...(organization === undefined ? [] : [organization]), email].join(' ');
}

function comparedLines<Entry>(
  what: string,
  former: readonly Entry[],
  present: readonly Entry[],
  nameOfEntry: (entry: Entry) => string,
): string[] {
  const texts = (entries: readonly Entry[]): ReadonlyMap<string, string> =>
    new Map(entries.map((entry) => [nameOfEntry(entry), JSON.stringify(entry)]));
  const [before, after] = [texts(former), texts(present)];
  const lines: string[] = [];
  for (const [name, text] of after) {
    if (!before.has(name)) lines.push(`added: ${what} ${name}`);
    else if (before.get(name) !== text) lines.push(`changed: ${what} ${name}`);
  }
  return [...lines, ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `removed: ${what} ${name}`)];
}

function weightLine({ who, name, before, after, shown, hidden }: Weight): string {
  const kind = after ? (before ? 'sees other records' : 'gains access') : 'loses access';
  return `${kind}: ${who}${name === undefined ? '' : ` (${name})`}: ${shown} records shown, ${hidden} hidden`;
}

function groundLine({ organization, shown, hidden }: GroundWeight): string {
  return `informs patients: ${organization}: ${shown} records shown, ${hidden} hidden`;
}
