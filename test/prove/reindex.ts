/** 100,000 rows are indexed anew, by a server that answers and is killed twice. See test/flows/support/reindex. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutFormerRelease } from '../flows/support/reindex/former-release.ts';
import { reindexWhileKilled } from '../flows/support/reindex/rounds.ts';
import type { Proof } from './prove.ts';

const ROWS = 100_000;
const SECONDS_OF_ROUND = 1_200;

/** Does it on the embedded store; `PASSERELLE_ROWS` changes how many. The seed decides when the server is killed. */
export async function proveReindex(seed: number): Promise<Proof> {
  const rows = Number(process.env['PASSERELLE_ROWS'] ?? ROWS);
  const release = await layOutFormerRelease();
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-reindex-'));
  try {
    const options = { release, store: 'sqlite', dataDir, rows, seed, secondsOfRound: SECONDS_OF_ROUND };
    return { counts: await reindexWhileKilled(options) };
  } finally {
    await release.remove();
    await rm(dataDir, { recursive: true, force: true });
  }
}
