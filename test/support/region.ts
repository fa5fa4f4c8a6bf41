/** A region of a test: that of the demonstration, with changes. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Region, RegionAeTitle } from '../../server/config/region-model.ts';

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

async function demonstrationRegion(): Promise<Region> {
  return JSON.parse(await readFile(DEMONSTRATION, 'utf8')) as Region;
}
