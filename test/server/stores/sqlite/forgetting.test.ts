/**
 * What is erased among much else that stays: no byte of it is left in a file, though rows have moved from page to page.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claimKey, type ClaimKey } from '../../../../server/ports/claim-key.ts';
import { studyEntity } from '../../../../profiles/audit/entities.ts';
import type { CommitPlan, InstanceRow, Put } from '../../../../server/ports/commit-plan.ts';
import { openReader } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import {
  aPersonKey,
  aPlan,
  aPut,
  anAudit,
  anId,
  anInstance,
  aRight,
  aStudyPut,
  aUid,
  NO_ENTRIES,
  SYSTEM,
} from '../../../support/plans.ts';
import { eventually } from '../../../support/clients/fhir-caller.ts';
import { commitPlan } from '../../../support/warrants.ts';

const STUDIES = 400;
const INSTANCES = 8;
/** One study of so many is erased. */
const ONE_OF = 8;
const CANARY = 'Zoé-d’Arc-9317';

type Study = {
  readonly plan: CommitPlan;
  readonly put: Put;
  readonly instances: readonly InstanceRow[];
  readonly claim: ClaimKey;
  readonly uid: string;
  readonly isCanary: boolean;
};

/** A study whose every text is a canary, or is not. */
function aStudy(text: string): Study {
  const person = aPersonKey();
  const uid = aUid();
  const values = [...Array(12).keys()].map((at) => `${anId()}-${text}-${at}`);
  const named = aStudyPut(uid, { person });
  const index = {
    ...NO_ENTRIES,
    tokens: [...named.index.tokens, ...values.map((value) => ({ param: 'identifier', system: 'urn:x', value }))],
    strings: values.map((value) => ({ param: 'name', value })),
  };
  const put = { ...named, index, resource: { ...named.resource, note: values.join() } as Put['resource'] };
  const metadata = JSON.stringify({ '00100010': values.join().repeat(Math.ceil(Math.random() * 5)) });
  const instances = [...Array(INSTANCES)].map(() =>
    anInstance({
      person,
      studyInstanceUID: uid,
      sopInstanceUID: `${aUid()}.${text}`,
      seriesInstanceUID: `${aUid()}.${text}`,
      metadata,
    }),
  );
  const claim = claimKey.study(uid);
  const audit = [anAudit([person], anId(), [studyEntity(uid, undefined, { note: values.join() })])];
  return {
    uid,
    isCanary: text === CANARY,
    put,
    instances,
    claim,
    plan: aPlan({
      puts: [put, aPut({ person })],
      instances,
      claims: [{ key: claim, value: text }],
      rights: [aRight({ person })],
      audit,
    }),
  };
}

describe('Forgetting on SQLite (access.md 11.3)', function () {
  this.timeout(60_000);
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-forgetting-'));
  });
  after(async () => {
    await rm(dataDir, { recursive: true });
  });

  const hits = async (): Promise<string[]> => {
    const names = await readdir(dataDir);
    const files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(dataDir, name)) })));
    return files.filter(({ bytes }) => bytes.includes(CANARY)).map(({ name }) => name);
  };

  it('leaves no byte in the files, with what stays whole and the store open', async () => {
    const studies = [...Array(STUDIES).keys()].map((at) => aStudy(at % ONE_OF === 0 ? CANARY : 'ordinary'));
    const stores = await openSqliteStores({ dataDir });
    const gone = studies.filter(({ isCanary }) => isCanary);
    const kept = studies.filter(({ isCanary }) => !isCanary);
    const texts = async (): Promise<unknown[]> =>
      await Promise.all(
        kept.map(async ({ put, uid: studyInstanceUID }) => [
          await stores.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id }),
          await stores.records.peek(SYSTEM, { kind: 'instances', studyInstanceUID, offset: 0, limit: 100 }),
        ]),
      );
    try {
      await Promise.all(studies.map(async ({ plan }) => await commitPlan(stores.records, plan)));
      await Promise.all(studies.map(async ({ put }) => await commitPlan(stores.records, aPlan({ puts: [put] }))));
      // The trail follows by itself.
      await eventually(async () => (await hits()).includes('trail.sqlite-wal') || undefined);
      expect(await hits()).to.include('records.sqlite-wal');
      const before = await texts();
      for (const { put, instances, claim } of gone) {
        await commitPlan(
          stores.records,
          aPlan({
            erased: [
              {
                rows: [{ type: put.type, id: put.id }],
                instances: instances.map(({ sopInstanceUID }) => sopInstanceUID),
                claims: [claim],
              },
            ],
          }),
        );
      }
      expect(await stores.trail.eraseEntities(new Set(gone.map(({ uid }) => uid)), () => anAudit())).to.equal(
        gone.length,
      );
      await stores.records.forget();
      expect(await hits()).to.deep.equal([]);
      expect(await texts()).to.deep.equal(before);
      await Promise.all(
        kept.map(async ({ put }) => await commitPlan(stores.records, aPlan({ puts: [put], audit: [anAudit()] }))),
      );
      await stores.records.forget();
      expect(await hits(), 'after more was written').to.deep.equal([]);
      expect((await stores.trail.verify()).whole).to.equal(true);
    } finally {
      await stores.close();
    }
    expect(await hits(), 'after the store was closed').to.deep.equal([]);
    for (const name of ['records', 'trail']) {
      const database = openReader(join(dataDir, `${name}.sqlite`));
      expect(database.get<{ integrity_check: string }>('PRAGMA integrity_check')?.integrity_check).to.equal('ok');
      database.close();
    }
  });
});
