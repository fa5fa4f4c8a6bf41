/** A region of a test: that of the demonstration, with further AE titles. */
import { readFile, writeFile } from 'node:fs/promises';
import type { RegionAeTitle } from '../../server/config/region-model.ts';

const DEMONSTRATION = new URL('../../fixtures/region/region.json', import.meta.url);

/** Writes a region file in which more AE titles may call. */
export async function writeRegion(path: string, aeTitles: readonly RegionAeTitle[]): Promise<void> {
  const region = JSON.parse(await readFile(DEMONSTRATION, 'utf8')) as { readonly aeTitles: readonly RegionAeTitle[] };
  await writeFile(path, JSON.stringify({ ...region, aeTitles: [...region.aeTitles, ...aeTitles] }));
}
