/** What sources and desks say by a mistake, and take back (identity.md section 1). */
import { expect } from 'chai';
import { describeWorld } from './describe-world.ts';
import { differences, reviewsWaiting } from './readers.ts';
import type { Feed, Judge, Step } from './sequences.ts';
import { partitionOf, type Session } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';

const said = { does: 'feed', traits: 0, national: 0, status: 'QUAL', into: null } as const;
const OWN = { at: 'strasbourg', number: 1 } as const;
const [ONE, OTHER] = [{ at: 'strasbourg', number: 0 } as const, { at: 'nancy', number: 0 } as const];

/** One bears the number first under another name; three who agree with each other come later, and stay apart. */
const APART: readonly Step[] = [
  { ...said, of: ONE, traits: 1 },
  { ...said, of: OTHER },
  { ...said, of: OWN },
  { ...said, of: { at: 'nancy', number: 1 } },
];

/** Does one step after the other: after each everybody sees what the model gives. */
async function done(session: Session, steps: readonly Step[]): Promise<Session> {
  for (const step of steps) {
    await doStep(session, step, expectUndone);
    expect(await differences(session), JSON.stringify(step)).to.deep.equal([]);
  }
  return session;
}

const mine = { ...said, of: OWN } as const;
const sent = { does: 'image', of: OWN, study: 0, instance: 0 } as const;
const FROM = { at: 'strasbourg', number: 0 } as const;
const ABROAD = { at: 'luxembourg', number: 1 } as const;
const CORRECTED: readonly (readonly [string, readonly Step[]])[] = [
  [
    'the Patient with the words of the source that had the last word before',
    [
      { ...mine, national: null },
      { ...said, of: ABROAD, status: 'VALI' },
      sent,
      { does: 'join', one: ABROAD, other: OWN, by: 'desk' },
      { does: 'err', mistake: mine },
      { does: 'err', mistake: { ...mine, national: null, traits: 1 } },
    ],
  ],
  [
    'the manifests, though what was said by the mistake had been said before',
    [
      { ...sent, of: FROM },
      mine,
      { does: 'move', study: 0, to: OWN, by: 'desk' },
      { ...mine, traits: 1 },
      { ...sent, of: FROM, instance: 1 },
      { does: 'err', mistake: mine },
    ],
  ],
  [
    'the manifests, though the same was said by a mistake before others were made',
    [
      mine,
      sent,
      { does: 'err', mistake: { ...mine, traits: 1 } },
      { ...mine, traits: 2 },
      { does: 'err', mistake: { ...mine, traits: 1 } },
    ],
  ],
  [
    'no number of it in a manifest that was current meanwhile',
    [sent, mine, { ...mine, traits: 1 }, { does: 'err', mistake: { ...mine, national: 1 } }],
  ],
];

describeWorld('What a source says by a mistake and takes back (identity.md 1)', (begin) => {
  for (const [title, steps] of CORRECTED) it(`leaves ${title}`, async () => void (await done(begin(), steps)));
});

describeWorld('What is said of many and taken back (identity.md 1)', (begin) => {
  const undone: readonly (readonly [string, Feed | Judge])[] = [
    ['a join of two who contradict each other', { does: 'join', one: ONE, other: OTHER, by: 'desk' }],
    ['another number of the first', { ...said, of: ONE, traits: 1, national: 1 }],
    ['the first without its number', { ...said, of: ONE, traits: 1, national: null }],
    ['the name of the others for the first', { ...said, of: ONE }],
    ['the first as replaced by another', { ...said, of: ONE, traits: 1, into: 1 }],
  ];
  for (const [title, mistake] of undone)
    it(`leaves who was who, and what waits for the desk: ${title}`, async () => {
      const session = await done(begin(), APART);
      expect(await reviewsWaiting(session)).to.have.length.greaterThan(2);
      await doStep(session, { does: 'err', mistake }, expectUndone);
    });

  it('leaves what a desk had said of the two before: they stay apart when they agree', async () => {
    const session = await done(begin(), [
      ...APART,
      { does: 'separate', one: ONE, other: OTHER, by: 'desk' },
      { does: 'err', mistake: { does: 'join', one: ONE, other: OTHER, by: 'desk' } },
      { ...said, of: ONE },
    ]);
    const who = partitionOf(await session.known());
    expect(who.get('strasbourg/0')).to.not.equal(who.get('nancy/0'));
  });

  it('leaves two apart whom a desk calls two, though their source merged them since: the desk counts', async () => {
    const [kept, merged] = [{ at: 'nancy', number: 0 } as const, { at: 'nancy', number: 1 } as const];
    const session = await done(begin(), [
      { does: 'image', of: kept, study: 0, instance: 0 },
      { does: 'image', of: merged, study: 0, instance: 1 },
      { does: 'separate', one: kept, other: merged, by: 'desk' },
      { ...said, of: merged, national: 1, into: 0 },
      { does: 'image', of: ABROAD, study: 1, instance: 1 },
      { does: 'err', mistake: { does: 'join', one: kept, other: ABROAD, by: 'desk' } },
    ]);
    const who = partitionOf(await session.known());
    expect(who.get('nancy/0')).to.not.equal(who.get('nancy/1'));
  });
});
