/** A data folder of a server that joined persons for good: their identities may leave from now on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OPEN_STATE } from '../../../../server/access/decide.ts';
import { principal, rightId } from '../../../../server/access/right.ts';
import { openWriter, type Database } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../server/stores/sqlite/schema.ts';
import { aPersonKey, aPlan, aRight, aUid, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';

/** Versions of the files before identities moved. */
const [RECORDS_BEFORE, TRAIL_BEFORE] = [11, 3];

const [A, B, C] = [aPersonKey(), aPersonKey(), aPersonKey()];
const STUDY = aUid();
/** Others that sent its instance: of whom was not kept. */
const FURTHER = ['Organization/2', 'Organization/3'];
const RIGHT = aRight({ person: C, principal: principal.practitioner('Practitioner/1'), giver: 'Consent/first' });

/** A was joined to B, and B to C, who is opposed; one right is given by two Consents. */
function writeRecords(db: Database): void {
  const person = 'INSERT INTO patient_state (person, opposed, merged_into) VALUES (?, ?, ?)';
  db.run(person, A, 0, B);
  db.run(person, B, 0, C);
  db.run(person, C, 1, null);
  db.run('INSERT INTO claim (key, value) VALUES (?, ?)', `study|${STUDY}`, 'Patient/a');
  db.run(
    `INSERT INTO instance (sop_instance_uid, study_instance_uid, series_instance_uid, sop_class_uid,
       transfer_syntax_uid, blob_name, blob_size, data_set_offset, data_set_digest, metadata, source, person,
       further_sources)
     VALUES ('1.2.3', ?, '1.2', '1.2', '1.2', 'blob', 1, 0, '', '{}', 'Organization/1', ?, ?)`,
    STUDY,
    C,
    JSON.stringify(FURTHER),
  );
  for (const [at, id] of ['first', 'second', 'third'].entries())
    db.run(
      `INSERT INTO resource (rid, type, id, version, updated, sort, person, subject, level, released, json)
       VALUES (?, 'Consent', ?, 1, 0, 0, ?, ?, 0, 1, '{}')`,
      at + 1,
      id,
      C,
      id === 'first' ? 'Patient/a' : 'Patient/c',
    );
  const { id, principal: holder, relation, from, to, giver } = RIGHT;
  db.run('INSERT INTO access_right VALUES (?, ?, ?, ?, NULL, ?, ?, ?)', id, C, holder, relation, from, to, giver);
  // They began in another order than the rows were made.
  for (const name of ['third', 'second'])
    db.run('INSERT INTO further_giver (right_id, giver) VALUES (?, ?)', id, `Consent/${name}`);
}

/** What was recorded for A is shown to C. */
function writeTrail(db: Database): void {
  db.run('INSERT INTO former_person VALUES (?, ?)', A, C);
  db.run("INSERT INTO acl VALUES (?, 'AuditEvent', 0, 'event', ?, 1, 'named', NULL, 0, 9)", `pat:${C}`, `event|${A}`);
}

async function withFormer(test: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-migrating-joins-'));
  try {
    for (const [name, before, write] of [
      ['records', RECORDS_BEFORE, writeRecords],
      ['trail', TRAIL_BEFORE, writeTrail],
    ] as const) {
      const db = openWriter(join(dataDir, `${name}.sqlite`));
      migrate(db, MIGRATIONS[name].slice(0, before));
      write(db);
      db.close();
    }
    await test(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

describe('Persons that an earlier server joined (SQLite)', () => {
  it('are known by who they are at present, and their identities may leave with what is filed under them', async () => {
    await withFormer(async (dataDir) => {
      const { records, close } = await openSqliteStores({ dataDir });
      const readers = (): readonly string[] => {
        const db = openWriter(join(dataDir, 'trail.sqlite'));
        const found = db.all<{ principal: string }>('SELECT principal FROM acl');
        db.close();
        return found.map(({ principal: name }) => name);
      };
      try {
        expect(await records.stateOf(SYSTEM, C)).to.deep.equal({ ...OPEN_STATE, opposed: true });
        const instance = await records.instanceOf(SYSTEM, '1.2.3');
        expect(instance?.subject).to.equal('Patient/a');
        expect(instance?.furtherSources).to.deep.equal(FURTHER.map((source) => ({ source })));
        expect((await records.rightsOf(SYSTEM, C)).map(({ giver }) => giver)).to.deep.equal(['Consent/first']);
        const move = { identity: 'Patient/a', home: A, from: C, to: A, patient: 'Patient/a' };
        await commitPlan(records, aPlan({ moves: [move] }));
        const [ofA] = await records.rightsOf(SYSTEM, A);
        expect(ofA).to.deep.include({ giver: 'Consent/first', id: rightId({ ...RIGHT, person: A }) });
        expect((await records.rightsOf(SYSTEM, C)).map(({ giver }) => giver)).to.deep.equal(['Consent/third']);
        expect(await records.stateOf(SYSTEM, A)).to.deep.equal(OPEN_STATE);
        expect((await records.instanceOf(SYSTEM, '1.2.3'))?.person).to.equal(A);
        expect(readers()).to.deep.equal([`pat:${A}`]);
      } finally {
        await close();
      }
    });
  });
});
