/**
 * Criteria as SQL conditions on a row `x` (its `rid`). Each condition finds its entries by rid, so it costs the same
 * for any row.
 */
import type {
  Criterion,
  DatePrefix,
  DateValue,
  LinkCriterion,
  StringCriterion,
  TokenValue,
} from '../../../../profiles/search/criterion.ts';
import { afterAllThatBeginWith } from '../../../../profiles/search/values.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { Bindable } from '../database.ts';

/** A piece of SQL with its bound values. */
export type Sql = { readonly text: string; readonly values: readonly Bindable[] };

/**
 * Criteria on a row alone: those on other rows are resolved to these first. What leads to too many rows for that is a
 * `condition`, which is looked at from each row (links.ts).
 */
export type PlainCriterion =
  | Exclude<Criterion, LinkCriterion | { readonly kind: 'reference' }>
  | ReferenceCriterion
  | { readonly kind: 'condition'; readonly condition: Sql }
  | { readonly kind: 'or'; readonly any: readonly PlainCriterion[] };

/** Joins conditions by AND; without any it holds always. */
export function conditionsOf(type: StoredType, criteria: readonly PlainCriterion[]): Sql {
  const parts = criteria.map((criterion) => conditionOf(type, criterion));
  return { text: parts.map((part) => ` AND ${part.text}`).join(''), values: parts.flatMap((part) => part.values) };
}

function conditionOf(type: StoredType, criterion: PlainCriterion): Sql {
  switch (criterion.kind) {
    case 'id':
      return {
        text: `x.rid IN (${idSource(type, criterion.values).text})`,
        values: idSource(type, criterion.values).values,
      };
    case 'token':
      return tokenCondition(type, criterion.param, criterion.values, criterion.negated === true);
    case 'reference':
      return referenceCondition(type, criterion);
    case 'date':
      return dateCondition(type, criterion);
    case 'string':
      return stringCondition(type, criterion);
    case 'missing':
      return missingCondition(type, criterion.param, criterion.missing);
    case 'condition':
      return criterion.condition;
    case 'or':
      return anyOf(criterion.any.map((part) => conditionOf(type, part)));
  }
}

/** What was found may be named instead of asked for: then a Patient stands for herself alone. */
type ReferenceCriterion = Extract<Criterion, { kind: 'reference' }> & { readonly isFound?: true };

function referenceCondition(type: StoredType, criterion: ReferenceCriterion): Sql {
  if (isEvent(type)) {
    const { text, values } = referenceSource(type, criterion);
    return { text: `${criterion.negated === true ? 'NOT ' : ''}EXISTS (${text} AND rid = x.rid)`, values };
  }
  return {
    text: `EXISTS (SELECT 1 FROM reference INDEXED BY reference_rid WHERE rid = x.rid AND param = ? AND target IN
      (${targets(criterion)}))`,
    values: [`${type}.${criterion.param}`, ...criterion.values],
  };
}

function referenceSource(type: StoredType, criterion: ReferenceCriterion): Sql {
  const { param } = criterion;
  const isOfPatient = isEvent(type) && param === 'patient';
  const params = isOfPatient ? PATIENT_OF_EVENT : [param];
  const values = isOfPatient ? criterion.values.filter(isPatient) : criterion.values;
  const named = isEvent(type) ? marks(values) : targets(criterion);
  const text = `SELECT rid FROM reference WHERE param IN (${marks(params)}) AND target IN (${named})`;
  return { text, values: [...params.map((name) => `${type}.${name}`), ...values] };
}

/** Placeholders for references: the Patient of an identity that is another person's stands for that person's. */
function targets({ values, isFound }: ReferenceCriterion): string {
  if (isFound === true) return marks(values);
  return values.map((value) => (isPatient(value) ? PRESENT_PATIENT : '?')).join(', ');
}

const PRESENT_PATIENT = `(SELECT coalesce(max(y.patient), v.target) FROM (SELECT ? AS target) v
  LEFT JOIN resource y ON y.type = 'Person' AND y.id = substr(v.target, 9))`;

/** An event's patients are those among its agents and entities, and are not kept again: nothing else there is one. */
const PATIENT_OF_EVENT = ['agent', 'entity'];

function isPatient(reference: string): boolean {
  return reference.startsWith('Patient/');
}

/** The rids that a criterion matches, as one statement, where an index leads to them; undefined for other criteria. */
export function ridSource(type: StoredType, criterion: PlainCriterion): Sql | undefined {
  if (criterion.kind === 'id') return idSource(type, criterion.values);
  if (criterion.kind === 'reference') return criterion.negated === true ? undefined : referenceSource(type, criterion);
  if (criterion.kind === 'string') return stringSource(`${type}.${criterion.param}`, criterion);
  if (criterion.kind === 'or') return union(criterion.any.map((part) => ridSource(type, part)));
  if (criterion.kind !== 'token' || criterion.negated === true) return undefined;
  if (criterion.values.some(({ code }) => code === undefined)) return undefined;
  return union(criterion.values.map((value) => tokenSource(type, criterion.param, value)));
}

/** Whether the rids of a criterion are found only by going through all values of its parameter. */
export function isScan(criterion: PlainCriterion): boolean {
  if (criterion.kind === 'or') return criterion.any.some(isScan);
  return criterion.kind === 'string' && (criterion.match === 'contains' || criterion.match === 'pattern');
}

