/** Instances that several establishments sent alike, each of a patient of its own (identity.md section 4). */
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { changesBetween, differences, snapshot, withoutGivers } from './readers.ts';
import type { Establishment, Image, Step } from './sequences.ts';
import { openSession, type Session } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';
import { openWorld, type World } from './world.ts';

const [FIRST, SECOND] = [{ at: 'strasbourg', number: 0 } as const, { at: 'nancy', number: 0 } as const];
const ELSEWHERE = { at: 'luxembourg', number: 1 } as const;
const JUDGED = { one: FIRST, other: SECOND, by: 'desk' } as const;
const [JOINED, SEPARATED] = [{ ...JUDGED, does: 'join' } as const, { ...JUDGED, does: 'separate' } as const];
/** An exam of the first: of its two instances one is what the second sends, too. */
const OWN: Image = { does: 'image', of: FIRST, study: 0, instance: 1 };
const SENT: Image = { does: 'image', of: FIRST, study: 0, instance: 0 };
const SAME: Image = { ...SENT, of: SECOND, as: 'strasbourg' };
const KNOWN: readonly Step[] = [
  OWN,
  { does: 'image', of: SECOND, study: 1, instance: 0 },
  { does: 'image', of: ELSEWHERE, study: 1, instance: 1 },
];

for (const { name, missing, open } of EACH_STORE)
  describe(`An instance that two send of one person (identity.md 4), on ${name}`, function () {
    this.timeout(180_000);
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    let world: World | undefined;
    before(async function start() {
      if (missing() !== undefined) this.skip();
      opened = await open();
      world = await openWorld(opened.store);
    });
    after(async () => {
      await world?.close();
      await opened?.close();
    });

    async function begun(...steps: readonly Step[]) {
      if (world === undefined) throw new Error('No world');
      const session = openSession(world);
      const step = async (...more: readonly Step[]): Promise<void> => {
        for (const one of more) await doStep(session, one, expectUndone);
        expect(await differences(session), JSON.stringify(more)).to.deep.equal([]);
      };
      await step(...steps);
      return { session, step };
    }

    for (const [which, order] of [
      ['the further source', [SENT, SAME]],
      ['the first source', [SAME, SENT]],
    ] as const)
      it(`is of each alone when ${which} sent it of another person since, and of both again`, async () => {
        const { session, step } = await begun(...KNOWN, JOINED, ...order);
        const together = withoutGivers(await snapshot(session));
        await step(SEPARATED);
        expect(await sourcesOf(session)).to.deep.equal([['strasbourg'], ['strasbourg']]);
        expect(await asideOf(session)).to.deep.equal([['nancy', 'nancy/0']]);
        await step(JOINED);
        expect(await sourcesOf(session)).to.deep.equal([['nancy', 'strasbourg'], ['strasbourg']]);
        expect(await asideOf(session)).to.deep.equal([]);
        expect(changesBetween(together, withoutGivers(await snapshot(session)))).to.deep.equal([]);
      });

    it('keeps the bytes of each when the other discards its own', async () => {
      const { session, step } = await begun(...KNOWN, JOINED, SAME, SENT, SEPARATED);
      await step({ does: 'discard', study: 0 });
      expect(await sourcesOf(session)).to.deep.equal([['strasbourg'], ['strasbourg']]);
      await step(JOINED);
      expect(await asideOf(session)).to.deep.equal([]);
    });

    it('keeps a copy for each where all leave', async () => {
      const owner = { ...OWN, of: ELSEWHERE } as const;
      const both = { ...JUDGED, one: ELSEWHERE, by: 'desk' } as const;
      const apart = [FIRST, SECOND].map((other): Step => ({ ...both, other, does: 'separate' }));
      const { session, step } = await begun(owner, ...KNOWN.slice(1), { ...both, other: FIRST, does: 'join' });
      await step({ ...both, does: 'join' }, SENT, SAME, ...apart);
      expect((await asideOf(session)).toSorted()).to.deep.equal([
        ['nancy', 'nancy/0'],
        ['strasbourg', 'strasbourg/0'],
      ]);
      await step({ does: 'discard', study: 0 });
      expect(await asideOf(session)).to.have.length(1);
    });

    it('has all authors after a move that takes them along, and those who sent it of others no more', async () => {
      const { session, step } = await begun(...KNOWN, JOINED, SENT, SAME);
      const together = withoutGivers(await snapshot(session));
      await step({ does: 'move', study: 0, to: ELSEWHERE, by: 'desk' });
      expect(await sourcesOf(session)).to.deep.equal([['strasbourg'], ['strasbourg']]);
      expect(await asideOf(session)).to.deep.equal([['nancy', 'nancy/0']]);
      await step({ does: 'move', study: 0, to: FIRST, by: 'desk' });
      expect(await sourcesOf(session)).to.deep.equal([['nancy', 'strasbourg'], ['strasbourg']]);
      expect(changesBetween(together, withoutGivers(await snapshot(session)))).to.deep.equal([]);
    });
  });

/** Who sent the instances that stand, by instance: those of most sources first. */
async function sourcesOf({ world: { stores, now }, studyUid }: Session): Promise<readonly (readonly string[])[]> {
  const uid = studyUid(0);
  const place = { kind: 'instances', studyInstanceUID: uid, omitMetadata: true, offset: 0, limit: 9 } as const;
  const { instances } = await stores.records.peek(systemReading('clear-aside', now())({ study: uid }), place);
  const all = instances.map(({ source, furtherSources = [] }) => [source, ...furtherSources.map((one) => one.source)]);
  return all.map((sources) => sources.map(keyOf).toSorted()).toSorted((one, other) => other.length - one.length);
}

/** Who sent what is kept aside, and of whom. */
async function asideOf(session: Session): Promise<readonly (readonly string[])[]> {
  const { stores, now } = session.world;
  const reading = systemReading('clear-aside', now())({ study: session.studyUid(0) });
  const known = [...(await session.known())];
  const aside: string[][] = [];
  for await (const { source, subject } of stores.records.quarantined(reading))
    aside.push([keyOf(source), known.find(([, { patient }]) => patient === subject)?.[0] ?? '']);
  return aside;
}

function keyOf(source: string): string {
  const keys = Object.keys(ESTABLISHMENTS) as Establishment[];
  return keys.find((key) => ESTABLISHMENTS[key].organization === source) ?? source;
}
