/** Patients whom an earlier server joined, as it left them, become identities: who was first, and what she withdrew. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Consent, Patient, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import type { DemoPatient } from '../../../../fixtures/people.ts';
import { buildConsentChange } from '../../../../profiles/consent/privacy-consent.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { systemGrant, systemReading } from '../../../../server/access/grant.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { systemWarrant } from '../../../../server/access/system-warrant.ts';
import { adoptIdentities } from '../../../../server/flows/identity/adopt-identities.ts';
import { upgradeRecords } from '../../../../server/flows/upgrade/upgrade-records.ts';
import { rowById } from '../../../../server/flows/internal-reads.ts';
import { identityAt } from '../../../../server/flows/identity/identities.ts';
import type { IdentityChange } from '../../../../server/flows/identity/identity-change.ts';
import { placeIdentities } from '../../../../server/flows/identity/place-identity.ts';
import { filedBy, joinParts, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { openLog } from '../../../../server/log.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { anId, aPersonKey, aPlan, NOW } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import type { Stores } from '../../../support/stores.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { helene } = PATIENTS;
const STRANGER: DemoPatient = { ...helene, familyName: 'Tournemire', givenName: 'Ysaline', birthDate: '1999-09-09' };
const NAMESAKE: DemoPatient = { ...helene, national: PATIENTS.josee.national };
const SOURCES = ['strasbourg', 'nancy'] as const;
type Source = (typeof SOURCES)[number];
const REGION = aRegionIndex(
  { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' },
  {
    qualifiedSystems: [helene.national.system],
    establishments: SOURCES.map((key) => ESTABLISHMENTS[key].organization),
  },
);
const READING = systemReading('adopt-identities', NOW);

/** What an earlier server kept of a person of two sources. */
type Kept = {
  /** Who each source says that she is. */
  readonly said: readonly [DemoPatient, DemoPatient];
  /** Consents in their order: what changed, and under which source's Patient it is filed. */
  readonly consents: readonly (readonly ['withdraw' | 'reconsent', Source])[];
  readonly withdrawn: boolean;
  /** The sources that say the same again afterwards. */
  readonly again?: readonly Source[];
};

/** An identity as it stands: who it is, the Patient that doors show, and whether the record is withdrawn. */
type Found = {
  readonly id: string;
  readonly person: PersonKey;
  readonly present: string;
  readonly withdrawn: boolean;
};

