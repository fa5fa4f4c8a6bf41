/** Opens a world of some cases, asks its cells, and removes it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askCells, type Asked, type Chosen } from './cells.ts';
import type { Case } from './matrix.ts';
import { openMatrix } from './matrix-world.ts';

/** Asks the cells of some cases, or the chosen of them, on a store (`sqlite` or the URI of a MongoDB database). */
export async function askAll(store: string, cases: readonly Case[], chosen?: Chosen): Promise<Asked> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-matrix-'));
  try {
    const world = await openMatrix(store, cases, dataDir);
    try {
      return await askCells(world, chosen);
    } finally {
      await world.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
