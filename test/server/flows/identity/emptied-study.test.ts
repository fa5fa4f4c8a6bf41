/** An exam whose own instances cannot be read, and of which a separation takes the others away (identity.md 4). */
import type { Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { oidUri } from '../../../../profiles/codes.ts';
import type { InstanceRow } from '../../../../server/ports/commit-plan.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { systemWarrant } from '../../../../server/access/system-warrant.ts';
import { deriveAnew } from '../../../../server/flows/aside/derive-anew.ts';
import { putAside } from '../../../../server/flows/study/put-aside.ts';
import { UnreadableInstance } from '../../../../server/flows/study/unreadable-instance.ts';
import { joinParts } from '../../../../server/flows/write/plan-parts.ts';
import { describeWorld } from './describe-world.ts';
import { changesBetween, differences, snapshot, withoutGivers } from './readers.ts';
import type { Step } from './sequences.ts';
import type { Session } from './session.ts';
import { doStep } from './steps.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const JUDGED = { one: ONE, other: OTHER, by: 'desk' } as const;
const [JOINED, SEPARATED] = [{ ...JUDGED, does: 'join' } as const, { ...JUDGED, does: 'separate' } as const];
const READERS = ['strasbourg', 'nancy', 'declared', 'radiologist', 'patient strasbourg/0', 'patient nancy/0'];

describeWorld('An exam that a separation leaves without instances (identity.md 4)', (begin) => {
  function begun() {
    const session = begin();
    const step = async (one: Step): Promise<void> => await doStep(session, one, async () => undefined);
    return { session, step };
  }

  /** An exam of which two establishments sent an instance each, before they are known to be of one person. */
  async function sentOfTwo() {
    const { session, step } = begun();
    await step({ does: 'image', of: ONE, study: 0, instance: 0 });
    await step({ does: 'image', of: OTHER, study: 0, instance: 1 });
    return { session, step };
  }

  async function sentBy({ world: { stores, now }, studyUid }: Session, source: string): Promise<InstanceRow> {
    const [uid, reading] = [studyUid(0), systemReading('maintain-study', now())];
    const place = { kind: 'instances', studyInstanceUID: uid, omitMetadata: true, offset: 0, limit: 9 } as const;
    const { instances } = await stores.records.peek(reading({ study: uid }), place);
    return instances.find((one) => one.source === source) ?? expect.fail('Nothing was sent');
  }

  /** Puts an instance aside that was found unreadable. */
  async function unreadable({ world: { stores, now } }: Session, row: InstanceRow): Promise<void> {
    const reading = systemReading('maintain-study', now());
    await putAside({ ...stores, clock: { now } }, reading, new UnreadableInstance(row, 'unreadable'));
  }

  /** Resolves with the instance that a source sent, which is found unreadable and put aside. */
  async function putAsideOf(session: Session, source: string): Promise<InstanceRow> {
    const { stores, now } = session.world;
    const row = await sentBy(session, source);
    await unreadable(session, row);
    const warrant = systemWarrant('ask-for-work', 'refresh-study');
    await stores.records.commit(warrant, joinParts({ jobs: deriveAnew(session.studyUid(0), now()) }));
    return row;
  }

  /** What is kept aside of an identity, by SOP Instance UID, reason and person. */
  async function asideOf({ world: { stores, now }, studyUid }: Session, identity: string | undefined) {
    const aside: (readonly string[])[] = [];
    for await (const one of stores.records.quarantined(systemReading('clear-aside', now())({ study: studyUid(0) })))
      if (one.subject === identity) aside.push([one.sopInstanceUID, one.reason, one.person ?? '']);
    return aside;
  }

  it('is hidden with its manifest and what reports tell of it, and is as it was when they are one again', async () => {
    const { session, step } = await sentOfTwo();
    await step({ does: 'image', of: ONE, study: 1, instance: 0 });
    await step({ does: 'declare', of: ONE });
    await step(JOINED);
    await session.world.rest();
    await putAsideOf(session, 'Organization/demo-strasbourg');
    await step({ does: 'report', of: OTHER, study: 0, isFinal: true });
    const before = await snapshot(session);
    const uid = session.studyUid(0);
    for (const name of READERS)
      if (name !== 'strasbourg') expect(before.get(`${name}: ImagingStudy`), name).to.include(uid);

    await step(SEPARATED);
    const apart = await snapshot(session);
    const named = `"ImagingStudy/${idIn(before, uid)}"`;
    for (const name of READERS) {
      expect(apart.get(`${name}: ImagingStudy`) ?? '', name).not.to.include(uid);
      for (const type of ['DiagnosticReport', 'DocumentReference'])
        expect(apart.get(`${name}: ${type}`) ?? '', `${name}: ${type}`).not.to.include(named);
    }

    await step(JOINED);
    expect(changesBetween(withoutGivers(before), withoutGivers(await snapshot(session)))).to.deep.equal([]);
  });

  it('leaves what cannot be read with the identity of which it was sent', async () => {
    const { session, step } = await sentOfTwo();
    await step(JOINED);
    await session.world.rest();
    const { sopInstanceUID } = await putAsideOf(session, 'Organization/demo-nancy');
    await step(SEPARATED);
    await session.world.rest();
    const other = (await session.known()).get('nancy/0');
    expect(await asideOf(session, other?.patient)).to.deep.equal([[sopInstanceUID, 'unreadable', other?.person]]);
  });

  it('lists nothing for whoever found it unreadable and comes too late: discarded, or sent again', async () => {
    const { session, step } = begun();
    for (const instance of [0, 1]) await step({ does: 'image', of: ONE, study: 0, instance });
    await session.world.rest();
    const row = await sentBy(session, 'Organization/demo-strasbourg');
    await unreadable(session, row);
    const { patient } = (await session.known()).get('strasbourg/0') ?? expect.fail('Nobody');
    await discard(session);
    await unreadable(session, row);
    expect(await asideOf(session, patient)).to.deep.equal([]);
    for (const instance of [0, 1]) await step({ does: 'image', of: ONE, study: 0, instance });
    await unreadable(session, row);
    expect(await asideOf(session, patient)).to.deep.equal([]);
    expect(await differences(session)).to.deep.equal([]);
  });

  /** Its establishment discards what is kept aside. */
  async function discard(session: Session): Promise<void> {
    const { flows, find, establishment, rest, stores, now } = session.world;
    const warrant = systemWarrant('ask-for-work', 'refresh-study');
    await stores.records.commit(warrant, joinParts({ jobs: deriveAnew(session.studyUid(0), now()) }));
    await rest();
    const visit = establishment('Organization/demo-strasbourg');
    const tasks = await find<Task>(visit, 'Task', 'status=requested&_count=500');
    const task = tasks.find(({ focus }) => focus?.identifier?.value === oidUri(session.studyUid(0)));
    await flows.clearAside(visit, task?.id ?? '', { operation: 'discard' });
  }
});

function idIn(told: ReadonlyMap<string, string>, uid: string): string {
  const study = (told.get('nancy: ImagingStudy') ?? '').split(/^\{/m).find((text) => text.includes(uid)) ?? '';
  return /"id": "([0-9a-f-]{36})"/.exec(study)?.[1] ?? expect.fail('No exam');
}
