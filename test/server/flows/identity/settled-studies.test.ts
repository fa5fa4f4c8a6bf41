/** Studies that are settled before anything is derived of them, and by several jobs at once (identity.md section 4). */
import { expect } from 'chai';
import { describeWorld } from './describe-world.ts';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { doStep } from './steps.ts';

describeWorld('A study that a join or a separation changes (identity.md 4)', (begin) => {
  it('keeps the later source’s instances aside after a separation that comes before it is derived', async () => {
    const session = begin();
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

  it('keeps the bytes of what is filed, and of what is kept aside again, where several jobs settle it', async () => {
    const session = begin();
    const [one, other] = [{ at: 'strasbourg', number: 0 } as const, { at: 'nancy', number: 0 } as const];
    const judged = { one, other, by: 'desk' } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: one, study: 0, instance: 0 },
      { does: 'image', of: other, study: 0, instance: 1 },
      { does: 'join', ...judged },
    ];
    for (const step of steps) await doStep(session, step, async () => undefined);
    // Nothing was derived before: what refreshes the study settles it, and so does what settles the person.
    expect(await differences(session)).to.deep.equal([]);
    await doStep(session, { does: 'separate', ...judged }, async () => undefined);
    expect(await differences(session)).to.deep.equal([]);
  });
});
