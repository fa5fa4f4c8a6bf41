/** A region of a test: that of the demonstration, with changes. */
import { readFile, writeFile } from 'node:fs/promises';
import type { IdentifierDomain, Region, RegionAeTitle } from '../../server/config/region-model.ts';
import type { RegionIndex } from '../../server/flows/identity/region-index.ts';

const DEMONSTRATION = new URL('../../fixtures/region/region.json', import.meta.url);

/** Writes a region file in which more AE titles may call. */
export async function writeRegion(path: string, aeTitles: readonly RegionAeTitle[]): Promise<void> {
  const region = await demonstrationRegion();
  await writeFile(path, JSON.stringify({ ...region, aeTitles: [...region.aeTitles, ...aeTitles] }));
}

/** Writes a region file in which persons sign in at these providers. */
export async function writeProviders(path: string, identityProviders: Region['identityProviders']): Promise<void> {
  await writeFile(path, JSON.stringify({ ...(await demonstrationRegion()), identityProviders }));
}

/** A region in which every establishment has the same systems, and qualifies the numbers that the region does. */
export function aRegionIndex(
  systems: Pick<IdentifierDomain, 'patientIdSystem' | 'accessionSystem'>,
  changes: Partial<RegionIndex> = {},
): RegionIndex {
  const { qualifiedSystems = [] } = changes;
  return {
    serial: 1,
    domainOf: (organization) => ({
      organization,
      ...systems,
      qualifies: qualifiedSystems,
      informsPatients: '2000-01-01',
    }),
    readersFor: (organization) => [organization],
    sourcesOf: () => [],
    servicesOf: () => [],
    informs: () => true,
    recordsWord: () => false,
    within: (organization) => [organization],
    partsOf: (organization) => [organization],
    nameOf: () => undefined,
    outsideCare: new Set(),
    breakGlass: {},
    representatives: {},
    qualifiedSystems: [],
    establishments: [],
    patientDomains: new Set(),
    contacts: [],
    language: 'fr',
    affinityDomain: { patientIdSystems: [], ownSystem: 'urn:oid:2.25.9' },
    opposedInstances: 'refuse',
    ...changes,
  };
}

/** A file that is written later follows the former one, so that a server of the same data takes it. */
async function demonstrationRegion(): Promise<Region> {
  return { ...(JSON.parse(await readFile(DEMONSTRATION, 'utf8')) as Region), serial: Date.now() };
}
