/** What a source says of somebody by a mistake, and takes back (identity.md section 1). */
import { expect } from 'chai';
import { describeWorld } from './describe-world.ts';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';

const OWN = { at: 'strasbourg', number: 1 } as const;
const OTHER = { at: 'luxembourg', number: 1 } as const;

describeWorld('What is said by a mistake and taken back (identity.md 1)', (begin) => {
  it('leaves the Patient with the words of the source that had the last word before', async () => {
    const session = begin();
    const said = { does: 'feed', of: OWN, traits: 0, national: null, status: 'QUAL', into: null } as const;
    const steps: readonly Step[] = [
      said,
      { ...said, of: OTHER, national: 0, status: 'VALI' },
      { does: 'image', of: OWN, study: 0, instance: 0 },
      { does: 'join', one: OTHER, other: OWN, by: 'desk' },
      { does: 'err', mistake: { ...said, national: 0 } },
      { does: 'err', mistake: { ...said, traits: 1 } },
    ];
    for (const step of steps) {
      await doStep(session, step, expectUndone);
      expect(await differences(session), JSON.stringify(step)).to.deep.equal([]);
    }
  });

  it('leaves the manifests, though what was said by the mistake had been said before', async () => {
    const session = begin();
    const from = { at: 'strasbourg', number: 0 } as const;
    const said = { does: 'feed', of: OWN, traits: 0, national: 0, status: 'QUAL', into: null } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: from, study: 0, instance: 0 },
      said,
      { does: 'move', study: 0, to: OWN, by: 'desk' },
      { ...said, traits: 1 },
      { does: 'image', of: from, study: 0, instance: 1 },
      { does: 'err', mistake: said },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    expect(await differences(session)).to.deep.equal([]);
  });

  it('leaves the manifests, though the same was said by a mistake before others were made', async () => {
    const session = begin();
    const said = { does: 'feed', of: OWN, traits: 0, national: 0, status: 'QUAL', into: null } as const;
    const steps: readonly Step[] = [
      said,
      { does: 'image', of: OWN, study: 0, instance: 0 },
      { does: 'err', mistake: { ...said, traits: 1 } },
      { ...said, traits: 2 },
      { does: 'err', mistake: { ...said, traits: 1 } },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    expect(await differences(session)).to.deep.equal([]);
  });

  it('leaves no number of it in a manifest that was current meanwhile', async () => {
    const session = begin();
    const said = { does: 'feed', of: OWN, traits: 0, national: 0, status: 'QUAL', into: null } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: OWN, study: 0, instance: 0 },
      said,
      { ...said, traits: 1 },
      { does: 'err', mistake: { ...said, national: 1 } },
    ];
    for (const step of steps) {
      await doStep(session, step, expectUndone);
      expect(await differences(session), JSON.stringify(step)).to.deep.equal([]);
    }
  });
});