for (const { name, missing, open } of EACH_STORE) {
  describe(`Identities of Patients whom an earlier server joined, on ${name}`, function () {
    this.timeout(60_000);
    let stores: Stores & { close(): Promise<void> };
    /** Another server on the same data, where there may be one. */
    let beside: Stores & { close(): Promise<void> };
    let dataDir: string;
    let remove: () => Promise<void> = async () => {};
    beforeEach(async function start() {
      if (missing() !== undefined) this.skip();
      const opened = await open();
      remove = opened.close;
      dataDir = await mkdtemp(join(tmpdir(), 'passerelle-adopt-'));
      const isSqlite = opened.store === 'sqlite';
      stores = isSqlite ? await openSqliteStores({ dataDir }) : await openMongoStores({ uri: opened.store });
      // One server to a data folder: there, two stories of the same one.
      beside = isSqlite ? stores : await openMongoStores({ uri: opened.store });
    });
    afterEach(async () => {
      if (beside !== stores) await beside?.close();
      await stores?.close();
      await remove();
      if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
    });

    /** Keeps it, and adopts; who each identity is, in the order of sources, and whether her record is withdrawn. */
    async function adopted(kept: Kept, servers = [stores]): Promise<readonly Found[]> {
      const { indexer } = await loadDefinitions();
      const ids = await keep(kept, indexer);
      const log = openLog({ level: 'error' })('identity');
      const deps = { clock: { now: () => NOW }, indexer, region: REGION, log };
      if (servers.length > 1) meetFirst(stores.records, beside.records);
      await Promise.all(servers.map(async ({ records }) => await upgradeRecords({ ...deps, records }).run()));
      return await Promise.all(ids.map(stateAt));
    }

    /** A desk says that they are two. */
    async function separate([one, other]: readonly Found[]): Promise<void> {
      const changes = [await saidApart(one, other), await saidApart(other, one)] as const;
      const { indexer } = await loadDefinitions();
      const placed = await placeIdentities({ records: stores.records, indexer, region: REGION }, changes, NOW);
      await stores.records.commit(systemWarrant('adopt-identities', ...placed.reached), joinParts(placed.parts));
    }

    async function saidApart(one: Found | undefined, other: Found | undefined): Promise<IdentityChange> {
      const standing = (await identityAt(stores.records, READING, `Patient/${one?.id}`)) ?? expect.fail('She is gone');
      const verdicts = [{ other: other?.id ?? '', same: false }];
      return { content: { ...standing.content, verdicts }, standing };
    }

    async function keep({ said, consents, withdrawn, again = [] }: Kept, indexer: Indexer): Promise<readonly string[]> {
      const [person, ids] = [aPersonKey(), said.map(() => anId())];
      const put = (resource: Patient | Consent, at: number, order: number) => {
        const origin = filedBy(ESTABLISHMENTS[SOURCES[at] ?? 'nancy'].organization);
        return putOf(indexer, resource, NOW + order, { person, subject: `Patient/${ids[at]}`, origin });
      };
      // One after the other, so that it is known who was first.
      for (const [order, key] of [...SOURCES, ...again].entries()) {
        const at = SOURCES.indexOf(key);
        const patient = { ...toPatient(said[at] ?? helene, ESTABLISHMENTS[key]), id: ids[at] ?? '' };
        const states = [{ person, change: { withdrawn } }];
        await commitPlan(stores.records, aPlan({ puts: [put(patient, at, order)], states }));
        await pause(2);
      }
      for (const [order, [change, key]] of consents.entries()) {
        const at = SOURCES.indexOf(key);
        const consent = buildConsentChange({ id: anId(), patient: `Patient/${ids[at]}`, change, now: NOW + order });
        await commitPlan(stores.records, aPlan({ puts: [put(consent, at, order)] }));
      }
      return ids;
    }

    /** How each of both servers makes an identity of a Patient (id). */
    async function adopters(): Promise<readonly ((id: string) => Promise<void>)[]> {
      const { indexer } = await loadDefinitions();
      return [stores, beside].map(({ records }) => async (id) => {
        const [step] = adoptIdentities({ records, clock: { now: () => NOW }, indexer, region: REGION });
        const row = await rowById(records, READING, 'Patient', id);
        await step?.work(row ?? expect.fail('She is gone'));
      });
    }

    /** Each server has looked before any of them commits. */
    async function adoptAtOnce(...ids: readonly [string, string]): Promise<void> {
      meetFirst(stores.records, beside.records);
      await Promise.all((await adopters()).map(async (adopt, at) => await adopt(ids[at] ?? '')));
    }

    /** The first `done` of these are identities already. */
    async function kept(said: Kept['said'], done: number): Promise<readonly [string, string]> {
      const { indexer } = await loadDefinitions();
      const consents = [['withdraw', 'nancy'] as const];
      const [one = '', other = ''] = await keep({ said, consents, withdrawn: true }, indexer);
      const [adopt] = await adopters();
      for (const id of [one, other].slice(0, done)) await adopt?.(id);
      return [one, other];
    }

    async function stateAt(id: string): Promise<Found> {
      const identity = await identityAt(stores.records, READING, `Patient/${id}`);
      const { person, present } = identity ?? expect.fail('An identity is not found');
      const { withdrawn } = await stores.records.stateOf(READING({ person }), person);
      return { id, person, present, withdrawn };
    }

    for (const key of SOURCES)
      it(`a withdrawal goes with the identity that it is filed under when they part: ${key}`, async () => {
        const [one, other] = await adopted({
          said: [helene, STRANGER],
          consents: [['withdraw', key]],
          withdrawn: true,
        });
        expect(one?.person).to.not.equal(other?.person);
        expect([one?.withdrawn, other?.withdrawn]).to.deep.equal([key === 'strasbourg', key === 'nancy']);
      });

    it('both keep a withdrawal of which nothing tells whose it is', async () => {
      const found = await adopted({ said: [helene, STRANGER], consents: [], withdrawn: true });
      expect(new Set(found.map(({ person }) => person)).size).to.equal(2);
      expect(found.map(({ withdrawn }) => withdrawn)).to.deep.equal([true, true]);
    });

    for (const key of SOURCES)
      it(`who is one person stays withdrawn, whichever of her Patients that is filed under: ${key}`, async () => {
        const found = await adopted({ said: [helene, helene], consents: [['withdraw', key]], withdrawn: true });
        expect(new Set(found.map(({ person }) => person)).size).to.equal(1);
        expect(found.map(({ withdrawn }) => withdrawn)).to.deep.equal([true, true]);
      });

    it('the Patient that was there first stays, though its source said something of it later', async () => {
      const found = await adopted({
        said: [helene, helene],
        consents: [],
        withdrawn: false,
        again: ['nancy', 'strasbourg'],
      });
      expect(found.map(({ present }) => present)).to.deep.equal([`Patient/${found[0]?.id}`, `Patient/${found[0]?.id}`]);
    });

    /** The reviews that desks are asked for: status, rule, and the identities in the order of sources. */
    async function tasks(): Promise<readonly (readonly unknown[])[]> {
      const query = { type: 'Task', where: [], count: 100, total: 'none', include: [] } as const;
      const { rows } = await stores.records.peek(systemGrant('adopt-identities', 'whole', NOW), {
        kind: 'search',
        query,
      });
      return rows.map((row) => {
        const { status, reasonCode, input = [] } = openedResource<Task>(row);
        const named = input.map(({ valueReference }) => valueReference?.reference).toSorted();
        return [status, reasonCode?.coding?.[0]?.code, named];
      });
    }

    const bothOf = (found: readonly Found[]): readonly string[] => found.map(({ id }) => `Patient/${id}`).toSorted();

    it('desks are asked to look at who was joined for nothing that joins, until they say that it is two', async () => {
      const found = await adopted({ said: [helene, NAMESAKE], consents: [], withdrawn: false });
      expect(new Set(found.map(({ person }) => person)).size).to.equal(2);
      expect(await tasks()).to.deep.equal([['requested', 'former-join', bothOf(found)]]);
      await separate(found);
      expect(await tasks()).to.deep.equal([['completed', 'former-join', bothOf(found)]]);
    });

    it('and what contradicts, where one number had joined two', async () => {
      const found = await adopted({ said: [helene, STRANGER], consents: [], withdrawn: false });
      const [task] = await tasks();
      expect(await tasks()).to.have.length(1);
      expect([task?.[0], task?.[2]]).to.deep.equal(['requested', bothOf(found)]);
      expect(task?.[1]).to.not.equal('former-join');
    });

    it('nobody is asked to look at who is one person', async () => {
      await adopted({ said: [helene, helene], consents: [], withdrawn: false });
      expect(await tasks()).to.deep.equal([]);
    });

    it('of two servers that look at two Patients of one person at once, one alone gives her key on', async () => {
      const ids = await kept([helene, STRANGER], 0);
      await adoptAtOnce(...ids);
      const found = await Promise.all(ids.map(stateAt));
      expect(new Set(found.map(({ person }) => person)).size).to.equal(2);
      expect(found.some(({ withdrawn }) => withdrawn)).to.equal(true);
    });

    it('of two servers that take one Patient out of a person at once, the second looks again', async () => {
      const ids = await kept([helene, STRANGER], 1);
      await adoptAtOnce(ids[1], ids[1]);
      const found = await Promise.all(ids.map(stateAt));
      expect(new Set(found.map(({ person }) => person)).size).to.equal(2);
      expect(found.map(({ withdrawn }) => withdrawn)).to.deep.equal([false, true]);
    });

    it('two servers that take over at once leave what one leaves', async () => {
      const consents = [['withdraw', 'nancy'] as const];
      const found = await adopted({ said: [helene, NAMESAKE], consents, withdrawn: true }, [stores, beside]);
      expect(new Set(found.map(({ person }) => person)).size).to.equal(2);
      expect(found.map(({ withdrawn }) => withdrawn)).to.deep.equal([false, true]);
      expect(await tasks()).to.deep.equal([['requested', 'former-join', bothOf(found)]]);
    });

    for (const [who, other] of Object.entries({ 'one person': helene, two: STRANGER }))
      it(`a withdrawal that ended hides nothing, whichever Patient its end is filed under: ${who}`, async () => {
        const consents = [['withdraw', 'strasbourg'] as const, ['reconsent', 'nancy'] as const];
        const found = await adopted({ said: [helene, other], consents, withdrawn: false });
        expect(found.map(({ withdrawn }) => withdrawn)).to.deep.equal([false, false]);
      });
  });
}

/** The first plan that each of two stories commits waits for that of the other, of one store or of two. */
function meetFirst(...stores: readonly [RecordStore, RecordStore]): void {
  const both = Promise.withResolvers<undefined>();
  let waiting = 0;
  for (const records of new Set(stores)) {
    const commit = records.commit.bind(records);
    const meeting = async (...order: Parameters<typeof commit>) => {
      waiting += 1;
      if (waiting === 2) both.resolve(undefined);
      await both.promise;
      return await commit(...order);
    };
    Object.assign(records, { commit: meeting });
  }
}
