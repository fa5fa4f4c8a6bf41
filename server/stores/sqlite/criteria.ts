/** Criteria as SQL conditions on a row `x` (its `rid`). Each condition finds its entries by rid, so it costs the same for any row. */
import type { Criterion, DatePrefix, TokenValue } from '../../../profiles/search-criterion.ts';
import type { StoredType } from '../../../profiles/visibility.ts';
import type { Bindable } from './database.ts';

/** A piece of SQL with its bound values. */
export type Sql = { readonly text: string; readonly values: readonly Bindable[] };

/** Criteria without chains: those are resolved to references first. */
export type PlainCriterion = Exclude<Criterion, { kind: 'chain' }> | { readonly kind: 'or'; readonly any: readonly PlainCriterion[] };

/** Joins conditions by AND; without any it holds always. */
export function conditionsOf(type: StoredType, criteria: readonly PlainCriterion[]): Sql {
  const parts = criteria.map((criterion) => conditionOf(type, criterion));
  return { text: parts.map((part) => ` AND ${part.text}`).join(''), values: parts.flatMap((part) => part.values) };
}

function conditionOf(type: StoredType, criterion: PlainCriterion): Sql {
  switch (criterion.kind) {
    case 'id':
      return { text: `x.rid IN (${idSource(type, criterion.values).text})`, values: idSource(type, criterion.values).values };
    case 'token':
      return tokenCondition(`${type}.${criterion.param}`, criterion.values, criterion.negated === true);
    case 'reference':
      return {
        text: `EXISTS (SELECT 1 FROM reference INDEXED BY reference_rid WHERE rid = x.rid AND param = ? AND target IN (${marks(criterion.values)}))`,
        values: [`${type}.${criterion.param}`, ...criterion.values],
      };
    case 'date':
      return dateCondition(type, criterion);
    case 'string':
      return stringCondition(type, criterion);
    case 'missing':
      return missingCondition(type, criterion.param, criterion.missing);
    case 'or':
      return anyOf(criterion.any.map((part) => conditionOf(type, part)));
  }
}

/** The rids that a criterion matches, as one statement, where an index leads to them; undefined for other criteria. */
export function ridSource(type: StoredType, criterion: PlainCriterion): Sql | undefined {
  if (criterion.kind === 'id') return idSource(type, criterion.values);
  if (criterion.kind === 'reference') {
    const values = [`${type}.${criterion.param}`, ...criterion.values];
    return { text: `SELECT rid FROM reference WHERE param = ? AND target IN (${marks(criterion.values)})`, values };
  }
  if (criterion.kind !== 'token' || criterion.negated === true) return undefined;
  if (criterion.values.some(({ code }) => code === undefined)) return undefined;
  const parts = criterion.values.map((value) => tokenSource(`${type}.${criterion.param}`, value));
  return { text: parts.map(({ text }) => text).join(' UNION ALL '), values: parts.flatMap(({ values }) => values) };
}

function idSource(type: StoredType, ids: readonly string[]): Sql {
  return { text: `SELECT rid FROM resource WHERE type = ? AND id IN (${marks(ids)})`, values: [type, ...ids] };
}

function tokenSource(param: string, { system, code }: TokenValue): Sql {
  return system === undefined
    ? { text: 'SELECT rid FROM token WHERE param = ? AND value = ?', values: [param, code ?? ''] }
    : { text: 'SELECT rid FROM token WHERE param = ? AND value = ? AND system = ?', values: [param, code ?? '', system] };
}

/** Placeholders for a list of values. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function anyOf(parts: readonly Sql[]): Sql {
  return { text: `(${parts.map((part) => part.text).join(' OR ')})`, values: parts.flatMap((part) => part.values) };
}

function tokenCondition(param: string, values: readonly TokenValue[], negated: boolean): Sql {
  const tests = values.map(({ system, code }): Sql => {
    const checks = [code === undefined ? '' : ' AND value = ?', system === undefined ? '' : ' AND system = ?'].join('');
    return {
      text: `EXISTS (SELECT 1 FROM token INDEXED BY token_rid WHERE rid = x.rid AND param = ?${checks})`,
      values: [param, ...(code === undefined ? [] : [code]), ...(system === undefined ? [] : [system])],
    };
  });
  const any = anyOf(tests);
  return negated ? { text: `NOT ${any.text}`, values: any.values } : any;
}

/** How a row's range compares with the asked one; the same table as in profiles/search-match. */
const COMPARE: Readonly<Record<DatePrefix, string>> = {
  eq: '(lo >= :lo AND hi <= :hi)',
  ne: 'NOT (lo >= :lo AND hi <= :hi)',
  gt: 'hi > :hi',
  lt: 'lo < :lo',
  ge: '(hi > :hi OR (lo >= :lo AND hi <= :hi))',
  le: '(lo < :lo OR (lo >= :lo AND hi <= :hi))',
  sa: 'lo >= :hi',
  eb: 'hi <= :lo',
};

function dateCondition(type: StoredType, { param, lo, hi, prefix }: Extract<Criterion, { kind: 'date' }>): Sql {
  const values: Bindable[] = [];
  const text = COMPARE[prefix].replaceAll(/:lo|:hi/g, (name) => {
    values.push(name === ':lo' ? lo : hi);
    return '?';
  });
  if (param === '_lastUpdated') {
    const stamp = '(SELECT updated AS lo, updated + 1 AS hi FROM resource WHERE rid = x.rid)';
    return { text: `EXISTS (SELECT 1 FROM ${stamp} WHERE ${text})`, values };
  }
  return {
    text: `EXISTS (SELECT 1 FROM date_range INDEXED BY date_range_rid WHERE rid = x.rid AND param = ? AND ${text})`,
    values: [`${type}.${param}`, ...values],
  };
}

function stringCondition(type: StoredType, { param, values, match }: Extract<Criterion, { kind: 'string' }>): Sql {
  const tests = values.map((value): Sql => {
    if (match === 'exact') return { text: 'value = ?', values: [value] };
    if (match === 'contains') return { text: 'instr(value, ?) > 0', values: [value] };
    return { text: 'substr(value, 1, length(?)) = ?', values: [value, value] };
  });
  const any = anyOf(tests);
  return {
    text: `EXISTS (SELECT 1 FROM string_value INDEXED BY string_value_rid WHERE rid = x.rid AND param = ? AND ${any.text})`,
    values: [`${type}.${param}`, ...any.values],
  };
}

function missingCondition(type: StoredType, param: string, missing: boolean): Sql {
  const names = [`${type}.${param}`, `${type}.${param}:identifier`];
  const tables = ['token', 'reference', 'date_range', 'string_value'];
  const tests = tables.map((table) => `EXISTS (SELECT 1 FROM ${table} INDEXED BY ${table}_rid WHERE rid = x.rid AND param IN (?, ?))`);
  return { text: `${missing ? 'NOT ' : ''}(${tests.join(' OR ')})`, values: tables.flatMap(() => names) };
}