/** The rids of all parts, where each part has a source. */
function union(parts: readonly (Sql | undefined)[]): Sql | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  return { text: known.map(({ text }) => text).join(' UNION ALL '), values: known.flatMap(({ values }) => values) };
}

function stringSource(param: string, criterion: StringCriterion): Sql {
  const { text, values } = textTest(criterion);
  return { text: `SELECT rid FROM string_value WHERE param = ? AND ${text}`, values: [param, ...values] };
}

function idSource(type: StoredType, ids: readonly string[]): Sql {
  return { text: `SELECT rid FROM resource WHERE type = ? AND id IN (${marks(ids)})`, values: [type, ...ids] };
}

function tokenSource(type: StoredType, param: string, { system, code }: TokenValue): Sql {
  const owners = `SELECT rid FROM token WHERE param = ? AND value = ?${system === undefined ? '' : ' AND system = ?'}`;
  return {
    text: isEvent(type) ? `SELECT rid FROM resource INDEXED BY resource_form WHERE form IN (${owners})` : owners,
    values: [`${type}.${param}`, code ?? '', ...(system === undefined ? [] : [system])],
  };
}

/** AuditEvents have most of their search values by their form: see migrations/004-event-forms. */
export function isEvent(type: StoredType): boolean {
  return type === 'AuditEvent';
}

/** Under what the tokens of a row `x` stand. */
function tokenOwner(type: StoredType): string {
  return isEvent(type) ? '(SELECT form FROM resource WHERE rid = x.rid)' : 'x.rid';
}

/** Placeholders for a list of values. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function anyOf(parts: readonly Sql[]): Sql {
  return { text: `(${parts.map((part) => part.text).join(' OR ')})`, values: parts.flatMap((part) => part.values) };
}

function tokenCondition(type: StoredType, param: string, values: readonly TokenValue[], negated: boolean): Sql {
  const tests = values.map(({ system, code }): Sql => {
    const checks = [code === undefined ? '' : ' AND value = ?', system === undefined ? '' : ' AND system = ?'].join('');
    return {
      text: `EXISTS (SELECT 1 FROM token INDEXED BY token_rid WHERE rid = ${tokenOwner(type)} AND param = ?${checks})`,
      values: [`${type}.${param}`, ...(code === undefined ? [] : [code]), ...(system === undefined ? [] : [system])],
    };
  });
  const any = anyOf(tests);
  return negated ? { text: `NOT ${any.text}`, values: any.values } : any;
}

/** How a row's range compares with the asked one; the same table as in profiles/search/match.ts. */
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

function dateCondition(type: StoredType, { param, values }: Extract<Criterion, { kind: 'date' }>): Sql {
  const tests = anyOf(values.map(dateTest));
  const stamp = stampOf(type, param);
  if (stamp !== undefined) {
    return {
      text: `EXISTS (SELECT 1 FROM (SELECT ${stamp} AS lo, ${stamp} + 1 AS hi FROM resource WHERE rid = x.rid)
        WHERE ${tests.text})`,
      values: tests.values,
    };
  }
  return {
    text: `EXISTS (SELECT 1 FROM date_range INDEXED BY date_range_rid WHERE rid = x.rid AND param = ?
      AND ${tests.text})`,
    values: [`${type}.${param}`, ...tests.values],
  };
}

function dateTest({ lo, hi, prefix }: DateValue): Sql {
  const values: Bindable[] = [];
  const text = COMPARE[prefix].replaceAll(/:lo|:hi/g, (name) => {
    values.push(name === ':lo' ? lo : hi);
    return '?';
  });
  return { text, values };
}

/** The column of a date that is a moment of the row itself. */
export function stampOf(type: StoredType, param: string): string | undefined {
  if (param === '_lastUpdated') return 'updated';
  return isEvent(type) && param === 'date' ? 'sort' : undefined;
}

function stringCondition(type: StoredType, criterion: StringCriterion): Sql {
  const { text, values } = textTest(criterion);
  return {
    text: `EXISTS (SELECT 1 FROM string_value INDEXED BY string_value_rid WHERE rid = x.rid AND param = ? AND ${text})`,
    values: [`${type}.${criterion.param}`, ...values],
  };
}

function textTest({ values, match }: StringCriterion): Sql {
  return anyOf(
    values.map((value): Sql => {
      if (match === 'exact') return { text: 'value = ?', values: [value] };
      // GLOB knows the same two signs, and sets of characters beside them.
      if (match === 'pattern') return { text: 'value GLOB ?', values: [value.replaceAll('[', '[[]')] };
      if (match === 'contains') return { text: 'instr(value, ?) > 0', values: [value] };
      const before = afterAllThatBeginWith(value);
      return before === undefined
        ? { text: 'value >= ?', values: [value] }
        : { text: '(value >= ? AND value < ?)', values: [value, before] };
    }),
  );
}

function missingCondition(type: StoredType, param: string, missing: boolean): Sql {
  const names = [`${type}.${param}`, `${type}.${param}:identifier`];
  const tables = isEvent(type) ? ['token'] : ['token', 'reference', 'date_range', 'string_value'];
  const owner = (table: string): string => (table === 'token' ? tokenOwner(type) : 'x.rid');
  const tests = tables.map(
    (table) =>
      `EXISTS (SELECT 1 FROM ${table} INDEXED BY ${table}_rid WHERE rid = ${owner(table)} AND param IN (?, ?))`,
  );
  return { text: `${missing ? 'NOT ' : ''}(${tests.join(' OR ')})`, values: tables.flatMap(() => names) };
}
