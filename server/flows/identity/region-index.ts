/** What flows ask of the region: whose domain, whose services, who reads for whom. */
import { madeOf, type CurrentRegion } from '../../config/current-region.ts';
import type { AffinityDomain, IdentifierDomain, Region } from '../../config/region-model.ts';
import { spanOf } from '../../../profiles/consent/time-span.ts';
import type { Language } from '../../../profiles/language.ts';
import { directoryOf, type Directory } from './held-roles.ts';
import { Fault } from '../../../profiles/fault.ts';

/** Looks up the region's establishments. */
export type RegionIndex = Directory & {
  /** Of the file. */
  readonly serial: number;
  /** What an establishment may assert. @throws {Fault} forbidden - it has no identifier domain in the region */
  readonly domainOf: (organization: string) => IdentifierDomain;
  /**
   * Whether an establishment says that it informed its patients at a time (epoch milliseconds): since the day that the
   * region file names, of the server's time zone. One without a domain says nothing.
   */
  readonly informs: (organization: string, at: number) => boolean;
  /**
   * Whether an establishment says that whom the images of an exam name is whom the patient declared there: since the
   * day (YYYY-MM-DD) that the region file names. `day` is that of the exam.
   */
  readonly recordsWord: (organization: string, day: string) => boolean;
  /** Who reads the exams of an establishment: itself first, then its declared second readers (`Organization/id`). */
  readonly readersFor: (organization: string) => readonly string[];
  /** Establishments (`Organization/id`) that number their patients under a system, in the order of the file. */
  readonly sourcesOf: (system: string) => readonly string[];
  /** Imaging services (`Organization/id`) of an establishment. */
  readonly servicesOf: (organization: string) => readonly string[];
  readonly qualifiedSystems: readonly string[];
  /** Establishments (`Organization/id`) that have an identifier domain. */
  readonly establishments: readonly string[];
  readonly affinityDomain: AffinityDomain;
  /** What becomes of the instances of patients who are opposed. */
  readonly opposedInstances: NonNullable<Region['opposedInstances']>;
  /** The systems that patients are numbered under: those of establishments, qualified ones, the region's own. */
  readonly patientDomains: ReadonlySet<string>;
  /** Where offices are mailed. */
  readonly contacts: Region['contacts'];
  /** The language of whoever says none. */
  readonly language: Language;
};

/** Indexes a region; `timeZone` (a name of the IANA database) is where its days begin, else UTC. */
export function indexRegion(region: Region, timeZone?: string): RegionIndex {
  const domains = new Map(region.identifierDomains.map((domain) => [domain.organization, domain]));
  const since = new Map(
    region.identifierDomains.map(({ organization, informsPatients: day }) => [
      organization,
      day === false ? Infinity : spanOf({ start: day }, timeZone)?.from,
    ]),
  );
  const readers = grouped(region, ({ readsFor = [] }) => readsFor);
  const sources = grouped(region, ({ patientIdSystem }) => [patientIdSystem]);
  const directory = (region.bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return {
    serial: region.serial,
    domainOf: (organization) => {
      const domain = domains.get(organization);
      if (domain === undefined)
        throw new Fault('forbidden', 'The establishment has no identifier domain in the region');
      return domain;
    },
    recordsWord: (organization, day) => {
      const begun = domains.get(organization)?.recordsPatientsWord ?? false;
      return begun !== false && begun <= day;
    },
    informs: (organization, at) => (since.get(organization) ?? Infinity) <= at,
    servicesOf: (organization) =>
      region.imagingServices
        .filter((service) => service.establishment === organization)
        .map((service) => service.organization),
    ...directoryOf(directory, region),
    qualifiedSystems: region.qualifiedIdentifiers,
    readersFor: (organization) => [organization, ...(readers.get(organization) ?? [])],
    sourcesOf: (system) => sources.get(system) ?? [],
    establishments: [...domains.keys()],
    affinityDomain: region.affinityDomain,
    opposedInstances: region.opposedInstances ?? 'refuse',
    contacts: region.contacts,
    language: region.language,
    patientDomains: new Set([
      ...region.identifierDomains.map(({ patientIdSystem }) => patientIdSystem),
      ...region.qualifiedIdentifiers,
      region.affinityDomain.ownSystem,
    ]),
  };
}

/** The index of the region of this process: each question is asked of what is loaded then. */
export function followedIndex(current: CurrentRegion, timeZone?: string): RegionIndex {
  const index = madeOf(current, (region) => indexRegion(region, timeZone));
  return {
    informs: (organization, at) => index().informs(organization, at),
    recordsWord: (organization, day) => index().recordsWord(organization, day),
    domainOf: (organization) => index().domainOf(organization),
    readersFor: (organization) => index().readersFor(organization),
    sourcesOf: (system) => index().sourcesOf(system),
    servicesOf: (organization) => index().servicesOf(organization),
    within: (organization) => index().within(organization),
    partsOf: (organization) => index().partsOf(organization),
    nameOf: (organization) => index().nameOf(organization),
    get outsideCare() {
      return index().outsideCare;
    },
    get breakGlass() {
      return index().breakGlass;
    },
    get representatives() {
      return index().representatives;
    },
    get serial() {
      return index().serial;
    },
    get qualifiedSystems() {
      return index().qualifiedSystems;
    },
    get establishments() {
      return index().establishments;
    },
    get affinityDomain() {
      return index().affinityDomain;
    },
    get opposedInstances() {
      return index().opposedInstances;
    },
    get contacts() {
      return index().contacts;
    },
    get language() {
      return index().language;
    },
    get patientDomains() {
      return index().patientDomains;
    },
  };
}

/** Establishments by what their entries name. */
function grouped(
  { identifierDomains }: Region,
  namesOf: (domain: IdentifierDomain) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const named = identifierDomains.flatMap((domain) =>
    namesOf(domain).map((name) => ({ name, organization: domain.organization })),
  );
  const groups = Map.groupBy(named, ({ name }) => name);
  return new Map([...groups].map(([name, group]) => [name, group.map(({ organization }) => organization)]));
}
