/** What a source says of somebody by a mistake, and takes back (identity.md section 1). */
import { expect } from 'chai';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';
import { openWorld, type World } from './world.ts';

const OWN = { at: 'strasbourg', number: 1 } as const;
const OTHER = { at: 'luxembourg', number: 1 } as const;

describe('What is said by a mistake and taken back (identity.md 1)', function () {
  this.timeout(120_000);
  let world: World | undefined;
  before(async () => void (world = await openWorld()));
  after(async () => await world?.close());

  it('leaves the Patient with the words of the source that had the last word before', async () => {
    if (world === undefined) throw new Error('No world');
    const session = openSession(world);
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
    if (world === undefined) throw new Error('No world');
    const session = openSession(world);
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
});
