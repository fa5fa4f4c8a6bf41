/** Searches of a world that is large enough for every way of driving a statement, against the plain question in SQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { expect } from 'chai';
import { Fault } from '../../../../../profiles/fault.ts';
import { saidBy } from '../../../../../profiles/identity/said-by.ts';
import type { SortKey } from '../../../../../profiles/search/order.ts';
import type { Criterion, SearchQuery } from '../../../../../profiles/search/query.ts';
import { grantFor, systemGrant, type AnyGrant } from '../../../../../server/access/grant.ts';
import { personKey } from '../../../../../server/access/requester.ts';
import { MAX_ORDERED_ROWS, type PageEnd, type VisibleRow } from '../../../../../server/ports/record-store.ts';
import { openReader, openWriter, type Database } from '../../../../../server/stores/sqlite/database.ts';
import { seenIdentities } from '../../../../../server/stores/sqlite/read/patients.ts';
import { search } from '../../../../../server/stores/sqlite/read/search.ts';
import { fillAccessWorld, NEWEST, TOKEN } from '../../../../bench/spine/access-world.ts';
import { professional } from '../../../../bench/spine/access.ts';

const STUDIES = 20_000;
const NOW = NEWEST + 1;
/** Only the 1,000 oldest studies bear it: the top of no list decides. */
const OLD = 'OLD';

const modality = (code: string) => ({ kind: 'token', param: 'modality', values: [{ code }] }) as const;
const FREQUENT = [TOKEN.common, TOKEN.medium, 'MR'];
const status: Criterion = {
  kind: 'token',
  param: 'status',
  values: [{ code: 'available' }, { code: 'available', system: 'http://hl7.org/fhir/imagingstudy-status' }],
};
const patient: Criterion = { kind: 'reference', param: 'patient', values: ['Patient/9', 'Patient/19'] };
const early: Criterion = {
  kind: 'date',
  param: 'started',
  values: [{ prefix: 'lt', lo: NEWEST - 3_000_000, hi: NEWEST - 3_000_000 + 1 }],
};

const EARLIEST_FIRST: SortKey = { by: 'moment', param: 'started', descending: false };
const BY_ID: SortKey = { by: 'id', param: '_id', descending: false };

const QUESTIONS: Readonly<Record<string, { readonly where: readonly Criterion[]; readonly sql: string }>> = {
  everything: { where: [], sql: 'TRUE' },
  'a rare token': { where: [modality(TOKEN.rare)], sql: has(TOKEN.rare) },
  'a token of 5,000': { where: [modality(TOKEN.medium)], sql: has(TOKEN.medium) },
  'a common token': { where: [modality(TOKEN.common)], sql: has(TOKEN.common) },
  'a token of old studies only': { where: [modality(OLD)], sql: has(OLD) },
  'a token that two values name twice': { where: [status], sql: 'TRUE' },
  'a token that nothing has': { where: [modality('nothing')], sql: 'FALSE' },
  'two persons': { where: [patient], sql: "x.subject IN ('Patient/9', 'Patient/19')" },
  'a common token before a date': {
    where: [modality(TOKEN.common), early],
    sql: `${has(TOKEN.common)} AND x.sort < ${NEWEST - 3_000_000}`,
  },
  'no frequent token': {
    where: FREQUENT.map((code) => ({ ...modality(code), negated: true })),
    sql: FREQUENT.map((code) => `NOT ${has(code)}`).join(' AND '),
  },
  'two tokens': { where: [modality(TOKEN.common), modality(OLD)], sql: `${has(TOKEN.common)} AND ${has(OLD)}` },
};

function has(code: string): string {
  return `x.rid IN (SELECT rid FROM token WHERE param = 'ImagingStudy.modality' AND value = '${code}')`;
}

const patientGrant = grantFor({ kind: 'patient', person: 'person-9' } as Parameters<typeof grantFor>[0], NOW);
const GRANTS: Readonly<Record<string, AnyGrant>> = {
  'a professional of four principals': professional(NOW),
  'a patient': patientGrant,
  'the server itself': systemGrant('erase-study', 'whole', NOW),
  'the server about one person': systemGrant('resolve-identity', { person: personKey('person-9') }, NOW),
};

