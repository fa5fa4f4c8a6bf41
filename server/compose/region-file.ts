/** What `npm run region` does without a server: with a file alone, and with the data that a stopped server left. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { composeStopped } from './compose.ts';
import { identityProviderErrors } from './identity-providers.ts';
import { readJson } from './open.ts';
import { foresee, serialLine } from './region.ts';
import { configFrom } from '../config/config.ts';
import type { Environment } from '../config/env.ts';
import { parseRegion } from '../config/region.ts';
import type { Region } from '../config/region-model.ts';
import { regionLines } from '../flows/directory/region-lines.ts';
import { openLog } from '../log.ts';
import { loadDefinitions } from '../runtime/definitions.ts';
import { Fault } from '../../profiles/fault.ts';

/**
 * Checks a region file by itself: its shape and rules, its resources, the entries of identity providers with the
 * secrets that they name.
 * @throws {Fault} invalid - one line for each error, with place and reason
 */
export async function checkRegionFile(path: string): Promise<Region> {
  const { validate } = await loadDefinitions();
  const region = parseRegion(await readJson(path, 'The region file'), validate);
  const errors = await identityProviderErrors(region, dirname(path));
  if (errors.length > 0) throw new Fault('invalid', `The region file is not valid:\n${errors.join('\n')}`);
  return region;
}

/**
 * What a file would change in the data of a stopped server; undefined when there is no data folder.
 * @throws {Fault} conflict - it would not be loaded
 */
export async function foreseeStopped(environment: Environment, path: string): Promise<readonly string[] | undefined> {
  const config = configFrom({ ...environment, REGION: path });
  if (!existsSync(config.dataDir)) return undefined;
  const { flows, region, close } = await composeStopped(config, openLog({ level: config.logLevel }));
  try {
    return await foresee(flows, undefined, region);
  } finally {
    await close();
  }
}

/** What the region file of the configuration says, and which one the data of a stopped server were written from. */
export async function showStopped(environment: Environment): Promise<readonly string[]> {
  const config = configFrom(environment);
  const { flows, region, close } = await composeStopped(config, openLog({ level: config.logLevel }));
  try {
    return ['no server runs', serialLine(await flows.regionMark()), ...regionLines(region)];
  } finally {
    await close();
  }
}
