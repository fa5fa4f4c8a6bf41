/**
 * Whatever is fed, sent, said and undone, in any order: nobody sees what the model does not give, and a mistake that is
 * undone leaves everything as it was.
 */
import * as fc from 'fast-check';
import { startMongoPeer, type MongoPeer } from '../../../support/peers/mongodb-peer.ts';
import { differences } from './readers.ts';
import { sequences, type Step } from './sequences.ts';
import { openSession } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';
import { openWorld, type World } from './world.ts';

const CASES = 300;
const FIXED_SEED = 20_260_712;

/**
 * PASSERELLE_PROPERTY_CASES is the number of sequences, half of them of a fixed seed; PASSERELLE_PROPERTY_SEED repeats
 * a failure and shrinks it.
 */
const cases = Number(process.env['PASSERELLE_PROPERTY_CASES'] ?? CASES);
const named = process.env['PASSERELLE_PROPERTY_SEED'];
const STORES = process.env['PASSERELLE_IDENTITY_STORE'] === 'mongodb' ? ['MongoDB'] : ['SQLite'];

async function check(world: World, steps: readonly Step[]): Promise<void> {
  const session = openSession(world);
  for (const step of steps) await doStep(session, step, expectUndone);
  const found = await differences(session);
  if (found.length > 0) throw new Error(found.join('\n'));
}

for (const store of STORES)
  describe(`Who sees what of whom (identity.md): ${store}`, function () {
    this.timeout(120_000 + cases * (store === 'MongoDB' ? 20_000 : 4_000));
    let peer: MongoPeer | undefined;
    let world: World | undefined;
    before(async () => {
      peer = store === 'MongoDB' ? await startMongoPeer() : undefined;
      world = await openWorld(peer?.freshUri());
    });
    after(async () => {
      await world?.close();
      await peer?.stop();
    });
    const run = async (seed: number): Promise<void> => {
      const property = fc.asyncProperty(sequences, async (steps) => await check(world ?? (await openWorld()), steps));
      await fc.assert(property, { seed, numRuns: Math.ceil(cases / 2), endOnFailure: named === undefined });
    };

    it('is what the model gives, and as before after an undo, for sequences of a fixed seed', async () => {
      await run(FIXED_SEED);
    });

    it('is what the model gives, and as before after an undo, for sequences of a fresh seed', async () => {
      await run(named === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named));
    });
  });
