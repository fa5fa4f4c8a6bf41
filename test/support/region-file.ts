/** A region file that a test edits: that of the demonstration, its serial one greater each time. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { Region } from '../../server/config/region-model.ts';

const DEMONSTRATION = new URL('../../fixtures/region/region.json', import.meta.url);

/** A region file as JSON that may be changed in place. */
export type EditedRegion = {
  -readonly [Member in keyof Region]: Member extends 'bundle'
    ? Bundle
    : Region[Member] extends readonly (infer Entry)[]
      ? Entry[]
      : Region[Member];
};

/** The file. */
export type RegionFile = {
  readonly path: string;
  /** Starts from the demonstration again, changes it, raises its serial and writes it; gives the serial. */
  write(change?: (region: EditedRegion) => void): Promise<number>;
  remove(): Promise<void>;
};

/** Makes a file that says what the demonstration does. */
export async function makeRegionFile(): Promise<RegionFile> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-region-'));
  const path = join(folder, 'region.json');
  let serial = 0;
  const write: RegionFile['write'] = async (change) => {
    const region = JSON.parse(await readFile(DEMONSTRATION, 'utf8')) as EditedRegion;
    serial += 1;
    region.serial = serial;
    change?.(region);
    await writeFile(path, JSON.stringify(region));
    return region.serial;
  };
  await write();
  return { path, write, remove: async () => await rm(folder, { recursive: true, force: true }) };
}

/** Takes a resource out of the bundle, by `Type/id`. */
export function removeResource({ bundle }: EditedRegion, reference: string): void {
  bundle.entry = (bundle.entry ?? []).filter(({ request }) => request?.url !== reference);
}

/** Changes members of a resource of the bundle, by `Type/id`. */
export function changeResource({ bundle }: EditedRegion, reference: string, members: Partial<Resource> & object): void {
  const entry = bundle.entry?.find(({ request }) => request?.url === reference);
  if (entry === undefined) throw new Error(`The region has no ${reference}`);
  Object.assign(entry.resource ?? {}, members);
}
