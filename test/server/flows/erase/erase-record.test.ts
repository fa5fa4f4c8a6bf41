/** The day of a request to erase a record: its exams go, others stay, and a run that was cut short goes on. */
import { readFile, rm } from 'node:fs/promises';
import type { Encounter, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { indexRegion } from '../../../../server/flows/identity/region-index.ts';
import { eraseRecord, type EraseRecordDeps } from '../../../../server/flows/erase/erase-record.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { parseRegion } from '../../../../server/config/region.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { formsOf, placesWith, type Canaries } from '../../../support/data-folder/erasing.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE, type OpenedStore } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { openSession, type Session } from '../identity/session.ts';
import type { Step } from '../identity/sequences.ts';
import { doStep } from '../identity/steps.ts';
import { openWorld, worldFolder, type World } from '../identity/world.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const STRANGER = { at: 'strasbourg', number: 1 } as const;
const JOIN: Step = { does: 'join', one: ONE, other: OTHER, by: 'desk' };
const DAY_MS = 24 * 3_600_000;
const GOES_ON: JobRun = { goOn: async () => undefined };

const DEATH = new Error('The server dies');

/** Records whose server dies when a report is erased. */
function dyingAfterReport(records: RecordStore): RecordStore {
  const commit: RecordStore['commit'] = async (warrant, plan) => {
    const receipt = await records.commit(warrant, plan);
    const rows = (plan.erased ?? []).flatMap((erased) => erased.rows ?? []);
    if (rows.some(({ type }) => type === 'DiagnosticReport')) throw DEATH;
    return receipt;
  };
  return new Proxy(records, {
    get: (target, property) => {
      const value: unknown = property === 'commit' ? commit : Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

for (const { name, missing, open } of EACH_STORE) {
  describe(`The day of an erasure, on ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let world: World;
    let folder: string;
    let depsAfter: (days: number) => EraseRecordDeps;
    let erase: (task: string, days: number, run?: JobRun) => Promise<{ readonly againAt: number } | void>;

    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      folder = await worldFolder();
      world = await openWorld(opened.store, folder);
      const { indexer } = await loadDefinitions();
      const file = new URL('../../../../fixtures/region/region.json', import.meta.url);
      const region = indexRegion(parseRegion(JSON.parse(await readFile(file, 'utf8'))));
      depsAfter = (days) => ({
        ...world.stores,
        clock: { now: () => world.now() + days * DAY_MS },
        indexer,
        region,
        publicUrl: () => '',
      });
      erase = async (task, days, run = GOES_ON) => {
        const again = await eraseRecord(depsAfter(days))({ subject: task.replace('Task/', ''), attempts: 1 }, run);
        // What follows from it is due by then.
        if (again === undefined) world.tick(days * DAY_MS);
        return again;
      };
    });
    after(async () => {
      await world?.close();
      await opened?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    async function begun(...steps: readonly Step[]): Promise<Session> {
      const session = openSession(world);
      await told(session, ...steps);
      return session;
    }
    async function told(session: Session, ...steps: readonly Step[]): Promise<void> {
      for (const step of steps) await doStep(session, step, async () => undefined);
      await world.rest();
    }
    const image = (of: typeof ONE | typeof OTHER | typeof STRANGER, study: number, instance = 0): Step => ({
      does: 'image',
      of,
      study,
      instance,
    });
    /** She asks, signed in as the identity of Strasbourg; resolves with the request. */
    const asked = async (session: Session): Promise<string> => {
      const { patient = '' } = (await session.known()).get('strasbourg/0') ?? {};
      const visit = await world.person(patient);
      return await world.flows.requestErasure(visit ?? expect.fail('Nobody signs in'));
    };
    const statusOf = async (task: string): Promise<string | undefined> => {
      const id = task.replace('Task/', '');
      const row = await world.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Task', id });
      return row === undefined ? undefined : openedResource<Task>(row).status;
    };
    /** Which of some studies stand. */
    const standing = async (session: Session, ...studies: readonly number[]): Promise<readonly number[]> => {
      const found: number[] = [];
      for (const study of studies) {
        const owner = await world.stores.records.claimed(SYSTEM, claimKey.study(session.studyUid(study)));
        if (owner !== undefined) found.push(study);
      }
      return found;
    };

    it('erases nothing before it, nor of a request that was cancelled', async () => {
      const session = await begun(image(ONE, 0));
      const task = await asked(session);
      const early = await erase(task, 29);
      expect((early?.againAt ?? 0) - world.now()).to.be.within(29 * DAY_MS, 30 * DAY_MS);
      expect([await standing(session, 0), await statusOf(task)]).to.deep.equal([[0], 'requested']);
      const { patient = '' } = (await session.known()).get('strasbourg/0') ?? {};
      const visit = (await world.person(patient)) ?? expect.fail('Nobody signs in');
      await world.flows.cancelErasure(visit);
      expect(await erase(task, 46)).to.equal(undefined);
      expect([await standing(session, 0), await statusOf(task)]).to.deep.equal([[0], 'cancelled']);
    });

    it('erases the exams of all who were she then, and of nobody else; nobody cancels it any more', async () => {
      const session = await begun(image(ONE, 0), image(OTHER, 1), image(STRANGER, 2), JOIN);
      const { patient = '' } = (await session.known()).get('strasbourg/0') ?? {};
      const visit = (await world.person(patient)) ?? expect.fail('Nobody signs in');
      const task = await asked(session);
      expect(await erase(task, 31)).to.equal(undefined);
      expect([await standing(session, 0, 1, 2), await statusOf(task)]).to.deep.equal([[2], 'completed']);
      expect(await errorOf(world.flows.cancelErasure(visit))).to.have.property('kind', 'not-found');
    });

    it('leaves what became hers by a join since the request', async () => {
      const session = await begun(image(ONE, 0), image(OTHER, 1));
      const task = await asked(session);
      await told(session, JOIN);
      await erase(task, 31);
      expect(await standing(session, 0, 1)).to.deep.equal([1]);
      const person = (await session.known()).get('nancy/0')?.person;
      expect(await countOf(person), 'the bytes of its manifest').to.equal(1);
      // What is left of the two is settled without her, on the day of the erasure.
      await world.rest();
    });

    it('leaves what is kept aside for others under the number of a study of hers', async () => {
      const session = await begun(image(ONE, 0), image(STRANGER, 0, 1));
      expect(await asideOf(session)).to.equal(1);
      await erase(await asked(session), 31);
      expect([await standing(session, 0), await asideOf(session)]).to.deep.equal([[], 1]);
    });

    it('erases what is kept aside of hers, and its list, under the number of another’s study', async () => {
      const session = await begun(image(STRANGER, 0), image(ONE, 0, 1), image(ONE, 1));
      expect(await asideOf(session)).to.equal(1);
      const person = (await session.known()).get('strasbourg/0')?.person;
      expect(await listsOf(person)).to.deep.equal(['requested']);
      await erase(await asked(session), 31);
      expect([await standing(session, 0, 1), await asideOf(session)]).to.deep.equal([[0], 0]);
      expect(await listsOf(person)).to.deep.equal([]);
    });

    /** Instances that are kept aside of a study. */
    async function asideOf(session: Session): Promise<number> {
      let count = 0;
      for await (const one of world.stores.records.quarantined(SYSTEM))
        if (one.studyInstanceUID === session.studyUid(0)) count += 1;
      return count;
    }
    /** The status of each list of what is kept aside of a person. */
    async function listsOf(person: string | undefined): Promise<readonly (string | undefined)[]> {
      const query = { type: 'Task', where: [], count: 500, total: 'none', include: [] } as const;
      const { rows } = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
      const tasks = rows.filter((row) => row.person === person).map((row) => openedResource<Task>(row));
      return tasks.filter(({ code }) => code?.coding?.[0]?.code === 'kept-aside').map(({ status }) => status);
    }

    it('N02 erases reports of no exam and visits too, with every version: no byte is left', async () => {
      const report = (of: typeof ONE | typeof STRANGER, isFinal: boolean): Step => ({
        does: 'report',
        of,
        study: 77,
        isFinal,
      });
      const session = await begun(image(ONE, 0), image(STRANGER, 2), report(ONE, false), report(ONE, true));
      await told(session, report(STRANGER, true));
      const known = await session.known();
      for (const whose of ['strasbourg/0', 'strasbourg/1'])
        for (const status of ['in-progress', 'finished'] as const)
          await visited(known.get(whose)?.patient ?? '', `${session.run} visite ${whose} ${status}`, status);
      const deleted = `demo-strasbourg.gone-${session.run}`;
      await visited(known.get('strasbourg/0')?.patient ?? '', `${session.run} visite retirée`, 'finished', deleted);
      await world.write(ofStrasbourg(), { interaction: 'delete', type: 'Encounter', id: deleted });
      await world.rest();
      const texts = {
        report: session.reportIdentifier('strasbourg/0/77').split('|')[1] ?? '',
        pdf: 'strasbourg/0/77',
        'former visit': `${session.run} visite strasbourg/0 in-progress`,
        visit: `${session.run} visite strasbourg/0 finished`,
        'deleted visit': `${session.run} visite retirée`,
        study: session.studyUid(0),
      };
      const canaries = new Map(Object.entries(texts).map(([what, text]) => [what, formsOf(text)] as const));
      for (const [what, count] of await hits(canaries)) expect(count, what).to.be.greaterThan(0);
      const others = new Map([['visit of another', formsOf(`${session.run} visite strasbourg/1 finished`)]]);
      // Whoever finds nothing has an event that is nobody's.
      const doctor = (await world.person('Practitioner/demo-stranger')) ?? expect.fail('Nobody signs in');
      await world.find(doctor, 'DiagnosticReport', `identifier=${session.reportIdentifier('strasbourg/0/77')}`);
      const task = await asked(session);
      const dying = { ...depsAfter(31), records: dyingAfterReport(world.stores.records) };
      const death = await errorOf(eraseRecord(dying)({ subject: task.replace('Task/', ''), attempts: 1 }, GOES_ON));
      expect(death, 'the server dies once').to.equal(DEATH);
      await erase(task, 31);
      expect([...(await hits(canaries))].filter(([, count]) => count > 0)).to.deep.equal([]);
      expect((await hits(others)).get('visit of another')).to.be.greaterThan(0);
      expect(await standing(session, 0, 2)).to.deep.equal([2]);
      const [hers, another] = ['strasbourg/0', 'strasbourg/1'].map((one) => known.get(one)?.person);
      expect([await countOf(hers), await countOf(another)]).to.deep.equal([0, 4]);
    });

    const ofStrasbourg = () => world.establishment('Organization/demo-strasbourg');
    /** Writes a visit, or what is said of it later, as Strasbourg does. */
    async function visited(
      patient: string,
      text: string,
      status: 'in-progress' | 'finished',
      id = `demo-strasbourg.${patient.slice('Patient/'.length, -1)}`,
    ): Promise<string> {
      const code = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' };
      const resource: Encounter = {
        resourceType: 'Encounter',
        id,
        status,
        class: code,
        subject: { reference: patient },
        reasonCode: [{ text }],
      };
      return await world.write(ofStrasbourg(), { interaction: 'update', type: 'Encounter', id, resource });
    }
    /** Reports, documents and visits of a person. */
    async function countOf(person: string | undefined): Promise<number> {
      let count = 0;
      for (const type of ['DiagnosticReport', 'Encounter', 'Binary'] as const) {
        const query = { type, where: [], count: 500, total: 'none', include: [] } as const;
        const { rows } = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
        count += rows.filter((row) => row.person === person).length;
      }
      return count;
    }
    const hits = async (canaries: Canaries): Promise<Map<string, number>> =>
      await placesWith(folder, opened.store, canaries);

    it('goes on with the rest when it was cut short after a study', async () => {
      const session = await begun(image(ONE, 0), image(ONE, 1), image(ONE, 2));
      const task = await asked(session);
      let steps = 0;
      const dies: JobRun = {
        goOn: async () => {
          steps += 1;
          if (steps === 5) throw new Error('The server dies');
        },
      };
      await errorOf(erase(task, 31, dies));
      const left = await standing(session, 0, 1, 2);
      expect(left.length).to.be.within(1, 3);
      await erase(task, 31);
      // The study that it died at, too, before the record is said to be gone.
      expect(await standing(session, 0, 1, 2)).to.deep.equal([]);
    });
  });
}