describe('A search of 20,000 studies on SQLite', () => {
  let dataDir: string;
  let db: Database;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-candidates-'));
    fillAccessWorld(dataDir, STUDIES);
    const writer = openWriter(join(dataDir, 'records.sqlite'));
    writer.run(
      "INSERT INTO token SELECT 'ImagingStudy.modality', ?, 'urn:test', rid FROM resource WHERE rid <= 1000",
      OLD,
    );
    // A second right of the same principal to the same rows.
    writer.run(
      "INSERT INTO acl SELECT principal, type, sort, id, right_id || '-again', rid, relation, source, valid_from, " +
        'valid_to FROM acl WHERE rid % 7 = 0',
    );
    // Rights that have ended show nothing.
    writer.run('UPDATE acl SET valid_to = 1 WHERE rid % 11 = 0');
    // Nor do those that end at the moment; those that begin at it do.
    writer.run('UPDATE acl SET valid_to = ? WHERE rid % 13 = 0', NOW);
    writer.run('UPDATE acl SET valid_from = ? WHERE rid % 17 = 0', NOW);
    writer.close();
    db = openReader(join(dataDir, 'records.sqlite'));
  });

  after(async () => {
    db.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  for (const [who, grant] of Object.entries(GRANTS)) {
    for (const [what, { where, sql }] of Object.entries(QUESTIONS)) {
      it(`gives ${who} each match of ${what} once, in order, from both ends, and counts them`, () => {
        const expected = plainly(db, grant, sql);
        expect(walk(db, grant, where)).to.deep.equal(expected);
        expect(walk(db, grant, where, [EARLIEST_FIRST])).to.deep.equal(expected.toReversed());
        if (expected.length > MAX_ORDERED_ROWS)
          expect(() => walk(db, grant, where, [BY_ID])).to.throw(Fault, 'not put in this order');
        else expect(walk(db, grant, where, [BY_ID])).to.deep.equal(expected.toSorted());
        expect(totalOf(db, grant, where, 'accurate')).to.equal(expected.length);
        expect(totalOf(db, grant, where, 'bounded')).to.equal(expected.length > 1_000 ? undefined : expected.length);
      });
    }
  }

  for (const type of ['Person', 'ImagingStudy', 'Binary'] as const)
    it(`looks for what the server asks of one person at hers alone: ${type}`, () => {
      const grant = systemGrant('resolve-identity', { person: personKey('person-9') }, NOW);
      const plans = plansOf(db, () => search(db, grant, { ...aQuery([], 100, 'none'), type }, undefined));
      const index = type === 'Person' ? 'resource_identity' : 'resource_person';
      expect(plans.join('\n')).to.include(`USING INDEX ${index} (person=?`);
      expect(plans.join('\n')).to.not.include('resource_order');
    });

  it('looks for an item of an identity in an index alone, whatever else is filed under it', () => {
    const said = saidBy({ identity: 'other', isForSource: false });
    const patient = { type: 'Patient', json: JSON.stringify({ resourceType: 'Patient', extension: [said] }) };
    const plans = plansOf(db, () => seenIdentities(db, patientGrant, [patient as VisibleRow]));
    expect(plans.join('\n')).to.include('USING COVERING INDEX resource_person (person=? AND subject=? AND type=?)');
  });
});

function plainly(db: Database, grant: AnyGrant, sql: string): string[] {
  const holders = grant.principals.map(() => '?').join(', ');
  const visible = grant.system
    ? isOfPerson(grant)
    : `x.rid IN (SELECT rid FROM acl WHERE principal IN (${holders}) AND valid_from <= ${grant.now} AND valid_to >
      ${grant.now})`;
  const text = `SELECT x.id FROM resource x WHERE x.type = 'ImagingStudy' AND ${sql} AND ${visible} ORDER BY
    x.sort DESC, x.id`;
  return db.all<{ id: string }>(text, ...grant.principals).map(({ id }) => id);
}

function isOfPerson({ subject }: Extract<AnyGrant, { system: true }>): string {
  return subject !== 'whole' && 'person' in subject ? `x.person = '${subject.person}'` : 'TRUE';
}

/** The plans of the statements that some work makes. */
function plansOf(db: Database, work: () => unknown): readonly string[] {
  const { prototype } = StatementSync;
  const { all } = prototype;
  const texts: string[] = [];
  const told = function told(this: StatementSync, ...values: unknown[]): unknown {
    texts.push(this.sourceSQL);
    return Reflect.apply(all, this, values);
  };
  Object.assign(prototype, { all: told });
  try {
    work();
  } finally {
    prototype.all = all;
  }
  const planOf = (text: string) => db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`);
  return texts.flatMap((text) => planOf(text).map(({ detail }) => detail));
}

function aQuery(where: readonly Criterion[], count: number, total: SearchQuery['total']): SearchQuery {
  return { type: 'ImagingStudy', where, count, total, include: [] };
}

function walk(db: Database, grant: AnyGrant, where: readonly Criterion[], order: readonly SortKey[] = []): string[] {
  const ids: string[] = [];
  let after: PageEnd | undefined;
  do {
    const page = search(db, grant, { ...aQuery(where, 500, 'none'), order }, after);
    ids.push(...page.rows.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}

function totalOf(
  db: Database,
  grant: AnyGrant,
  where: readonly Criterion[],
  total: SearchQuery['total'],
): number | undefined {
  return search(db, grant, aQuery(where, 0, total), undefined).total;
}
