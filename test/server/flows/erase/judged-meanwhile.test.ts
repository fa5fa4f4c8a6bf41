/** Whom a desk or a feed joins to somebody, or separates from her, while her record is erased (R-60, ITI-104). */
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { systemGrant } from '../../../../server/access/grant.ts';
import { beginErasure } from '../../../../server/flows/erase/begin-erasure.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import { findAll } from '../../../../server/flows/internal-reads.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { CommitPlan } from '../../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { domainOf } from '../../../flows/identity/people.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import type { Feed, Step } from '../identity/sequences.ts';
import { openSession, visitOf, type Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { asked, openErasing, type Erasing } from './her-record.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const STRANGER = { at: 'strasbourg', number: 1 } as const;
const GOES_ON: JobRun = { goOn: async () => undefined };

/** A store before each commit of which something happens. */
function beforeCommits(records: RecordStore, happens: (plan: CommitPlan) => Promise<void>): RecordStore {
  return new Proxy(records, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'commit') return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      return async (...[warrant, plan]: Parameters<RecordStore['commit']>) => {
        await happens(plan);
        return await target.commit(warrant, plan);
      };
    },
  });
}

async function all<T>(some: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of some) found.push(one);
  return found;
}

function isReport({ type }: { readonly type: string }): boolean {
  return type === 'DiagnosticReport';
}

