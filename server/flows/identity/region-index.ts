/** What flows ask of the region: whose domain, whose services. */
import type { AffinityDomain, Region } from '../../config/region-model.ts';
import { Fault } from '../../../profiles/fault.ts';

/** Looks up the region's establishments. */
export type RegionIndex = {
  /** Identifier systems that an establishment assigns. @throws {Fault} forbidden - it has none in the region */
  readonly domainOf: (organization: string) => { readonly patientIdSystem: string; readonly accessionSystem: string };
  /** Imaging services (`Organization/id`) of an establishment. */
  readonly servicesOf: (organization: string) => readonly string[];
  readonly qualifiedSystems: readonly string[];
  /** Establishments (`Organization/id`) that have an identifier domain. */
  readonly establishments: readonly string[];
};

/** How a region that says nothing of it names patients in XDS: by their Patients, in a system of this product. */
const NO_AFFINITY_DOMAIN: AffinityDomain = {
  patientIdSystems: [],
  ownSystem: 'urn:oid:2.25.63412867519087347281905613702449871236',
};

/** Indexes a region. */
export function indexRegion(region: Region): RegionIndex & { readonly affinityDomain: AffinityDomain } {
  const domains = new Map(region.identifierDomains.map((domain) => [domain.organization, domain]));
  return {
    domainOf: (organization) => {
      const domain = domains.get(organization);
      if (domain === undefined)
        throw new Fault('forbidden', 'The establishment has no identifier domain in the region');
      return domain;
    },
    servicesOf: (organization) =>
      region.imagingServices
        .filter((service) => service.establishment === organization)
        .map((service) => service.organization),
    qualifiedSystems: region.qualifiedIdentifiers,
    establishments: [...domains.keys()],
    affinityDomain: region.affinityDomain ?? NO_AFFINITY_DOMAIN,
  };
}
