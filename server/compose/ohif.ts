/** OHIF, where it is installed: its files, its page and its DICOMweb. */
import type { Middleware } from 'koa';
import type { Config } from '../config/config.ts';
import { ohifFiles } from '../endpoints/ohif/files.ts';
import { ohifRouters, type OhifDeps } from '../endpoints/ohif/router.ts';
import type { LogFactory } from '../log.ts';
import { findOhif, type InstalledOhif } from '../runtime/ohif-package.ts';

/** What is installed. A server without OHIF, or with half of it, goes on without. */
export async function installedOhif({ ohifDir }: Config, log: LogFactory): Promise<InstalledOhif | undefined> {
  try {
    return await findOhif(ohifDir);
  } catch (error) {
    log('ohif').error({ err: error }, 'OHIF is not offered');
    return undefined;
  }
}

/** The doors of what is installed; none when nothing is. */
export function ohifDoors(ohif: InstalledOhif | undefined, deps: Omit<OhifDeps, 'ohif'>): readonly Middleware[] {
  if (ohif === undefined) return [];
  const routers = ohifRouters({ ...deps, ohif });
  return [ohifFiles(ohif, deps.publicUrl), ...routers.map((router) => router.routes() as Middleware)];
}