for (const { name, missing, open } of EACH_STORE) {
  describe(`Who is joined or separated while a record is erased, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let deps: Erasing['deps'];

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, deps } = erasing);
    });
    after(async () => await erasing?.close());

    async function told(session: Session, ...steps: readonly Step[]): Promise<void> {
      for (const step of steps) await doStep(session, step, async () => undefined);
      await world.rest();
    }
    const image = (of: typeof ONE | typeof OTHER | typeof STRANGER, study: number): Step => ({
      does: 'image',
      of,
      study,
      instance: 0,
    });
    const feed = (of: typeof ONE | typeof OTHER, national: number): Feed => ({
      does: 'feed',
      of,
      traits: 0,
      national,
      status: 'QUAL',
      into: null,
    });
    const JOIN: Step = { does: 'join', one: ONE, other: OTHER, by: 'desk' };
    /** What the region's desk is answered that says something of the two. */
    async function judged(session: Session, operation: 'join' | 'separate'): Promise<unknown> {
      const known = await session.known();
      const desk = await visitOf(session, 'Practitioner/demo-region-desk');
      const [one = '', other = ''] = ['strasbourg/0', 'nancy/0'].map((whose) => known.get(whose)?.patient);
      const patients = [{ reference: one }, { reference: other }] as const;
      return await errorOf(world.flows.judgeIdentities(desk, { operation, patients, reason: 'Carte' }));
    }
    const claimed = async (key: Parameters<Erasing['deps']['records']['claimed']>[1]) =>
      await world.stores.records.claimed(SYSTEM, key);

    /** Which of some studies stand, and are not being erased. */
    async function standing(session: Session, ...studies: readonly number[]): Promise<readonly number[]> {
      const owners = await Promise.all(
        studies.map(async (one) => await claimed(claimKey.study(session.studyUid(one)))),
      );
      return studies.filter((_, at) => owners[at]?.startsWith('Patient/') === true);
    }

    for (const [operation, order] of [
      ['join', []],
      ['separate', [JOIN]],
    ] as const)
      it(`$${operation} is answered 409 from the begin on; the erasure comes to its end`, async () => {
        const session = openSession(world);
        await told(session, image(ONE, 0), image(OTHER, 1), ...order);
        const task = await asked(session);
        await beginErasure(deps, task);
        const fault = await judged(session, operation);
        expect(fault).to.be.instanceOf(Fault).and.to.have.property('kind', 'conflict');
        expect((fault as Fault).message).to.match(/is being erased/);
        await eraseRecord(deps)({ subject: task, attempts: 1 }, GOES_ON);
        expect([...(await session.known()).keys()]).to.deep.equal(operation === 'join' ? ['nancy/0'] : []);
      });

    it('what a desk says while a request is read makes it begin on what stands then', async () => {
      const session = openSession(world);
      await told(session, image(ONE, 0), image(OTHER, 1), JOIN);
      const task = await asked(session);
      let meanwhile: (() => Promise<unknown>) | undefined = async () => await judged(session, 'separate');
      const records = beforeCommits(deps.records, async () => {
        const once = meanwhile;
        meanwhile = undefined;
        if (once !== undefined) await errorOf(once());
      });
      const begun = await beginErasure({ ...deps, records }, task);
      expect(begun).to.have.property('identities').with.lengthOf(1);
    });

    for (const [when, feedsAt] of [
      ['after the begin', 0],
      ['after the first step', 1],
    ] as const)
      it(`who is separated by a feed ${when} stays whole: identity, Patient, exam, claims, state`, async () => {
        const session = openSession(world);
        await told(session, feed(ONE, 0), feed(OTHER, 0), image(OTHER, 1), image(ONE, 0), image(OTHER, 2));
        const before = await session.known();
        expect(before.get('strasbourg/0')?.person).to.equal(before.get('nancy/0')?.person);
        const task = await asked(session);
        expect(await beginErasure(deps, task))
          .to.have.property('identities')
          .with.lengthOf(2);
        let steps = 0;
        let left: readonly number[] = [];
        const separate = async (): Promise<void> => {
          steps += 1;
          if (steps !== feedsAt + 1) return;
          left = await standing(session, 1, 2);
          await told(session, feed(OTHER, 1));
        };
        await separate();
        await eraseRecord(deps)({ subject: task, attempts: 1 }, { goOn: separate });
        expect(steps).to.be.greaterThan(feedsAt);
        const { patient, person, home } = before.get('nancy/0') ?? expect.fail('Nobody was there');
        const known = await session.known();
        expect([...known.keys()]).to.deep.equal(['nancy/0']);
        expect(known.get('nancy/0')).to.include({ patient, home }).and.not.include({ person });
        expect(await claimed(claimKey.study(session.studyUid(0)))).to.equal(undefined);
        expect(left.length).to.be.greaterThan(0);
        expect(await standing(session, 1, 2)).to.deep.equal(left);
        expect(await claimed(claimKey.identity(domainOf('nancy'), session.localId(OTHER)))).to.equal(patient);
        const id = patient.replace('Patient/', '');
        for (const type of ['Patient', 'Person'] as const)
          expect(await world.stores.records.peek(SYSTEM, { kind: 'resource', type, id }), type).to.be.an('object');
        expect((await erasing.taskOf(task)).status).to.equal('completed');
      });

    for (const what of ['rows', 'quarantined'] as const)
      it(`who is separated by a feed as ${what} of hers are about to go keeps them, with their bytes`, async () => {
        const session = openSession(world);
        await told(session, image(STRANGER, 3), feed(ONE, 0), feed(OTHER, 0), image(ONE, 0), image(OTHER, 3));
        await told(session, { does: 'report', of: OTHER, study: 9, isFinal: true });
        const task = await asked(session);
        let isSeparated = false;
        const records = beforeCommits(deps.records, async ({ erased = [] }) => {
          const goes = erased.some(({ rows = [], quarantined = [] }) =>
            what === 'rows' ? rows.some(isReport) : quarantined.length > 0,
          );
          if (isSeparated || !goes) return;
          isSeparated = true;
          await told(session, feed(OTHER, 1));
        });
        await errorOf(eraseRecord({ ...deps, records })({ subject: task, attempts: 1 }, GOES_ON));
        expect(isSeparated).to.equal(true);
        await eraseRecord(deps)({ subject: task, attempts: 2 }, GOES_ON);
        expect((await erasing.taskOf(task)).status).to.equal('completed');
        const { patient, person } = (await session.known()).get('nancy/0') ?? expect.fail('Nobody is left');
        const grant = systemGrant('erase-record', { person }, world.now());
        const aside = await all(deps.records.quarantined(grant));
        const reports = await findAll(deps.records, grant, 'DiagnosticReport', []);
        // What is kept aside goes before.
        expect([aside.length, reports.length]).to.deep.equal([what === 'rows' ? 0 : 1, 1]);
        expect([...aside, ...reports.map(({ row }) => row)].map(({ subject }) => subject)).to.include(patient);
        const bytes = new Set(await all(deps.images.names(0)));
        const named = deps.records.blobNames(systemGrant('sweep-images', 'whole', world.now()));
        for (const one of await all(named)) expect(bytes.has(one), one).to.equal(true);
      });

    it('a feed that would join somebody to her is answered 403: who that is stays whole', async () => {
      const session = openSession(world);
      await told(session, feed(ONE, 0), image(ONE, 0), feed(OTHER, 1), image(OTHER, 1));
      const task = await asked(session);
      await beginErasure(deps, task);
      expect(await errorOf(told(session, feed(OTHER, 0)))).to.have.property('kind', 'forbidden');
      await eraseRecord(deps)({ subject: task, attempts: 1 }, GOES_ON);
      expect([...(await session.known()).keys()]).to.deep.equal(['nancy/0']);
      expect(await claimed(claimKey.study(session.studyUid(1)))).to.be.a('string');
    });
  });
}
