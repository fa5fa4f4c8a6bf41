/** What a composition opens first: the region file, the data folder, the stores. */
import { mkdir, readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { parseRegion, refuseDemonstration } from '../config/region.ts';
import type { Region } from '../config/region-model.ts';
import type { LogFactory } from '../log.ts';
import { openRendering } from './rendering.ts';
import { forgettingImages } from '../rendering/forgetting-images.ts';
import { openFileImages } from '../stores/files/image-store.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Validate } from '../../profiles/validation/validate.ts';

/** The stores of one configuration. */
export type Stores = Awaited<ReturnType<typeof openStores>>;

/**
 * Opens the stores that the configuration names, and what renders their images; nothing may be opened on the same data
 * until they are closed.
 */
export async function openStores(config: Config, log: LogFactory) {
  const { dataDir } = config;
  const renderer = openRendering({ dataDir });
  const images = forgettingImages(await openFileImages({ dataDir }), renderer);
  if (config.store === 'sqlite') {
    const { openSqliteStores } = await import('../stores/sqlite/open.ts');
    return { images, renderer, ...(await openSqliteStores({ dataDir })) };
  }
  const { openMongoStores } = await import('../stores/mongodb/open.ts');
  return { images, renderer, ...(await openMongoStores({ uri: config.store, log: log('audit') })) };
}

/** Reads a JSON file that the operator wrote; a Fault says which file and what is wrong with it. */
export async function readJson(path: string, name: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Fault('invalid', `${name} ${path} cannot be read`, { cause: error });
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Fault('invalid', `${name} ${path} is not valid JSON`, { cause: error });
  }
}

/** Makes the data folder, in a folder that stands: a path that is mistyped must not become a tree of folders. */
export async function makeDataFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST')
      throw new Fault('invalid', `The data folder ${dataDir} cannot be made (${error.code})`, { cause: error });
  });
}

/**
 * Reads a region file, by default that of the configuration. `validate` is that of R4.
 * @throws {Fault} invalid - it cannot be read, or says what it must not
 */
export async function loadRegionFile(config: Config, validate: Validate, path = config.region): Promise<Region> {
  const region = parseRegion(await readJson(path, 'The region file'), validate);
  refuseDemonstration(region, config.development);
  return region;
}
