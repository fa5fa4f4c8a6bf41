/** A separation that comes before anything of a study is derived (identity.md section 4). */
import { expect } from 'chai';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession } from './session.ts';
import { doStep } from './steps.ts';
import { openWorld, type World } from './world.ts';

describe('A separation before the study is derived (identity.md 4)', function () {
  this.timeout(120_000);
  let world: World | undefined;
  before(async () => void (world = await openWorld()));
  after(async () => await world?.close());

  it('keeps the later source’s instances aside', async () => {
    if (world === undefined) throw new Error('No world');
    const session = openSession(world);
    const [one, other] = [{ at: 'nancy', number: 1 } as const, { at: 'nancy', number: 0 } as const];
    const said = { does: 'feed', of: other, traits: 0, national: 0, status: 'QUAL' } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: one, study: 0, instance: 0 },
      { ...said, into: 1 },
      { does: 'image', of: { at: 'strasbourg', number: 0 }, study: 0, instance: 0 },
      { does: 'image', of: other, study: 0, instance: 1 },
      { ...said, into: null },
    ];
    for (const step of steps) await doStep(session, step, async () => undefined);
    expect(await differences(session)).to.deep.equal([]);
  });
});
