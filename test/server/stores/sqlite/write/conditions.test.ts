import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { termsOfGrant } from '../../../../../server/access/grant.ts';
import { principal } from '../../../../../server/access/right.ts';
import { Database } from '../../../../../server/stores/sqlite/database.ts';
import { newestRid } from '../../../../../server/stores/sqlite/read/visible.ts';
import { MIGRATIONS, migrate } from '../../../../../server/stores/sqlite/schema.ts';
import { requireConditions } from '../../../../../server/stores/sqlite/write/conditions.ts';
import { aGrant, aQuery } from '../../../../support/plans.ts';
import { faultOf } from '../../../../support/thrown-fault.ts';

/** A connection that counts what it is asked. */
class Counting extends Database {
  statements = 0;
  override all<T>(...asked: Parameters<Database['all']>): T[] {
    this.statements += 1;
    return super.all<T>(...asked);
  }
}

describe('A plan that expects no match (SQLite)', () => {
  const db = new Counting(new DatabaseSync(':memory:'));
  const grant = termsOfGrant(aGrant('Practitioner/a'));
  before(() => migrate(db, MIGRATIONS.records));
  after(() => db.close());

  const make = (id: string, status: string): void => {
    const row = "INSERT INTO resource (type, id, version, updated, sort, level, released, json) VALUES ('List', ?, 1, ";
    db.run(`${row}1, 1, 0, 1, '{}')`, id);
    const rid = newestRid(db);
    db.run("INSERT INTO token (param, value, system, rid) VALUES ('List.status', ?, '', ?)", status, rid);
    const seen = `INSERT INTO acl SELECT ?, type, sort, id, 'r', rid, 'author', NULL, 0, 8640000000000000
      FROM resource WHERE rid = ?`;
    db.run(seen, principal.practitioner('Practitioner/a'), rid);
  };
  const expectNone = (since: number, ...codes: readonly string[]): number => {
    const where = [{ kind: 'token', param: 'status', values: codes.map((code) => ({ code })) }] as const;
    db.statements = 0;
    requireConditions(db, [{ kind: 'no-match', since, grant, query: aQuery('List', { where }) }]);
    return db.statements;
  };

  it('makes the writer look at what was made since alone, and at nothing when that is nothing', () => {
    for (let at = 0; at < 50; at += 1) make(`before-${at}`, 'draft');
    const since = newestRid(db);
    expect(expectNone(since + 1, 'draft', 'final')).to.equal(1);
    make('after', 'final');
    expect(expectNone(since, 'other')).to.be.greaterThan(1);
    expect(faultOf(() => expectNone(since, 'final')).kind).to.equal('conflict');
    expect(expectNone(newestRid(db) + 1, 'final')).to.equal(1);
  });
});
