/** OHIF, where `npm run ohif` has installed it for this checkout. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { VARIABLES } from '../../../server/config/variables.ts';
import { folderOfVersion, OHIF, OHIF_LIST } from '../../../server/runtime/ohif-package.ts';

const ROOT = new URL('../../..', import.meta.url).pathname;

/** Why there is no OHIF here; undefined when there is one. */
export function whyNoOhif(): string | undefined {
  const folder = folderOfVersion(resolve(ROOT, VARIABLES.OHIF.default));
  return existsSync(join(folder, OHIF_LIST)) ? undefined : `OHIF ${OHIF.version} (npm run ohif)`;
}
