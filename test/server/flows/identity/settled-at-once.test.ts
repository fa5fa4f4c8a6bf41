/** A join whose studies several jobs settle at once (identity.md section 4). */
import { expect } from 'chai';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession } from './session.ts';
import { doStep } from './steps.ts';
import { openWorld, type World } from './world.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;

describe('Studies that several jobs settle at once (identity.md 4)', function () {
  this.timeout(120_000);
  let world: World | undefined;
  before(async () => void (world = await openWorld()));
  after(async () => await world?.close());

  it('keep the bytes of what is filed, and of what is kept aside again', async () => {
    if (world === undefined) throw new Error('No world');
    const session = openSession(world);
    const judged = { one: ONE, other: OTHER, by: 'desk' } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: ONE, study: 0, instance: 0 },
      { does: 'image', of: OTHER, study: 0, instance: 1 },
      { does: 'join', ...judged },
    ];
    for (const step of steps) await doStep(session, step, async () => undefined);
    // Nothing was derived before: what refreshes the study settles it, and so does what settles the person.
    expect(await differences(session)).to.deep.equal([]);
    await doStep(session, { does: 'separate', ...judged }, async () => undefined);
    expect(await differences(session)).to.deep.equal([]);
  });
});
