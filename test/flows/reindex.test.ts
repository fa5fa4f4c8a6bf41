/** A release with another definition of its index: rows are indexed anew while it answers, whatever becomes of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { layOutFormerRelease, type FormerRelease } from './support/reindex/former-release.ts';
import { reindexWhileKilled } from './support/reindex/rounds.ts';

/** Of the moments of the kills. */
const SEED = Number(process.env['PASSERELLE_REINDEX_SEED'] ?? Date.now() % 2 ** 31);

describe(`A new search parameter (PASSERELLE_REINDEX_SEED=${SEED})`, function () {
  this.timeout(300_000);
  let release: FormerRelease;
  let dataDir: string;
  before(async () => {
    release = await layOutFormerRelease();
  });
  after(async () => await release.remove());
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-reindex-'));
  });
  afterEach(async () => await rm(dataDir, { recursive: true, force: true }));

  it('is announced when every row is found by it, after two kills in the middle (SQLite)', async () => {
    await reindexWhileKilled({ release, store: 'sqlite', dataDir, rows: 3_000, seed: SEED, secondsOfRound: 60 });
  });

  const missing = whyNoMongoPeer();
  const suite = missing === undefined ? describe : describe.skip;
  suite(`on MongoDB${missing === undefined ? '' : `: skipped, ${missing}`}`, () => {
    let peer: MongoPeer | undefined;
    let store: string;
    before(async () => {
      peer = await startMongoPeer();
      store = peer?.freshUri() ?? '';
    });
    after(async () => await peer?.stop());

    it('is announced when every row is found by it, after two kills in the middle', async () => {
      await reindexWhileKilled({ release, store, dataDir, rows: 400, seed: SEED, secondsOfRound: 150 });
    });
  });
});
