/**
 * Search. One of three sides drives a statement: the access table of each principal in list order, the search values
 * when they are few (counted first, never guessed), or the rows of the type where no right is needed.
 */
import type { Criterion, TokenValue } from '../../../profiles/search-criterion.ts';
import type { SearchQuery } from '../../../profiles/search-query.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/visibility.ts';
import type { Grant } from '../../access/grant.ts';
import type { PageEnd, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { conditionsOf, marks, type PlainCriterion, type Sql } from './criteria.ts';
import type { Database } from './database.ts';
import { includedRows } from './include.ts';
import { isOpen, isPart, ROW_COLUMNS, toVisibleRow, visibleCondition, type SelectedRow } from './visible.ts';

/** Up to this many matches of one parameter, the parameter drives the statement. */
const FEW = 4_000;
const TOTAL_BOUND = 1_000;
const CHAIN_BOUND = 1_000;

/** Answers a search: a full page, its includes, the total as asked. */
export function search(db: Database, grant: Grant, query: SearchQuery, after: PageEnd | undefined): SearchPage {
  const criteria = query.where.map((criterion) => plain(db, grant, criterion));
  const candidates = candidatesOf(db, grant, query.type, criteria);
  const total = totalOf(candidates, query);
  if (query.summary === 'count' || query.count === 0) return { rows: [], included: [], total, next: undefined };
  const { rows, next } = pageOf(db, grant, candidates, query, after);
  return { rows, included: includedRows(db, grant, rows, query.include), total, next };
}

/** Ids of the visible rows that satisfy criteria, at most `limit`. */
function visibleIds(db: Database, grant: Grant, type: StoredType, criterion: PlainCriterion, limit: number): string[] {
  const candidates = candidatesOf(db, grant, type, [criterion]);
  return candidates.page(undefined, limit).map(({ id }) => id);
}

/** Resolves a chain to references to the visible rows that satisfy it. */
function plain(db: Database, grant: Grant, criterion: Criterion): PlainCriterion {
  if (criterion.kind !== 'chain') return criterion;
  const inner = plain(db, grant, criterion.criterion);
  const ids = visibleIds(db, grant, criterion.target, inner, CHAIN_BOUND + 1);
  if (ids.length > CHAIN_BOUND) throw new Fault('too-costly', 'The chained parameter matches too many rows', { expression: criterion.param });
  const values = ids.map((id) => `${criterion.target}/${id}`);
  const led: PlainCriterion = { kind: 'reference', param: criterion.param, values };
  return criterion.own === undefined ? led : { kind: 'or', any: [led, plain(db, grant, criterion.own)] };
}

type Place = { readonly sort: number; readonly id: string };

/** The candidates of a search, in list order. */
type Candidates = {
  readonly page: (after: PageEnd | undefined, limit: number) => Place[];
  readonly count: (limit: number) => number;
};

function candidatesOf(db: Database, grant: Grant, type: StoredType, criteria: readonly PlainCriterion[]): Candidates {
  const few = fewMatches(db, type, criteria);
  if (few !== undefined) return fromRids(db, grant, type, criteria, few);
  return isOpen(grant, type) || isPart(type) ? fromRows(db, grant, type, criteria) : fromAcl(db, grant, type, criteria);
}

/** The rids of a positive criterion whose matches are few, or undefined when none is. */
function fewMatches(db: Database, type: StoredType, criteria: readonly PlainCriterion[]): readonly number[] | undefined {
  for (const criterion of criteria) {
    const source = ridSource(type, criterion);
    if (source === undefined) continue;
    const rids = db.all<{ rid: number }>(`SELECT DISTINCT rid FROM (${source.text}) LIMIT ${FEW + 1}`, ...source.values);
    if (rids.length <= FEW) return rids.map(({ rid }) => rid);
  }
  return undefined;
}

function ridSource(type: StoredType, criterion: PlainCriterion): Sql | undefined {
  if (criterion.kind === 'id') {
    return { text: `SELECT rid FROM resource WHERE type = ? AND id IN (${marks(criterion.values)})`, values: [type, ...criterion.values] };
  }
  if (criterion.kind === 'reference') {
    const values = [`${type}.${criterion.param}`, ...criterion.values];
    return { text: `SELECT rid FROM reference WHERE param = ? AND target IN (${marks(criterion.values)})`, values };
  }
  if (criterion.kind !== 'token' || criterion.negated === true) return undefined;
  if (criterion.values.some(({ code }) => code === undefined)) return undefined;
  const parts = criterion.values.map((value) => tokenSource(`${type}.${criterion.param}`, value));
  return { text: parts.map(({ text }) => text).join(' UNION ALL '), values: parts.flatMap(({ values }) => values) };
}

function tokenSource(param: string, { system, code }: TokenValue): Sql {
  return system === undefined
    ? { text: 'SELECT rid FROM token WHERE param = ? AND value = ?', values: [param, code ?? ''] }
    : { text: 'SELECT rid FROM token WHERE param = ? AND value = ? AND system = ?', values: [param, code ?? '', system] };
}

const AFTER = ' AND (x.sort < ? OR (x.sort = ? AND x.id > ?))';

function afterOf(after: PageEnd | undefined): Sql {
  return after === undefined ? { text: '', values: [] } : { text: AFTER, values: [after.sort, after.sort, after.id] };
}

/** Driven by a short list of rids, handed over as one JSON array. */
function fromRids(db: Database, grant: Grant, type: StoredType, criteria: readonly PlainCriterion[], rids: readonly number[]): Candidates {
  const filter = conditionsOf(type, criteria);
  const visible = visibleCondition(grant, type);
  const list = JSON.stringify(rids);
  const select = (columns: string, end: Sql): Sql => ({
    text: `SELECT ${columns} FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value WHERE x.type = ?${filter.text}${visible.text}${end.text}`,
    values: [list, type, ...filter.values, ...visible.values, ...end.values],
  });
  return ordered(db, select);
}

/** Driven by the rows of a type: the directory, the server itself, and parts, which are few a question. */
function fromRows(db: Database, grant: Grant, type: StoredType, criteria: readonly PlainCriterion[]): Candidates {
  const filter = conditionsOf(type, criteria);
  const visible = visibleCondition(grant, type);
  const select = (columns: string, end: Sql): Sql => ({
    text: `SELECT ${columns} FROM resource x WHERE x.type = ?${filter.text}${visible.text}${end.text}`,
    values: [type, ...filter.values, ...visible.values, ...end.values],
  });
  return ordered(db, select);
}

function ordered(db: Database, select: (columns: string, end: Sql) => Sql): Candidates {
  return {
    page: (after, limit) => {
      const { text, values } = select('x.sort, x.id', afterOf(after));
      return db.all<Place>(`${text} ORDER BY x.sort DESC, x.id LIMIT ${limit}`, ...values);
    },
    count: (limit) => {
      const { text, values } = select('1', afterOf(undefined));
      return db.get<{ n: number }>(`SELECT count(*) AS n FROM (${text} LIMIT ${limit})`, ...values)?.n ?? 0;
    },
  };
}

/** Driven by each principal's access in list order; the lists are merged, a row that several show comes once. */
function fromAcl(db: Database, grant: Grant, type: StoredType, criteria: readonly PlainCriterion[]): Candidates {
  if (grant.principals.length === 0) return { page: () => [], count: () => 0 };
  const filter = conditionsOf(type, criteria);
  const one = (holder: string, end: Sql, limit: number): Sql => ({
    text: `SELECT * FROM (SELECT DISTINCT x.sort, x.id FROM acl x
      WHERE x.principal = ? AND x.type = ? AND x.valid_from <= ? AND x.valid_to > ?${filter.text}${end.text}
      ORDER BY x.sort DESC, x.id LIMIT ${limit})`,
    values: [holder, type, grant.now, grant.now, ...filter.values, ...end.values],
  });
  const union = (end: Sql, limit: number): Sql => {
    const parts = grant.principals.map((holder) => one(holder, end, limit));
    return { text: parts.map(({ text }) => text).join(' UNION '), values: parts.flatMap(({ values }) => values) };
  };
  return {
    page: (after, limit) => {
      const { text, values } = union(afterOf(after), limit);
      return db.all<Place>(`SELECT sort, id FROM (${text}) ORDER BY sort DESC, id LIMIT ${limit}`, ...values);
    },
    count: (limit) => {
      const { text, values } = union(afterOf(undefined), limit);
      return db.get<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM (${text}) LIMIT ${limit})`, ...values)?.n ?? 0;
    },
  };
}

function totalOf(candidates: Candidates, query: SearchQuery): number | undefined {
  if (query.summary === 'count' || query.total === 'accurate') return candidates.count(Number.MAX_SAFE_INTEGER);
  if (query.total === 'none') return undefined;
  const counted = candidates.count(TOTAL_BOUND + 1);
  return counted > TOTAL_BOUND ? undefined : counted;
}

function pageOf(db: Database, grant: Grant, candidates: Candidates, query: SearchQuery, after: PageEnd | undefined): { rows: VisibleRow[]; next: PageEnd | undefined } {
  const places = candidates.page(after, query.count + 1);
  const shown = places.slice(0, query.count);
  const rows = shown.map(({ id }) => selectRow(db, query.type, id)).map((row) => toVisibleRow(db, grant, row));
  const last = shown.at(-1);
  return { rows, next: places.length > query.count ? last : undefined };
}

function selectRow(db: Database, type: StoredType, id: string): SelectedRow {
  const row = db.get<SelectedRow>(`SELECT ${ROW_COLUMNS} FROM resource x WHERE x.type = ? AND x.id = ?`, type, id);
  if (row === undefined) throw new Error('A row left its snapshot');
  return row;
}
