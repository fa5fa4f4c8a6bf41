/** An exam that is moved to somebody of whom instances are kept aside in it, and back (identity.md section 4). */
import { expect } from 'chai';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';
import { openWorld, type World } from './world.ts';

const HERS = { at: 'strasbourg', number: 0 } as const;

describe('An exam that is moved and moved back (identity.md 4)', function () {
  this.timeout(120_000);
  let world: World | undefined;
  before(async () => void (world = await openWorld()));
  after(async () => await world?.close());

  for (const [name, other] of [
    ['another establishment', { at: 'nancy', number: 1 }],
    ['its own establishment', { at: 'strasbourg', number: 1 }],
  ] as const)
    it(`leaves with each what was sent of her: somebody of ${name}`, async () => {
      if (world === undefined) throw new Error('No world');
      const session = openSession(world);
      const moved = { does: 'move', study: 0, by: 'desk' } as const;
      const steps: readonly Step[] = [
        { does: 'image', of: HERS, study: 0, instance: 0 },
        { does: 'image', of: other, study: 0, instance: 1 },
        { does: 'err', mistake: { ...moved, to: other } },
        { ...moved, to: other },
        { does: 'image', of: HERS, study: 0, instance: 1 },
        { ...moved, to: { at: 'luxembourg', number: 0 } },
        { ...moved, to: HERS },
      ];
      await doStep(
        session,
        { does: 'image', of: { at: 'luxembourg', number: 0 }, study: 1, instance: 0 },
        expectUndone,
      );
      for (const step of steps) {
        await doStep(session, step, expectUndone);
        expect(await differences(session), JSON.stringify(step)).to.deep.equal([]);
      }
    });

  it('has its manifests again when what stayed with her is back in it', async () => {
    if (world === undefined) throw new Error('No world');
    const session = openSession(world);
    const [kept, merged] = [
      { at: 'luxembourg', number: 0 },
      { at: 'luxembourg', number: 1 },
    ] as const;
    const steps: readonly Step[] = [
      { does: 'image', of: HERS, study: 0, instance: 0 },
      { does: 'image', of: kept, study: 1, instance: 1 },
      { does: 'image', of: merged, study: 1, instance: 1 },
      { does: 'feed', of: merged, traits: 0, national: 0, status: 'QUAL', into: 0 },
      { does: 'err', mistake: { does: 'move', study: 1, to: HERS, by: 'desk' } },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    expect(await differences(session)).to.deep.equal([]);
  });
});
