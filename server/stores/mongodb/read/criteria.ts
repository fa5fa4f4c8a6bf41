/** Criteria as filters on the arrays of a row: what match.ts says of one resource, asked of a collection. */
import type { Document, Filter } from 'mongodb';
import type {
  Criterion,
  DatePrefix,
  LinkCriterion,
  StringCriterion,
  TokenValue,
} from '../../../../profiles/search/criterion.ts';
import { afterAllThatBeginWith } from '../../../../profiles/search/values.ts';
import type { IndexArrays } from '../documents.ts';
import { presenceKeys, referenceKey, tokenKey, trigramKeys } from '../write/index-arrays.ts';

/** A condition on a row. */
export type RowFilter = Filter<IndexArrays & { readonly id: string; readonly sort: number }>;

/** Criteria on a row alone; those on other rows are resolved to these (plan.ts), or looked at by rows (linked.ts). */
export type PlainCriterion = Exclude<Criterion, LinkCriterion>;

type DateCriterion = Extract<Criterion, { kind: 'date' }>;

/** Compiles one criterion. */
export function compileCriterion(criterion: PlainCriterion): RowFilter {
  switch (criterion.kind) {
    case 'id':
      return { id: { $in: [...criterion.values] } };
    case 'token':
      return compileToken(criterion.param, criterion.values, criterion.negated === true);
    case 'reference':
      return compileReference(criterion);
    case 'date':
      return compileDate(criterion);
    case 'string':
      return compileString(criterion);
    case 'missing':
      return compileMissing(criterion.param, criterion.missing);
  }
}

/** Whether an index narrows the rows to those that match: not so for what a row lacks. */
export function isNarrowing(criterion: Criterion): boolean {
  return criterion.kind !== 'missing' && !('negated' in criterion && criterion.negated === true);
}

function compileReference({ param, values, negated }: Extract<Criterion, { kind: 'reference' }>): RowFilter {
  const keys = values.map((target) => referenceKey(param, target));
  return { ref: negated === true ? { $nin: keys } : { $in: keys } };
}

function compileToken(param: string, values: readonly TokenValue[], isNegated: boolean): RowFilter {
  const keys = values.map(({ system, code }) => tokenKey(param, system, code));
  return isNegated ? { tok: { $nin: keys } } : { tok: { $in: keys } };
}

/** How the range of a row compares with the searched one. @see https://hl7.org/fhir/R4/search.html#prefix */
const COMPARE = {
  eq: ({ lo, hi }) => ({ lo: { $gte: lo }, hi: { $lte: hi } }),
  ne: ({ lo, hi }) => ({ $or: [{ lo: { $lt: lo } }, { hi: { $gt: hi } }] }),
  gt: ({ hi }) => ({ hi: { $gt: hi } }),
  lt: ({ lo }) => ({ lo: { $lt: lo } }),
  ge: ({ lo, hi }) => ({ $or: [{ hi: { $gt: hi } }, { lo: { $gte: lo }, hi: { $lte: hi } }] }),
  le: ({ lo, hi }) => ({ $or: [{ lo: { $lt: lo } }, { lo: { $gte: lo }, hi: { $lte: hi } }] }),
  sa: ({ hi }) => ({ lo: { $gte: hi } }),
  eb: ({ lo }) => ({ hi: { $lte: lo } }),
} as const satisfies Record<DatePrefix, (asked: { lo: number; hi: number }) => Document>;

function compileDate({ param, values }: DateCriterion): RowFilter {
  const filters = values.map((asked) => ({
    dates: { $elemMatch: { p: param, ...COMPARE[asked.prefix](asked) } },
  }));
  return filters.length === 1 && filters[0] !== undefined ? filters[0] : { $or: filters };
}

function compileString({ param, values, match }: StringCriterion): RowFilter {
  switch (match) {
    case 'exact':
      return { str: { $elemMatch: { p: param, v: { $in: [...values] } } } };
    case 'starts':
      return { $or: values.map((start) => ({ str: { $elemMatch: { p: param, v: rangeOf(start) } } })) };
    case 'contains':
      return { $or: values.map((part) => compileContains(param, part)) };
    case 'pattern':
      return { $or: values.map((pattern) => compilePattern(param, pattern)) };
  }
}

function rangeOf(start: string): { $gte: string; $lt?: string } {
  const before = afterAllThatBeginWith(start);
  return before === undefined ? { $gte: start } : { $gte: start, $lt: before };
}

/** Trigrams narrow by an index; the expression then looks at the texts themselves. */
function compileContains(param: string, part: string): RowFilter {
  return compileText(param, trigramKeys(param, part), { $gte: [{ $indexOfCP: ['$$text.v', { $literal: part }] }, 0] });
}

/** What stands between the signs is literal; nothing of the pattern is an expression of its own. */
function compilePattern(param: string, pattern: string): RowFilter {
  const keys = pattern.split(/[*?]/).flatMap((literal) => trigramKeys(param, literal));
  const regex = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return compileText(param, keys, {
    $regexMatch: { input: '$$text.v', regex: { $literal: `^${regex}$` }, options: 's' },
  });
}

function compileText(param: string, keys: readonly string[], test: Document): RowFilter {
  const isMatch = { $and: [{ $eq: ['$$text.p', param] }, test] };
  const matches = { $filter: { input: '$str', as: 'text', cond: isMatch } };
  const filter: RowFilter = { $expr: { $gt: [{ $size: matches }, 0] } };
  return keys.length === 0 ? filter : { tri: { $all: [...keys] }, ...filter };
}

function compileMissing(param: string, isMissing: boolean): RowFilter {
  const keys = [...presenceKeys(param), ...presenceKeys(`${param}:identifier`)];
  return isMissing ? { tok: { $nin: keys } } : { tok: { $in: keys } };
}
