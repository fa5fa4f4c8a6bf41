/** N02 of smart-security.md for a person: everything that names her goes, wherever a run is cut short. */
import { join } from 'node:path';
import { expect } from 'chai';
import { normalizeString } from '../../../../profiles/search/values.ts';
import { STORED_TYPES, VISIBILITY } from '../../../../profiles/types/visibility.ts';
import { verifyErasureCertificate } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { eraseRecord, type EraseRecordDeps } from '../../../../server/flows/erase/erase-record.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import type { AuditTrail } from '../../../../server/ports/audit-trail.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { openSession, visitOf, type Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { asked, openErasing, recordOf, type Erasing } from './her-record.ts';

const STRANGER = { at: 'strasbourg', number: 1 } as const;
const GOES_ON: JobRun = { goOn: async () => undefined };

for (const { name, missing, open } of EACH_STORE) {
  describe(`The erasure of a person, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let deps: Erasing['deps'];
    let found: Erasing['found'];

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, deps, found } = erasing);
    });
    after(async () => await erasing?.close());

    /** All that stands of a person, and who she is. */
    async function rowsOf(person: string | undefined): Promise<readonly string[]> {
      const rows: string[] = [];
      for (const type of STORED_TYPES.filter((one) => VISIBILITY[one] !== 'directory' && one !== 'AuditEvent')) {
        const query = { type, where: [], count: 500, total: 'none', include: [] } as const;
        const found = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
        rows.push(
          ...found.rows.filter((row) => row.person === person).map((row) => `${type} ${row.json as unknown as string}`),
        );
      }
      return rows.toSorted();
    }

    /** Events of a patient (`Patient/id`), with what they tell and by whom. */
    async function eventsOf(patient: string): Promise<readonly string[]> {
      await world.stores.trail.head();
      const where = [{ kind: 'reference', param: 'patient', values: [patient] }] as const;
      const query = { type: 'AuditEvent', where, count: 500, total: 'none', include: [] } as const;
      const { rows } = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
      return rows.map(({ json }) => json as unknown as string).toSorted();
    }

    /** How many events are found by the name of who acted. */
    async function actedAs(name: string): Promise<number> {
      const values = [normalizeString(name)];
      const where = [{ kind: 'string', param: 'agent-name', values, match: 'contains' }] as const;
      const query = { type: 'AuditEvent', where, count: 500, total: 'none', include: [] } as const;
      return (await world.stores.records.peek(SYSTEM, { kind: 'search', query })).rows.length;
    }

    /** A restriction of hers that ends in some days (`Task/id`). */
    async function lifted(session: Session, patient: string): Promise<string> {
      const visit = await visitOf(session, patient);
      const task = await world.flows.askAboutData(visit, { right: 'restriction', organization: undefined });
      const officer = await visitOf(session, 'Practitioner/demo-region-dpo');
      for (const verdict of ['granted', 'lifted'] as const)
        await world.flows.decideReview(officer, task.replace('Task/', ''), { verdict, comment: 'Vérifié' });
      return task;
    }

    /** What the jobs are about that end restrictions. */
    async function waiting(): Promise<readonly string[]> {
      const jobs = await world.stores.jobs.list({ kind: 'settle-ground', limit: 9 }, world.now());
      return jobs.map(({ subject }) => subject);
    }

    it('N02 leaves no byte of her, nothing of her identities, and another’s record as it is', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      await doStep(session, { does: 'image', of: STRANGER, study: 2, instance: 0 }, async () => undefined);
      await world.rest();
      expect(await found(texts)).to.deep.equal(Object.keys(texts));
      expect(await actedAs(texts['who represents her'])).to.be.greaterThan(0);
      const known = await session.known();
      const [person, another] = ['strasbourg/0', 'strasbourg/1'].map((one) => known.get(one)?.person);
      const before = await rowsOf(another);
      expect(before.length).to.be.greaterThan(3);
      const trailBefore = await eventsOf(known.get('strasbourg/1')?.patient ?? '');
      expect(trailBefore.length).to.be.greaterThan(0);
      const restriction = await lifted(session, known.get('strasbourg/0')?.patient ?? '');
      expect(await waiting()).to.include(restriction);
      const task = await asked(session);
      await eraseRecord(deps)({ subject: task, attempts: 1 }, GOES_ON);
      expect(await found(texts)).to.deep.equal([]);
      expect(await actedAs(texts['who represents her']), 'by a name').to.equal(0);
      expect(await waiting()).to.not.include(restriction);
      const left = (await rowsOf(person)).map((row) => row.split(' ')[0]);
      expect(new Set(left), 'the request, and who is told').to.deep.equal(new Set(['Task']));
      expect(await rowsOf(another)).to.deep.equal(before);
      expect(await eventsOf(known.get('strasbourg/1')?.patient ?? '')).to.deep.equal(trailBefore);
      expect((await session.known()).has('strasbourg/0')).to.equal(false);
      expect(await world.person([...known.values()][0]?.patient ?? '')).to.equal(undefined);
      await expectDone(task);
      expect(await world.stores.trail.verify(), 'N09').to.have.property('whole', true);
    });

    /** The request testifies, and says not for whom. */
    async function expectDone(task: string, told?: Certified): Promise<void> {
      const { status, for: patient, requester, output = [] } = await erasing.taskOf(task);
      expect([status, patient, requester]).to.deep.equal(['completed', undefined, undefined]);
      if (told === undefined) return;
      const certificate = await verifyErasureCertificate(output[0]?.valueString ?? '', join(erasing.keys, 'key.pub'));
      const { events, counts } = JSON.parse(certificate) as Certified;
      expect({ events, counts }, 'its certificate').to.deep.equal(told);
    }

    /** How many events have lost a part so far. */
    async function cutEvents(): Promise<number> {
      const verified = await world.stores.trail.verify();
      return verified.whole ? verified.erased : expect.fail(verified.reason);
    }

    /** How much stands that an erasure takes: all but its request, with an image that is filed, and one kept aside. */
    async function countsOf(session: Session): Promise<Readonly<Record<string, number>>> {
      const { person } = (await session.known()).get('strasbourg/0') ?? expect.fail('Nobody is there');
      const counts: Record<string, number> = { Task: -1, instances: 2 };
      for (const row of await rowsOf(person)) {
        const [type = ''] = row.split(' ');
        counts[type] = (counts[type] ?? 0) + 1;
      }
      return counts;
    }

    /** Runs it until it dies after so many changes; answers whether it came to its end. */
    async function runsUntil(changes: number, task: string, whole = deps): Promise<boolean> {
      return await eraseRecord(dyingAfter(whole, changes))({ subject: task, attempts: 1 }, GOES_ON).then(
        () => true,
        (error: unknown) => {
          if (error !== DEATH) throw error;
          return false;
        },
      );
    }

    // One who is erased for each death takes long on MongoDB: of one the deaths come later and later.
    const eachDeath = name === 'SQLite' ? it : (): void => undefined;
    eachDeath('goes on wherever a server dies: after each thing that it does', async () => {
      let changes = 1;
      for (let isDone = false; !isDone; changes += 1) {
        const session = openSession(world);
        const texts = await recordOf(session);
        const task = await asked(session);
        const [before, counts] = [await cutEvents(), await countsOf(session)];
        const watched = watching(deps);
        isDone = await runsUntil(changes, task, watched);
        if (!isDone) await eraseRecord(watched)({ subject: task, attempts: 1 }, GOES_ON);
        await world.stores.records.forget();
        expect(await found(texts), `dead after ${changes} changes`).to.deep.equal([]);
        await expectDone(task, { events: (await cutEvents()) - before, counts });
      }
      expect(changes).to.be.greaterThan(20);
      expect(await world.stores.trail.verify()).to.have.property('whole', true);
    });

    it('goes on whenever it dies, again and again', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      const task = await asked(session);
      let deaths = 0;
      const [before, counts] = [await cutEvents(), await countsOf(session)];
      const watched = watching(deps);
      while (!(await runsUntil(deaths + 1, task, watched))) deaths += 1;
      expect(deaths).to.be.greaterThan(3);
      // Dead before the store forgot, a job has it forget.
      await world.stores.records.forget();
      expect(await found(texts)).to.deep.equal([]);
      await expectDone(task, { events: (await cutEvents()) - before, counts });
    });
  });
}

/** Whoever looks through the trail gives signs of life. */
function watching(deps: EraseRecordDeps): EraseRecordDeps {
  const { trail } = deps;
  const watched: Pick<AuditTrail, 'head' | 'countErased' | 'eraseEntities' | 'erasePerson'> = {
    head: async () => await trail.head(),
    countErased: async (told) => await trail.countErased(told),
    eraseEntities: async (names, recordOf, goOn) => {
      expect(goOn, 'a sign of life').to.be.a('function');
      return await trail.eraseEntities(names, recordOf, goOn);
    },
    erasePerson: async (who, recordOf, goOn) => {
      expect(goOn, 'a sign of life').to.be.a('function');
      return await trail.erasePerson(who, recordOf, goOn);
    },
  };
  return { ...deps, trail: { ...trail, ...watched } };
}

/** What a certificate says of how much went. */
type Certified = { readonly events: number; readonly counts: object };

const DEATH = new Error('The server dies');

/** What changes stores dies after so many changes. */
function dyingAfter(deps: EraseRecordDeps, changes: number): EraseRecordDeps {
  let left = changes;
  const dies = async <T>(done: Promise<T>): Promise<T> => {
    const result = await done;
    left -= 1;
    if (left === 0) throw DEATH;
    return result;
  };
  const mortal = <T extends object>(whole: T, ...names: readonly (keyof T)[]): T =>
    new Proxy(whole, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        return names.includes(name as keyof T)
          ? async (...args: unknown[]) => await dies(Promise.resolve(call(...args)))
          : call;
      },
    });
  return {
    ...deps,
    records: mortal(deps.records, 'commit', 'forget'),
    images: mortal(deps.images, 'remove'),
    trail: mortal(deps.trail, 'eraseEntities', 'erasePerson'),
    tokens: mortal(deps.tokens, 'destroy'),
  };
}
