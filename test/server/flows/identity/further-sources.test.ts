/** Instances that several establishments sent alike, each of a patient of its own (identity.md section 4). */
import { buffer } from 'node:stream/consumers';
import type { Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { oidUri } from '../../../../profiles/codes.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { systemWarrant } from '../../../../server/access/system-warrant.ts';
import { deriveAnew } from '../../../../server/flows/aside/derive-anew.ts';
import { putAside } from '../../../../server/flows/study/put-aside.ts';
import { UnreadableInstance } from '../../../../server/flows/study/unreadable-instance.ts';
import { joinParts } from '../../../../server/flows/write/plan-parts.ts';
import type { QuarantinedInstance } from '../../../../server/ports/commit-plan.ts';
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

    it('is kept aside for each when it cannot be read: a Task and bytes of its own', async () => {
      const { session } = await begun(...KNOWN, JOINED, SENT, SAME);
      await putAsideUnreadable(session);
      const aside = await asideOf(session);
      expect(aside.toSorted()).to.deep.equal([
        ['nancy', 'nancy/0'],
        ['strasbourg', 'strasbourg/0'],
      ]);
      for (const [source = ''] of aside) expect(await tasksOf(session, source), source).to.have.length(1);
      const [left = ''] = (await tasksOf(session, 'strasbourg')).map(({ id }) => id);
      const { flows, establishment, stores } = session.world;
      await flows.clearAside(establishment(ESTABLISHMENTS.strasbourg.organization), left, { operation: 'discard' });
      expect(await asideOf(session)).to.deep.equal([['nancy', 'nancy/0']]);
      expect(await tasksOf(session, 'nancy')).to.have.length(1);
      for (const { blob } of await keptAside(session)) await buffer(await stores.images.open(blob.name));
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

/** Puts aside what several sent, which is found unreadable, and lists it for people. */
async function putAsideUnreadable({ world: { stores, now, rest }, studyUid }: Session): Promise<void> {
  const [uid, reading] = [studyUid(0), systemReading('maintain-study', now())];
  const place = { kind: 'instances', studyInstanceUID: uid, omitMetadata: true, offset: 0, limit: 9 } as const;
  const { instances } = await stores.records.peek(reading({ study: uid }), place);
  const row =
    instances.find(({ furtherSources = [] }) => furtherSources.length > 0) ?? expect.fail('One alone sent it');
  await putAside({ ...stores, clock: { now } }, reading, new UnreadableInstance(row, 'unreadable'));
  const warrant = systemWarrant('ask-for-work', 'refresh-study');
  await stores.records.commit(warrant, joinParts({ jobs: deriveAnew(uid, now()) }));
  await rest();
}

/** The Tasks of a study that an establishment has to clear. */
async function tasksOf(
  { world: { find, establishment }, studyUid }: Session,
  source: string,
): Promise<readonly Task[]> {
  const visit = establishment(ESTABLISHMENTS[source as Establishment].organization);
  const tasks = await find<Task>(visit, 'Task', 'status=requested&_count=500');
  return tasks.filter(({ focus }) => focus?.identifier?.value === oidUri(studyUid(0)));
}

async function keptAside({ world: { stores, now }, studyUid }: Session): Promise<readonly QuarantinedInstance[]> {
  const reading = systemReading('clear-aside', now())({ study: studyUid(0) });
  const aside: QuarantinedInstance[] = [];
  for await (const one of stores.records.quarantined(reading)) aside.push(one);
  return aside;
}

/** Who sent what is kept aside, and of whom. */
async function asideOf(session: Session): Promise<readonly (readonly string[])[]> {
  const known = [...(await session.known())];
  const nameOf = (subject?: string) => known.find(([, { patient }]) => patient === subject)?.[0] ?? '';
  return (await keptAside(session)).map(({ source, subject }) => [keyOf(source), nameOf(subject)]);
}

function keyOf(source: string): string {
  const keys = Object.keys(ESTABLISHMENTS) as Establishment[];
  return keys.find((key) => ESTABLISHMENTS[key].organization === source) ?? source;
}
