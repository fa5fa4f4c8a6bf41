/** What a purge takes: what is of the one identity alone, and while she is opposed. */
import { expect } from 'chai';
import type { Communication } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { systemGrant } from '../../../../server/access/grant.ts';
import { findAll } from '../../../../server/flows/internal-reads.ts';
import { jobOf } from '../../../../server/flows/jobs/job-of.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { aPlan, anInstance, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import type { Step } from '../identity/sequences.ts';
import { openSession, visitOf, type Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { openErasing, patientsOf, type Erasing } from './her-record.ts';
import { feed, HERS, image, joinedIn, ONE, OTHER, THEIRS } from './joined-world.ts';

const BESIDE = { at: 'strasbourg', number: 1 } as const;

for (const { name, missing, open } of EACH_STORE) {
  describe(`The parts of a purge, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let deps: Erasing['deps'];
    const { told, opposed, reconsented, joined, tasks, asked, confirmed, purged, standing } = joinedIn(() => erasing);

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, deps } = erasing);
    });
    after(async () => await erasing?.close());

    async function all<T>(some: AsyncIterable<T>): Promise<readonly T[]> {
      const found: T[] = [];
      for await (const one of some) found.push(one);
      return found;
    }

    /** Under which identities something is kept aside, listed, or reported of a person. */
    async function leftOf(session: Session) {
      const { person } = (await session.known()).get('strasbourg/0') ?? expect.fail('Nobody is left');
      const grant = systemGrant('erase-record', { person }, world.now());
      const aside = await all(deps.records.quarantined(grant));
      const lists = (await findAll(deps.records, grant, 'Task', [])).filter(({ resource }) =>
        JSON.stringify(resource).includes('kept-aside'),
      );
      const reports = await findAll(deps.records, grant, 'DiagnosticReport', []);
      return { aside, lists, reports };
    }

    it('leaves what is kept aside, listed and reported of another identity of hers', async () => {
      const session = openSession(world);
      await told(session, feed(ONE, 0), image(ONE, HERS), feed(BESIDE, 1), image(BESIDE, THEIRS));
      // Under the number of the other’s study: two are not one yet.
      await told(session, image(ONE, THEIRS, 1), { does: 'report', of: ONE, study: THEIRS, isFinal: true });
      await opposed(session);
      await told(session, { does: 'join', one: ONE, other: BESIDE, by: 'desk' });
      const before = await leftOf(session);
      expect([before.aside.length, before.lists.length, before.reports.length]).to.deep.equal([1, 1, 1]);
      const task = await asked(session);
      await confirmed(session, task);
      await purged(task);
      expect(await standing(session)).to.deep.equal([HERS]);
      const { aside, lists, reports } = await leftOf(session);
      const [hers] = await patientsOf(session);
      const subjects = [...aside, ...lists.map(({ row }) => row), ...reports.map(({ row }) => row)].map(
        ({ subject }) => subject,
      );
      expect(subjects).to.deep.equal([hers, hers, hers]);
      const bytes = new Set(await all(deps.images.names(0)));
      for (const { blob } of aside) expect(bytes.has(blob.name)).to.equal(true);
    });

    /** Somebody is opposed, and another identity joins her before anything that follows from either is done. */
    async function joinedAtOnce(session: Session, meanwhile: () => Promise<void>, ...steps: readonly Step[]) {
      await told(session, feed(ONE, 0), image(ONE, HERS), feed(OTHER, 1));
      await opposed(session);
      for (const step of [...steps, feed(OTHER, 0)]) await doStep(session, step, async () => undefined);
      await meanwhile();
    }

    it('waits for a desk where of what came in nothing is derived yet', async () => {
      const session = openSession(world);
      await joinedAtOnce(session, async () => undefined, image(OTHER, THEIRS));
      await asked(session);
    });

    it('waits for a desk where something comes in as the two are joined; else none is asked', async () => {
      const late = openSession(world);
      await joinedAtOnce(late, async () => {
        const { person, patient: subject } = (await late.known()).get('nancy/0') ?? expect.fail('Nobody was there');
        const studyInstanceUID = late.studyUid(THEIRS);
        await commitPlan(deps.records, aPlan({ instances: [anInstance({ person, subject, studyInstanceUID })] }));
      });
      expect(await tasks(late)).to.deep.equal([]);
      await world.rest();
      await asked(late);
      const empty = openSession(world);
      await joinedAtOnce(empty, async () => undefined);
      await world.rest();
      expect(await tasks(empty)).to.deep.equal([]);
    });

    it('waits for a desk once where the two are parted, and joined again, before anybody looked', async () => {
      const session = openSession(world);
      const parted = [feed(OTHER, 0), feed(OTHER, 1), image(OTHER, THEIRS)];
      await joinedAtOnce(session, async () => undefined, ...parted);
      await world.rest();
      const task = await asked(session);
      const id = (await patientsOf(session))[1]?.replace('Patient/', '') ?? '';
      const key = claimKey.joinedToClosed(id);
      expect(await world.stores.records.claimed(SYSTEM, key)).to.equal(undefined);
      // An earlier server left both.
      const [hers = ''] = await patientsOf(session);
      const claims = [{ key, value: JSON.stringify([hers.replace('Patient/', '')]) }];
      await commitPlan(deps.records, aPlan({ claims }));
      const { person } = (await session.known()).get('nancy/0') ?? expect.fail('Nobody was there');
      await commitPlan(deps.records, aPlan({ jobs: [jobOf('settle-person', person, world.now())] }));
      await world.rest();
      expect(await asked(session)).to.equal(task);
      expect(await world.stores.records.claimed(SYSTEM, key)).to.equal(undefined);
    });

    it('is looked for no more where the two are parted before anybody looked', async () => {
      const session = openSession(world);
      await joinedAtOnce(session, async () => undefined);
      const id = (await patientsOf(session))[1]?.replace('Patient/', '') ?? '';
      const key = claimKey.joinedToClosed(id);
      expect(await world.stores.records.claimed(SYSTEM, key)).to.be.a('string');
      await doStep(session, feed(OTHER, 1), async () => undefined);
      expect(await world.stores.records.claimed(SYSTEM, key)).to.equal(undefined);
      await world.rest();
    });

    const FURTHER = [2, 3, 4];
    const ALL = [HERS, THEIRS, ...FURTHER];

    /** A purge of several exams that a desk confirmed, and what ends her opposition. */
    async function confirmedOf(session: Session) {
      const consent = await joined(session, ...FURTHER.map((study) => image(OTHER, study)));
      const task = await asked(session);
      await confirmed(session, task);
      return { task, reconsent: async () => await reconsented(consent) };
    }

    /** What its Task says: its status, and how many exams and instances were erased. */
    async function saidOf(task: string): Promise<readonly unknown[]> {
      const { status, output = [] } = await erasing.taskOf(task);
      const said = new Map(output.map(({ type, valueUnsignedInt }) => [type.text, valueUnsignedInt]));
      return [status, said.get('ImagingStudy'), said.get('instances')];
    }

    async function noticesOf(session: Session): Promise<readonly (string | undefined)[]> {
      const [patient = ''] = await patientsOf(session);
      const query = `category=${CODE_SYSTEM.notice}|joined-purged`;
      const found = await world.find<Communication>(await visitOf(session, patient), 'Communication', query);
      return found.map(({ payload }) => payload?.[0]?.contentString);
    }

    /** A run in which something happens as soon as an exam is gone. */
    function whenOneIsGone(session: Session, happens: () => Promise<unknown>): JobRun {
      let isDone = false;
      return {
        goOn: async () => {
          if (isDone || (await standing(session, ALL)).length === ALL.length) return;
          isDone = true;
          await happens();
        },
      };
    }

    it('stops where her opposition ends in its middle: the rest stays, and she hears of the part', async () => {
      const session = openSession(world);
      const { task, reconsent } = await confirmedOf(session);
      await purged(task, whenOneIsGone(session, reconsent));
      expect(await standing(session, ALL)).to.have.lengthOf(4);
      expect(await saidOf(task)).to.deep.equal(['failed', 1, 1]);
      const [notice, ...more] = await noticesOf(session);
      expect(notice).to.include('une partie a été effacée');
      expect(more).to.deep.equal([]);
      await purged(task);
      expect(await standing(session, ALL)).to.have.lengthOf(4);
    });

    it('is whole where a killed run had begun an exam as her opposition ended: that goes, and no other', async () => {
      const session = openSession(world);
      const { task, reconsent } = await confirmedOf(session);
      const killed = whenOneIsGone(session, async () => {
        throw new Error('killed');
      });
      expect(await errorOf(purged(task, killed))).to.have.property('message', 'killed');
      await reconsent();
      await purged(task);
      expect(await standing(session, ALL)).to.have.lengthOf(4);
      expect(await saidOf(task)).to.deep.equal(['failed', 1, 1]);
    });

    it('takes nothing where her opposition ends as the first exam is about to go', async () => {
      const session = openSession(world);
      const { task, reconsent } = await confirmedOf(session);
      const records = beforeErasing(deps.records, reconsent);
      await purged(task, undefined, { records });
      expect(await standing(session, ALL)).to.deep.equal(ALL);
      expect((await erasing.taskOf(task)).status).to.equal('cancelled');
      expect(await noticesOf(session)).to.deep.equal([]);
    });

    /** The reports (ids) of the other identity. */
    async function reportsOf(session: Session): Promise<readonly string[]> {
      const subject = (await patientsOf(session))[1];
      const grant = systemGrant('erase-record', 'whole', world.now());
      const reports = await findAll(deps.records, grant, 'DiagnosticReport', []);
      return reports.filter((one) => one.row.subject === subject).map(({ row }) => row.id);
    }

    const REPORTS: readonly Step[] = FURTHER.map((study) => ({ does: 'report', of: OTHER, study, isFinal: true }));

    it('takes from the trail nothing of what stays where her opposition ends amid her reports', async () => {
      const session = openSession(world);
      const consent = await joined(session, ...REPORTS);
      const before = await reportsOf(session);
      const task = await asked(session);
      await confirmed(session, task);
      const happens = async () => await reconsented(consent);
      const records = beforeErasing(deps.records, happens, { before: 1, type: 'DiagnosticReport' });
      const looked = new Set<string>();
      const trail = replacing(deps.trail, 'eraseEntities', async (names, ...more) => {
        for (const one of names) looked.add(one);
        return await deps.trail.eraseEntities(names, ...more);
      });
      await purged(task, undefined, { records, trail });
      const after = await reportsOf(session);
      expect([before.length, after.length]).to.deep.equal([FURTHER.length, FURTHER.length - 1]);
      const named = before.filter((id) => looked.has(`DiagnosticReport/${id}`));
      expect(named).to.deep.equal(before.filter((id) => !after.includes(id)));
    });

    it('leaves no bytes where a run is killed before they go, and the two are parted then', async () => {
      const session = openSession(world);
      await joined(session, ...REPORTS);
      const task = await asked(session);
      await confirmed(session, task);
      let gone: string | undefined;
      const images = replacing(deps.images, 'remove', async (name) => {
        const isNamed = (await all(deps.images.names(0))).includes(name);
        const reports = await reportsOf(session);
        if (!isNamed || reports.length === FURTHER.length) return await deps.images.remove(name);
        gone = name;
        throw new Error('killed');
      });
      expect(await errorOf(purged(task, undefined, { images }))).to.have.property('message', 'killed');
      await told(session, feed(OTHER, 1));
      await purged(task);
      expect(await all(deps.images.names(0))).to.not.include(gone ?? expect.fail('Nothing was cut'));
      expect(await reportsOf(session)).to.have.lengthOf(FURTHER.length - 1);
    });

    it('says how much went where a feed parts the two in its middle, and says it of a whole one', async () => {
      const parted = openSession(world);
      const { task } = await confirmedOf(parted);
      await purged(
        task,
        whenOneIsGone(parted, async () => await told(parted, feed(OTHER, 1))),
      );
      expect(await saidOf(task)).to.deep.equal(['failed', 1, 1]);
      expect(await standing(parted, ALL)).to.have.lengthOf(4);
      const whole = openSession(world);
      const { task: done } = await confirmedOf(whole);
      await purged(done);
      expect(await saidOf(done)).to.deep.equal(['completed', 4, 4]);
    });
  });
}

/** Records before one of whose commits that erase a row (of a type) something happens: the first, or one after some. */
function beforeErasing(
  records: RecordStore,
  happens: () => Promise<void>,
  { before = 0, type: of }: { readonly before?: number; readonly type?: StoredType } = {},
): RecordStore {
  let left = before;
  const commit: RecordStore['commit'] = async (warrant, plan) => {
    const isOne = plan.erased?.some(({ rows = [] }) => rows.some(({ type }) => of === undefined || type === of));
    if (isOne === true) {
      left -= 1;
      if (left === -1) await happens();
    }
    return await records.commit(warrant, plan);
  };
  return replacing(records, 'commit', commit);
}

/** A port of which one function is another. */
function replacing<T extends object, K extends keyof T>(port: T, name: K, by: T[K]): T {
  return new Proxy(port, {
    get: (target, property) => {
      const value: unknown = property === name ? by : Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
