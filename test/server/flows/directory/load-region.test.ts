/** Loading a region file into a store: all of it or on from where it broke off, and never behind what stands. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Organization, Resource } from '@medplum/fhirtypes';
import { parseRegion, type Region } from '../../../../server/config/region.ts';
import { resourcesOf } from '../../../../server/flows/directory/directory-changes.ts';
import { readDirectory } from '../../../../server/flows/directory/read-directory.ts';
import { markOf, readMark, setMark } from '../../../../server/flows/directory/region-mark.ts';
import { loadRegion } from '../../../../server/flows/identity/load-region.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { openLog } from '../../../../server/log.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE, type OpenedStore } from '../../../support/peers/each-store.ts';
import { NOW } from '../../../support/plans.ts';

const FILE = new URL('../../../../fixtures/region/region.json', import.meta.url);
/** More than are written at a time. */
const MANY = 210;

for (const { name, missing, open } of EACH_STORE) {
  describe(`Loading a region file: ${name}`, function () {
    this.timeout(60_000);
    let opened: OpenedStore;
    let folder = '';
    let records: RecordStore;
    let close: () => Promise<void>;
    let load: ReturnType<typeof loadRegion>;
    let text = '';

    before(async function () {
      if (missing() !== undefined) this.skip();
      text = await readFile(FILE, 'utf8');
      opened = await open();
      folder = await mkdtemp(join(tmpdir(), 'passerelle-load-'));
      const log = openLog({ level: 'error' })('audit');
      const stores =
        opened.store === 'sqlite'
          ? await openSqliteStores({ dataDir: folder })
          : await openMongoStores({ uri: opened.store, log });
      ({ records } = stores);
      close = async () => await stores.close();
      const { indexer } = await loadDefinitions();
      const clock = { now: () => NOW };
      load = loadRegion({ records, clock, indexer, publicUrl: () => '', repositoryUniqueId: '2.25.1' });
    });
    after(async () => {
      await close?.();
      await opened?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** The demonstration with many further establishments of a name. */
    const named = (serial: number, called: string, count = MANY): Region => {
      const region = JSON.parse(text) as { bundle: { entry: object[] } };
      for (let at = 0; at < count; at += 1) {
        const resource: Organization = { resourceType: 'Organization', id: `many-${at}`, name: called };
        region.bundle.entry.push({ resource, request: { method: 'PUT', url: `Organization/many-${at}` } });
      }
      return parseRegion({ ...region, serial });
    };
    const standing = async (): Promise<readonly Resource[]> => await readDirectory(records, NOW);
    const namesOf = (resources: readonly Resource[]): ReadonlySet<string | undefined> =>
      new Set(resources.flatMap((one) => (one.id?.startsWith('many-') === true ? [(one as Organization).name] : [])));

    it('writes all of it, tells each change once, and nothing when nothing changed', async () => {
      const region = named(1, 'first');
      const changes = await load(region);
      expect(changes).to.have.lengthOf(resourcesOf(region).length);
      expect(new Set(changes.map(({ kind }) => kind))).to.deep.equal(new Set(['added']));
      expect(await readMark(records, NOW)).to.deep.equal(markOf(region, 'written'));
      expect(await load(region)).to.deep.equal([]);
      expect(await standing()).to.have.lengthOf(resourcesOf(region).length);
    });

    it('goes on where it was broken off, and lets no former file in between', async () => {
      const [former, region] = [named(1, 'first'), named(2, 'second')];
      await setMark(records, markOf(former, 'written'), markOf(region, 'writing'));
      expect(await errorOf(load(former))).to.include({ kind: 'conflict' });
      expect(namesOf(await standing())).to.deep.equal(new Set(['first']));
      expect(await load(region)).to.have.lengthOf(MANY);
      expect(namesOf(await standing())).to.deep.equal(new Set(['second']));
      expect((await readMark(records, NOW))?.state).to.equal('written');
    });

    it('is one file in the end, whichever of several processes loads which at one moment', async () => {
      const [newer, older] = [named(4, 'fourth'), named(3, 'third')];
      const outcomes = await Promise.allSettled([load(newer), load(older), load(newer)]);
      expect([outcomes[0]?.status, outcomes[2]?.status]).to.include('fulfilled');
      expect(await load(newer), 'nothing is left to do').to.deep.equal([]);
      expect(namesOf(await standing())).to.deep.equal(new Set(['fourth']));
      expect(await readMark(records, NOW)).to.deep.equal(markOf(newer, 'written'));
    });

    it('ends what is not there any more once, keeps it as a resource, and begins it anew', async () => {
      const gone = await load(named(5, 'fourth', MANY - 1));
      expect(gone.map(({ kind, isRemoved, reference }) => ({ kind, isRemoved, reference }))).to.deep.equal([
        { kind: 'ended', isRemoved: true, reference: `Organization/many-${MANY - 1}` },
      ]);
      expect(await load(named(6, 'fourth', MANY - 1))).to.deep.equal([]);
      const kept = (await standing()).find(({ id }) => id === `many-${MANY - 1}`);
      expect(kept).to.deep.include({ active: false, name: 'fourth' });
      expect((await load(named(7, 'fourth'))).map(({ kind }) => kind)).to.deep.equal(['changed']);
      expect(await errorOf(load(named(7, 'other')))).to.include({ kind: 'conflict' });
    });
  });
}
