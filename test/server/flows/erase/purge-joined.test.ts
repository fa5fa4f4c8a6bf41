/** what is joined to an opposed person, or to one to be erased, is purged when a desk confirms. */
import type { Communication } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import { alertOfficers } from '../../../../server/flows/notices/alert-officers.ts';
import { beginPurge } from '../../../../server/flows/erase/joined/begin-purge.ts';
import { purgeJoined } from '../../../../server/flows/erase/joined/purge-joined.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { openSession, visitOf, type Session } from '../identity/session.ts';
import { openErasing, patientsOf, type Erasing } from './her-record.ts';
import { feed, GOES_ON, HERS, image, joinedIn, ONE, OTHER, THEIRS } from './joined-world.ts';

const DAY_MS = 24 * 3_600_000;

for (const { name, missing, open } of EACH_STORE) {
  describe(`What is joined to an opposed person, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let deps: Erasing['deps'];
    const { told, opposed, reconsented, joined, desk, tasks, asked, confirmed, purged, standing } = joinedIn(
      () => erasing,
    );

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, deps } = erasing);
    });
    after(async () => await erasing?.close());

    async function separated(session: Session): Promise<unknown> {
      const [one = '', other = ''] = await patientsOf(session);
      const patients = [{ reference: one }, { reference: other }] as const;
      const judgement = { operation: 'separate', patients, reason: 'Une erreur' } as const;
      return await errorOf(world.flows.judgeIdentities(await desk(session), judgement));
    }
    const seenByNancy = async (): Promise<number> =>
      (await world.find(world.establishment(ESTABLISHMENTS.nancy.organization), 'ImagingStudy', '')).length;

    /** What she reads of the purge. */
    async function noticesOf(session: Session): Promise<readonly Communication[]> {
      const [patient = ''] = await patientsOf(session);
      const her = await visitOf(session, patient);
      return await world.find(her, 'Communication', `category=${CODE_SYSTEM.notice}|joined-purged`);
    }

    it('is hidden at once, and waits for the desk of the region alone: nothing is purged without it', async () => {
      const before = await seenByNancy();
      const session = openSession(world);
      await joined(session);
      expect(await seenByNancy()).to.equal(before);
      const task = await asked(session);
      const region = { contacts: [{ office: 'region-desk', email: 'desk@exemple.test' }], language: 'fr' } as const;
      await alertOfficers({ ...deps, region, log: { warn: () => undefined } })({ subject: task });
      expect(erasing.mails.mails.map(({ envelope, subject }) => [envelope, subject])).to.deep.equal([
        [['desk@exemple.test'], 'Un rapprochement d’identités est à confirmer'],
      ]);
      for (const other of ['Practitioner/demo-strasbourg-desk', 'Practitioner/demo-radiologist'])
        expect(await tasks(session, other), other).to.deep.equal([]);
      expect(await purged(task))
        .to.have.property('againAt')
        .that.is.greaterThan(world.now() + 43 * DAY_MS);
      expect(await standing(session)).to.deep.equal([HERS, THEIRS]);
      expect(
        await errorOf(world.flows.decideReview(await desk(session), task, { verdict: 'refused', comment: 'x' })),
      ).to.have.property('kind', 'invalid');
      // A join that was a mistake takes it back.
      expect(await separated(session)).to.equal(undefined);
      expect((await erasing.taskOf(task)).status).to.equal('cancelled');
      expect(await errorOf(confirmed(session, task))).to.have.property('kind', 'conflict');
      expect(await purged(task)).to.equal(undefined);
      expect(await standing(session)).to.deep.equal([HERS, THEIRS]);
      expect(await seenByNancy()).to.equal(before + 1);
    });

    it('is purged when the desk confirmed; a killed run goes on; her opposition stays; she is told', async () => {
      const session = openSession(world);
      await joined(session);
      const task = await asked(session);
      await confirmed(session, task);
      let steps = 0;
      const killed: JobRun = {
        goOn: async () => {
          steps += 1;
          if (steps === 2) throw new Error('killed');
        },
      };
      expect(await errorOf(purged(task, killed))).to.have.property('message', 'killed');
      expect((await erasing.taskOf(task)).status).to.equal('in-progress');
      expect(await separated(session)).to.have.property('kind', 'conflict');
      await purged(task);
      expect(await standing(session)).to.deep.equal([HERS]);
      expect((await erasing.taskOf(task)).status).to.equal('completed');
      const known = await session.known();
      const [, other = ''] = await patientsOf(session);
      const person = known.get('nancy/0')?.person ?? expect.fail('The identity is gone');
      expect(await world.stores.records.stateOf(SYSTEM, person)).to.include({ opposed: true });
      await purged(task);
      const notices = await noticesOf(session);
      expect(notices).to.have.lengthOf(1);
      expect(JSON.stringify(notices)).to.not.include(other);
      // What comes later under either number is refused.
      expect(await errorOf(told(session, image(OTHER, 2)))).to.have.property('kind', 'business-rule');
    });

    const onSqlite = name === 'SQLite' ? it : undefined;
    // What differs between the stores is the commit, which has a proof of its own.
    onSqlite?.('goes on wherever it was killed: after each durable change', async () => {
      let isKilled = true;
      for (let last = 1; isKilled; last += 1) {
        const session = openSession(world);
        await joined(session);
        const task = await asked(session);
        await confirmed(session, task);
        const records = killedAfter(deps.records, last);
        const error = await errorOf(purgeJoined({ ...deps, records })({ subject: task }, GOES_ON));
        isKilled = error !== undefined;
        if (isKilled) expect(error).to.have.property('message', 'killed');
        else expect(last).to.be.greaterThan(5);
        await purged(task);
        await world.stores.records.forget();
        expect(await standing(session), `after ${last}`).to.deep.equal([HERS]);
        expect((await erasing.taskOf(task)).status, `after ${last}`).to.equal('completed');
        expect(await noticesOf(session), `after ${last}`).to.have.lengthOf(1);
      }
    });

    it('is separated again on day 44 if no desk has confirmed, and stays so whatever a feed says', async () => {
      const session = openSession(world);
      await joined(session);
      const task = await asked(session);
      world.tick(44 * DAY_MS);
      await purged(task);
      const apart = async (): Promise<void> => {
        const known = await session.known();
        expect(known.get('nancy/0')?.person).to.not.equal(known.get('strasbourg/0')?.person);
      };
      await apart();
      expect((await erasing.taskOf(task)).status).to.equal('cancelled');
      await told(session, feed(OTHER, 0));
      await apart();
      expect(await standing(session)).to.deep.equal([HERS, THEIRS]);
    });

    it('is purged where the desk was answered as it was to be separated on day 44', async () => {
      const session = openSession(world);
      await joined(session);
      const task = await asked(session);
      world.tick(44 * DAY_MS);
      const records = afterReading(deps.records, 'Task', async () => await confirmed(session, task));
      await purgeJoined({ ...deps, records })({ subject: task }, GOES_ON);
      expect((await erasing.taskOf(task)).status).to.equal('completed');
      expect(await standing(session)).to.deep.equal([HERS]);
    });

    it('stays where the opposition ended before the purge began, or a feed parts the two in its middle', async () => {
      const ended = openSession(world);
      const consent = await joined(ended);
      const over = await asked(ended);
      await confirmed(ended, over);
      await reconsented(consent);
      await purged(over);
      expect(await standing(ended)).to.deep.equal([HERS, THEIRS]);
      expect((await erasing.taskOf(over)).status).to.equal('cancelled');
      const parted = openSession(world);
      await joined(parted);
      const task = await asked(parted);
      await confirmed(parted, task);
      expect(await beginPurge(deps, task)).to.include({ task });
      await told(parted, feed(OTHER, 1));
      await purged(task);
      expect(await standing(parted)).to.deep.equal([HERS, THEIRS]);
      expect((await erasing.taskOf(task)).status).to.equal('cancelled');
    });

    it('is the older one’s, too, where whoever is opposed was known later', async () => {
      const session = openSession(world);
      await told(session, feed(OTHER, 1), image(OTHER, THEIRS), feed(ONE, 0), image(ONE, HERS));
      await opposed(session);
      await told(session, feed(OTHER, 0));
      const task = await asked(session);
      expect((await erasing.taskOf(task)).for).to.deep.equal({ reference: (await patientsOf(session))[1] });
      await confirmed(session, task);
      await purged(task);
      expect(await standing(session)).to.deep.equal([HERS]);
    });

    it('stays when her record is erased, asked for after the join, before a desk has confirmed', async () => {
      const session = openSession(world);
      await joined(session);
      const waiting = await asked(session);
      const [patient = '', other = ''] = await patientsOf(session);
      const request = (await world.flows.requestErasure(await visitOf(session, patient))).replace('Task/', '');
      world.tick(31 * DAY_MS);
      await eraseRecord(deps)({ subject: request, attempts: 1 }, GOES_ON);
      expect(await standing(session)).to.deep.equal([THEIRS]);
      expect([...(await session.known()).keys()]).to.deep.equal(['nancy/0']);
      // A desk is asked no more about a join with nobody.
      const { records } = world.stores;
      expect(await records.peek(SYSTEM, { kind: 'resource', type: 'Task', id: waiting })).to.equal(undefined);
      expect(await records.claimed(SYSTEM, claimKey.joinedPurge(other.replace('Patient/', '')))).to.equal(undefined);
    });

    it('goes with the erasure of the record that is asked for, on its day, if a desk has confirmed', async () => {
      const session = openSession(world);
      await told(session, feed(ONE, 0), image(ONE, HERS), feed(OTHER, 1), image(OTHER, THEIRS));
      const [patient = ''] = await patientsOf(session);
      const request = (await world.flows.requestErasure(await visitOf(session, patient))).replace('Task/', '');
      await told(session, { does: 'join', one: ONE, other: OTHER, by: 'desk' });
      const task = await asked(session);
      await confirmed(session, task);
      expect(await purged(task)).to.have.property('againAt');
      expect(await standing(session)).to.deep.equal([HERS, THEIRS]);
      world.tick(31 * DAY_MS);
      await eraseRecord(deps)({ subject: request, attempts: 1 }, GOES_ON);
      expect(await standing(session)).to.deep.equal([]);
      expect([...(await session.known()).keys()]).to.deep.equal([]);
      expect(await purged(task)).to.equal(undefined);
    });
  });
}

/** Records of which, when a row of a type was read first, something happens. */
function afterReading(records: RecordStore, type: StoredType, happens: () => Promise<void>): RecordStore {
  let isFirst = true;
  return new Proxy(records, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const done: unknown = Reflect.apply(value, target, args);
        const question = args[1] as { readonly type?: StoredType } | undefined;
        if (!isFirst || question?.type !== type) return done;
        isFirst = false;
        return Promise.resolve(done).then(async (read) => {
          await happens();
          return read;
        });
      };
    },
  });
}

/** Records of a server that dies when its commit of this number (from 1) is durable. */
function killedAfter(records: RecordStore, last: number): RecordStore {
  let commits = 0;
  return new Proxy(records, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const done: unknown = Reflect.apply(value, target, args);
        if (property !== 'commit') return done;
        commits += 1;
        if (commits !== last) return done;
        return Promise.resolve(done).then(() => {
          throw new Error('killed');
        });
      };
    },
  });
}
