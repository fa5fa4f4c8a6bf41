/** What is said of rows without a version, beside the rows that a server of that time wrote (fixtures/upgrade). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { unpackDataFolder } from '../../../fixtures/upgrade/data-folder.ts';
import { EARLIEST_DEFINITIONS } from '../../../profiles/search/earliest-definitions.ts';
import { sortKeyOf } from '../../../profiles/search/sort-key.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../../server/runtime/definitions.ts';
import { openWriter, type Database } from '../../../server/stores/sqlite/database.ts';

const ERA = new URL('../../../fixtures/upgrade/spine-and-intake/sqlite/files', import.meta.url).pathname;

type Row = { readonly rid: number; readonly type: StoredType; readonly json: string; readonly sort: number };

/** The values of a row as the server of the era kept them, each with its parameter first. */
function keptValues(db: Database, { rid, type }: Row): string[] {
  const values = [
    ...db.all<object>('SELECT param, value, system FROM token WHERE rid = ?', rid),
    ...db.all<object>('SELECT param, target FROM reference WHERE rid = ?', rid),
    ...db.all<object>('SELECT param, lo, hi FROM date_range WHERE rid = ?', rid),
    ...db.all<object>('SELECT param, value FROM string_value WHERE rid = ?', rid),
  ];
  return values.map((value) => JSON.stringify(Object.values(value)).replace(`["${type}.`, '["'));
}

describe('Rows that were written before versions were kept', function () {
  this.timeout(30_000);
  let [dataDir, loaded, db]: [string, LoadedDefinitions?, Database?] = [''];
  before(async () => {
    loaded = await loadDefinitions();
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-earliest-'));
    await unpackDataFolder(ERA, dataDir);
    db = openWriter(join(dataDir, 'records.sqlite'));
  });
  after(async () => {
    db?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('have the values of the parameters that are defined today as they were then', () => {
    if (db === undefined || loaded === undefined) throw new Error('Nothing is open');
    const { indexer, indexDefinitions } = loaded;
    const rows = db.all<Row>('SELECT rid, type, json, sort FROM resource');
    const compared = new Map<StoredType, number>();
    for (const row of rows) {
      const [then, now] = [EARLIEST_DEFINITIONS[row.type], indexDefinitions.get(row.type)];
      expect(then, `${row.type} is not among the earliest definitions`).to.not.equal(undefined);
      const isSame = (value: string): boolean => {
        const code = /^\["([^":.]*)/.exec(value)?.[1] ?? '';
        return then?.parameters[code] === now?.parameters[code];
      };
      const { meta, ...resource } = JSON.parse(row.json) as Resource;
      // The store's own stamp is not among the values.
      const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {};
      const put = { ...resource, meta: kept } as Resource;
      const { definition: _, ...lists } = indexer(put);
      const made = Object.values(lists).flatMap((list) => list.map((value) => JSON.stringify(valuesIn(value))));
      expect(keptValues(db, row).filter(isSame), row.type).to.have.members(made.filter(isSame));
      if (then?.sort === now?.sort) expect(row.sort).to.equal(sortKeyOf(put, row.sort));
      compared.set(row.type, (compared.get(row.type) ?? 0) + 1);
    }
    expect([...compared.keys()]).to.include.members([
      'Patient',
      'ImagingStudy',
      'DiagnosticReport',
      'DocumentReference',
    ]);
  });
});

/** The members of a value in the order of the columns. */
function valuesIn(value: object): unknown[] {
  const { param, value: text, system, ...rest } = value as Record<string, unknown>;
  return [param, ...Object.values(rest), text, system].filter((member) => member !== undefined);
}
