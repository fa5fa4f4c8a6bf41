/** Releases that index otherwise, one after the other and side by side: which parameters each of them serves. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Location } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { IndexDefinition } from '../../../../profiles/search/index-definition.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { JOB_POLICIES } from '../../../../server/flows/jobs/job-policies.ts';
import { JobRunners, type JobTable } from '../../../../server/flows/jobs/run-jobs.ts';
import { reindexRows } from '../../../../server/flows/search-index/reindex-rows.ts';
import { ServedParameters } from '../../../../server/flows/search-index/served-parameters.ts';
import { putOf } from '../../../../server/flows/write/plan-parts.ts';
import { JOB_KINDS } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { startMongoPeer, whyNoMongoPeer } from '../../../support/peers/mongodb-peer.ts';
import { aGrant, anId, aPlan, aQuery, NOW, SYSTEM } from '../../../support/plans.ts';
import { searchIds } from '../../../support/reads.ts';
import { openThrough, type OpenedStores } from '../../../support/stores.ts';
import { commitPlan } from '../../../support/warrants.ts';

const TYPE = 'Location';
const LOG = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const DAY = 86_400_000;

/** A release: its parameters by code, with the expressions that stand for their digests, and what sorts lists. */
type Release = { readonly version: number; readonly parameters: Record<string, string>; readonly sort?: string };

const FORMER: Release = { version: 11, parameters: { name: 'name', status: 'status' } };
const NEXT: Release = { version: 12, parameters: { name: 'name', status: 'status', alias: 'alias' } };

