/** Whom a desk or a feed joins to somebody, or separates from her, while her record is erased (R-60, ITI-104). */
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { beginErasure } from '../../../../server/flows/erase/begin-erasure.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
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
const GOES_ON: JobRun = { goOn: async () => undefined };

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
    const image = (of: typeof ONE | typeof OTHER, study: number): Step => ({ does: 'image', of, study, instance: 0 });
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
      const records = new Proxy(deps.records, {
        get: (target, property) => {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]) => {
            const once = property === 'commit' ? meanwhile : undefined;
            if (once !== undefined) meanwhile = undefined;
            if (once !== undefined) await errorOf(once());
            return (await Reflect.apply(value, target, args)) as unknown;
          };
        },
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
