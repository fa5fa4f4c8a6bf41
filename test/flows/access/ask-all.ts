/** Opens a world of some cases, asks its cells, and removes it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askCells, type Asked, type Chosen } from './cells.ts';
import { isOfSetting, type Case } from './matrix.ts';
import { openMatrix } from './matrix-world.ts';

/** What was asked; `unset` of relations that a setting of emergencies lets show something, where it is off. */
export type AskedAll = Asked & { readonly unset: Asked };

/** Asks the cells of some cases, or the chosen of them, on a store (`sqlite` or the URI of a MongoDB database). */
export async function askAll(store: string, cases: readonly Case[], chosen?: Chosen): Promise<AskedAll> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-matrix-'));
  try {
    const world = await openMatrix(store, cases, dataDir);
    try {
      const asked = await askCells(world, chosen);
      await world.unsetEmergencies();
      return { ...asked, unset: await askCells(world, isOfSetting, false) };
    } finally {
      await world.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