for (const { name, open } of [
  { name: 'SQLite', open: openSqlite },
  { name: 'MongoDB', open: openMongo },
]) {
  const missing = name === 'MongoDB' ? whyNoMongoPeer() : undefined;
  const suite = missing === undefined ? describe : describe.skip;
  suite(`Served search parameters: ${name}${missing === undefined ? '' : `, skipped, ${missing}`}`, function () {
    this.timeout(60_000);
    let stores: OpenedStores;
    let [indexer, now]: [Indexer?, number?] = [];
    before(async () => void ({ indexer } = await loadDefinitions()));
    beforeEach(async () => {
      stores = await open();
      now = NOW;
    });
    afterEach(async () => await stores.close());

    /** A server of a release, whose values are those of this one as far as it has the parameters. */
    function serverOf({ version, parameters, sort = '' }: Release) {
      const definition: IndexDefinition = { type: TYPE, version, parameters, sort };
      const definitions = new Map([[TYPE, definition] as const]);
      const has = ({ param }: { readonly param: string }): boolean =>
        Object.hasOwn(parameters, param.split(':')[0] ?? '');
      const ofRelease: Indexer = (resource) => {
        const all = indexer?.(resource);
        if (all === undefined) throw new Error('There is no indexer');
        const { tokens, references, dates, strings } = all;
        const [ofTokens, ofStrings] = [tokens.filter(has), strings.filter(has)];
        return { tokens: ofTokens, references, dates, strings: ofStrings, definition: version };
      };
      const clock = { now: () => now ?? NOW };
      const { index, records, jobs: queue } = stores;
      const served = new ServedParameters({ index, records, queue, clock, definitions });
      const work = reindexRows({ index, served, indexer: ofRelease, definitions, clock, log: LOG });
      const table = Object.fromEntries(
        JOB_KINDS.map((kind) => [kind, kind === 'reindex' ? work : async () => undefined]),
      );
      const runners = new JobRunners({
        queue,
        clock,
        log: LOG,
        policies: JOB_POLICIES,
        work: table as unknown as JobTable,
      });
      return {
        served,
        write: async (count: number, alias: string) => {
          const puts = Array.from({ length: count }, () => putOf(ofRelease, aLocation(alias), NOW));
          await commitPlan(stores.records, aPlan({ puts }));
          return puts.map(({ id }) => id);
        },
        work: async () => {
          await runners.look();
          await runners.idle();
        },
        withheld: () => ['_id', ...Object.keys(parameters)].filter((code) => !served.isServed(TYPE, code)),
      };
    }

    const jobs = async () => await stores.jobs.list({ kind: 'reindex', limit: 10 }, now ?? NOW);
    const withAlias = async (alias: string) => {
      const where = [{ kind: 'string', param: 'name', values: [alias], match: 'exact' }] as const;
      return await searchIds(stores.records, aGrant('Practitioner/1'), aQuery(TYPE, { where, count: 500 }));
    };

    it('are all of them where every row is indexed as the release does', async () => {
      const server = serverOf(FORMER);
      await server.served.begin();
      await server.write(3, 'a');
      await server.served.look();
      expect([server.withheld(), await jobs(), await server.served.report()]).to.deep.equal([[], [], []]);
    });

    it('lack what rows of another release lack, until a job has indexed them anew', async () => {
      const former = serverOf(FORMER);
      await former.served.begin();
      const ids = await former.write(120, 'b');
      const next = serverOf(NEXT);
      await next.served.begin();
      expect(next.withheld()).to.deep.equal(['alias']);
      expect(await next.served.report()).to.deep.equal([{ type: TYPE, left: 120, withheld: ['alias'] }]);
      expect((await jobs()).map(({ subject }) => subject)).to.deep.equal([TYPE]);
      const more = await next.write(2, 'b');
      await next.work();
      expect([next.withheld(), await jobs(), await next.served.report()]).to.deep.equal([[], [], []]);
      expect(await withAlias('b')).to.have.members([...ids, ...more]);
      expect(await stores.index.countStale(TYPE, [NEXT.version])).to.equal(0);
    });

    it('lack what means another thing, and what nothing is known of', async () => {
      const former = serverOf(FORMER);
      await former.served.begin();
      await former.write(1, 'c');
      const changed = serverOf({ version: 13, parameters: { name: 'name | alias', status: 'status' } });
      await changed.served.begin();
      expect(changed.withheld()).to.deep.equal(['name']);
      await serverOf({ version: 14, parameters: { name: 'name' } }).write(1, 'c');
      await changed.served.look();
      expect(changed.withheld()).to.deep.equal(['name', 'status']);
      await changed.work();
      expect(changed.withheld()).to.deep.equal([]);
    });

    it('lack that by which rows are found that were an error, until a job has indexed them anew', async () => {
      const former = serverOf(FORMER);
      await former.served.begin();
      await former.write(2, 'e');
      const next = serverOf({ ...FORMER, version: 12, parameters: { ...FORMER.parameters, 'name:in-error': 'told' } });
      await next.served.begin();
      expect((await next.served.report()).map(({ withheld }) => withheld)).to.deep.equal([['name']]);
      await next.work();
      expect(await next.served.report()).to.deep.equal([]);
    });

    it('follow a parameter that is removed, and comes back before all rows are indexed without it', async () => {
      const next = serverOf(NEXT);
      await next.served.begin();
      await next.write(2, 'd');
      const without = serverOf(FORMER);
      await without.served.begin();
      expect(without.withheld()).to.deep.equal([]);
      expect((await jobs()).length).to.equal(1);
      const [row] = await stores.index.stale(SYSTEM, TYPE, [FORMER.version], 1);
      if (row === undefined) throw new Error('No row is stale');
      await stores.index.reindex([
        { ...row, index: { tokens: [], references: [], dates: [], strings: [], definition: 11 } },
      ]);
      const again = serverOf(NEXT);
      await again.served.begin();
      expect(again.withheld()).to.deep.equal(['alias']);
      await again.work();
      expect([again.withheld(), await jobs()]).to.deep.equal([[], []]);
      expect((await withAlias('d')).length).to.equal(2);
    });

    it('go by the server that was started last; the other gives the work back and says what it misses', async () => {
      const former = serverOf({ ...FORMER, parameters: { ...FORMER.parameters, mode: 'mode' } });
      await former.served.begin();
      await former.write(2, 'e');
      const next = serverOf(NEXT);
      await next.served.begin();
      await former.work();
      expect((await jobs()).map(({ state, attempts, error }) => [state, attempts, error])).to.deep.equal([
        ['waiting', 0, undefined],
      ]);
      now = NOW + DAY;
      await next.work();
      expect([next.withheld(), await jobs()]).to.deep.equal([[], []]);
      await former.served.look();
      expect([former.withheld(), await jobs()]).to.deep.equal([['mode'], []]);
      await former.write(1, 'e');
      await next.served.look();
      expect([next.withheld(), (await jobs()).length]).to.deep.equal([['alias'], 1]);
      await next.work();
      expect([next.withheld(), (await withAlias('e')).length]).to.deep.equal([[], 3]);
    });

    it('come with the order of lists: rows keep their place unless lists are sorted otherwise', async () => {
      const former = serverOf(FORMER);
      await former.served.begin();
      await former.write(1, 'f');
      const [row] = await stores.index.stale(SYSTEM, TYPE, [0], 1);
      for (const release of [NEXT, { ...NEXT, version: 15, sort: 'status' }]) {
        const next = serverOf(release);
        await next.served.begin();
        await next.work();
        const [standing] = await stores.index.stale(SYSTEM, TYPE, [0], 1);
        expect(standing?.sort).to.equal(release.sort === undefined ? NOW : row?.updated);
        expect(standing).to.deep.include({ version: 1, json: row?.json });
      }
    });
  });
}

function aLocation(name: string): Location {
  return { resourceType: TYPE, id: anId(), status: 'active', name, alias: [name] };
}

async function openSqlite(): Promise<OpenedStores> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-served-'));
  return await openThrough({
    open: async () => await openSqliteStores({ dataDir }),
    remove: async () => await rm(dataDir, { recursive: true, force: true }),
  });
}

async function openMongo(): Promise<OpenedStores> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const uri = peer.freshUri();
  return await openThrough({ open: async () => await openMongoStores({ uri }), remove: async () => await peer.stop() });
}
