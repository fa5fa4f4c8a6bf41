/** Every place where something of a person may lie has a rule of its erasure: a new one fails here until it has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { STORED_TYPES, VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { ERASED_TYPES, PERSON_TYPES } from '../../../../server/access/system-warrant.ts';
import { collectionsOf } from '../../../../server/stores/mongodb/collections.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';

/** How what is of a person goes from a table or collection. */
type Rule =
  /** With the rows that an erasure names. */
  | 'row'
  /** Named by the erasure: instances, what is kept aside, claims, jobs, what was given to her. */
  | 'named'
  /** With the personal parts of her events. */
  | 'trail'
  /** It holds random ids, times and switches alone, or the directory. */
  | 'nothing of her'
  /** It is removed in a day, and holds random ids alone. */
  | 'passing';

const TABLES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  records: {
    access_right: 'row',
    access_version: 'nothing of her',
    acl: 'row',
    audit_outbox: 'trail',
    claim: 'named',
    date_range: 'row',
    deleted: 'row',
    deleted_reader: 'row',
    filed_reference: 'row',
    further_giver: 'row',
    history: 'row',
    index_definition: 'nothing of her',
    instance: 'named',
    job: 'named',
    patient_state: 'nothing of her',
    plan: 'passing',
    quarantine: 'named',
    reference: 'row',
    resource: 'row',
    string_value: 'row',
    token: 'row',
  },
  tokens: { access_version: 'nothing of her', token: 'named', used_name: 'passing' },
  trail: {
    acl: 'nothing of her',
    chain: 'nothing of her',
    date_range: 'nothing of her',
    event_form: 'nothing of her',
    former_person: 'nothing of her',
    personal: 'trail',
    reference: 'nothing of her',
    resource: 'nothing of her',
    string_value: 'nothing of her',
    token: 'nothing of her',
    unindexed: 'nothing of her',
  },
};

const COLLECTIONS: Readonly<Record<string, Rule>> = {
  acl: 'row',
  audit_chain: 'nothing of her',
  audit_events: 'trail',
  audit_personal: 'trail',
  claims: 'named',
  commits: 'passing',
  history: 'row',
  index_definitions: 'nothing of her',
  instances: 'named',
  jobs: 'named',
  leases: 'nothing of her',
  meta: 'nothing of her',
  persons: 'nothing of her',
  quarantine: 'named',
  rights: 'row',
  rows: 'row',
  tokens: 'named',
  used_names: 'passing',
};

describe('What the erasure of a person takes', () => {
  it('has a rule for every type', () => {
    const kept = STORED_TYPES.filter((type) => VISIBILITY[type] === 'directory');
    const ruled: readonly StoredType[] = ['ImagingStudy', 'AuditEvent', ...ERASED_TYPES, ...PERSON_TYPES, ...kept];
    expect(ruled.toSorted()).to.deep.equal(STORED_TYPES.toSorted());
  });

  it('has a rule for every table of SQLite', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-what-goes-'));
    try {
      await (await openSqliteStores({ dataDir })).close();
      for (const [file, rules] of Object.entries(TABLES)) {
        const database = new DatabaseSync(join(dataDir, `${file}.sqlite`));
        const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        database.close();
        const names = tables.map(({ name }) => String(name)).filter((name) => !name.startsWith('sqlite_'));
        expect(names.toSorted(), file).to.deep.equal(Object.keys(rules).toSorted());
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('has a rule for every collection of MongoDB', () => {
    const client = new MongoClient('mongodb://localhost');
    const { client: _, ...collections } = collectionsOf(client, client.db('any'));
    const names = new Set(Object.values(collections).map(({ collectionName }) => collectionName));
    expect([...names].toSorted()).to.deep.equal(Object.keys(COLLECTIONS).toSorted());
  });
});
