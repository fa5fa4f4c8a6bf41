/**
 * Stores may not choose: the same random plans, questions and jobs, in the same order, get the same answers from both
 * stores, the same refusals, rights that are named and events; and in the end the same stands in both.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { openMongoStores } from '../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { firstDifference } from './two-stores/difference.ts';
import { Run } from './two-stores/run.ts';
import { standing } from './two-stores/standing.ts';
import { randomSteps, type Step } from './two-stores/steps.ts';

const STEPS = 50;
const FIXED_SEED = 20_261_128;

describe('SQLite and MongoDB give the same answers', function () {
  const cases = Number(process.env.PASSERELLE_PROPERTY_CASES ?? 300);
  const named = process.env.PASSERELLE_PROPERTY_SEED;
  this.timeout(120_000 + cases * 1_000);
  let peer: MongoPeer | undefined;

  before(async function () {
    if (whyNoMongoPeer() !== undefined) this.skip();
    peer = await startMongoPeer();
  });
  after(async () => {
    await peer?.stop();
  });

  const run = async (seed: number): Promise<void> => {
    const property = fc.asyncProperty(randomSteps(STEPS), async (steps) => await compare(steps));
    const numRuns = Math.max(1, Math.ceil(cases / 2 / STEPS));
    await fc.assert(property, { seed, numRuns, endOnFailure: named === undefined });
  };

  /** Both stores without data; a step at a time is done to one, then to the other. */
  async function compare(steps: readonly Step[]): Promise<void> {
    const server = peer;
    if (server === undefined) throw new Error('The MongoDB server is not running');
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-two-stores-'));
    const uri = server.freshUri();
    const sqlite = await openSqliteStores({ dataDir });
    const mongodb = await openMongoStores({ uri });
    try {
      const [one, other] = [new Run(sqlite), new Run(mongodb)];
      for (const [at, step] of steps.entries())
        requireSame(await one.step(step), await other.step(step), `step ${at}, ${JSON.stringify(step)}`);
      requireSame(await standing(one), await standing(other), 'what stands in the end');
    } finally {
      await Promise.all([sqlite.close(), mongodb.close()]);
      await Promise.all([rm(dataDir, { recursive: true, force: true }), server.drop(uri)]);
    }
  }

  it('to worlds of a fixed seed', async () => {
    await run(FIXED_SEED);
  });

  it('to worlds of a fresh seed', async () => {
    await run(named === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named));
  });
});

function requireSame(one: unknown, other: unknown, what: string): void {
  const difference = firstDifference(one, other);
  if (difference !== undefined) throw new Error(`SQLite and MongoDB differ: ${difference}\n${what}`);
}
