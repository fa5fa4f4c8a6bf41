/** Whether a resource satisfies a criterion, said once and purely: what every store's statement must agree with. */
import { matchesPattern } from '../dicom/match.ts';
import type { Criterion, DatePrefix, StringCriterion, TokenValue } from './criterion.ts';
import type { IndexEntries } from './indexer.ts';
import type { StoredType } from '../types/visibility.ts';

/** A resource's entries, type and logical id. */
export type IndexedResource = IndexEntries & { readonly type: StoredType; readonly id: string };

/** Other resources, as far as they may be seen. */
export type Neighbours = {
  /** Those of a type among references. */
  readonly targets: (target: StoredType, references: readonly string[]) => readonly IndexedResource[];
  /** Those of a type that refer to one under a parameter. */
  readonly sources: (source: StoredType, param: string, reference: string) => readonly IndexedResource[];
};

/** No other resources. */
export const ALONE: Neighbours = { targets: () => [], sources: () => [] };

type DateCriterion = Extract<Criterion, { kind: 'date' }>;
type ChainCriterion = Extract<Criterion, { kind: 'chain' }>;
type HasCriterion = Extract<Criterion, { kind: 'has' }>;

/** Says whether the entries of a resource satisfy a criterion. @see https://hl7.org/fhir/R4/search.html */
export function matchesCriterion(index: IndexedResource, criterion: Criterion, neighbours: Neighbours): boolean {
  switch (criterion.kind) {
    case 'id':
      return criterion.values.includes(index.id);
    case 'token':
      return matchesToken(index, criterion.param, criterion.values) !== (criterion.negated === true);
    case 'reference':
      return refersTo(index, criterion, neighbours) !== (criterion.negated === true);
    case 'date':
      return matchesDate(index, criterion);
    case 'string':
      return matchesString(index, criterion);
    case 'missing':
      return isMissing(index, criterion.param) === criterion.missing;
    case 'chain':
      return matchesChain(index, criterion, neighbours);
    case 'has':
      return isReferred(index, criterion, neighbours);
  }
}

function matchesToken(index: IndexEntries, param: string, values: readonly TokenValue[]): boolean {
  return index.tokens.some(
    (token) =>
      token.param === param &&
      values.some(
        ({ system, code }) =>
          (system === undefined || system === token.system) && (code === undefined || code === token.value),
      ),
  );
}

function refersTo(
  index: IndexedResource,
  { param, values, own }: Extract<Criterion, { kind: 'reference' }>,
  neighbours: Neighbours,
): boolean {
  if (targetsOf(index, param).some((target) => values.includes(target))) return true;
  return own !== undefined && matchesCriterion(index, own, neighbours);
}

function targetsOf(index: IndexEntries, param: string): readonly string[] {
  return index.references.filter((entry) => entry.param === param).map(({ target }) => target);
}

type Range = { readonly lo: number; readonly hi: number };

/**
 * How the range of a row compares with the searched one.
 * @see https://hl7.org/fhir/R4/search.html#prefix
 */
const COMPARE = {
  eq: (row, asked) => asked.lo <= row.lo && row.hi <= asked.hi,
  ne: (row, asked) => !(asked.lo <= row.lo && row.hi <= asked.hi),
  gt: (row, asked) => row.hi > asked.hi,
  lt: (row, asked) => row.lo < asked.lo,
  ge: (row, asked) => row.hi > asked.hi || (asked.lo <= row.lo && row.hi <= asked.hi),
  le: (row, asked) => row.lo < asked.lo || (asked.lo <= row.lo && row.hi <= asked.hi),
  sa: (row, asked) => row.lo >= asked.hi,
  eb: (row, asked) => row.hi <= asked.lo,
} as const satisfies Record<DatePrefix, (row: Range, asked: Range) => boolean>;

function matchesDate(index: IndexEntries, { param, values }: DateCriterion): boolean {
  return index.dates.some((row) => row.param === param && values.some((asked) => COMPARE[asked.prefix](row, asked)));
}

function matchesString(index: IndexEntries, { param, values, match }: StringCriterion): boolean {
  return index.strings.some(
    (text) =>
      text.param === param &&
      values.some((wanted) => {
        if (match === 'exact') return text.value === wanted;
        if (match === 'pattern') return matchesPattern(text.value, wanted);
        return match === 'starts' ? text.value.startsWith(wanted) : text.value.includes(wanted);
      }),
  );
}

function isMissing(index: IndexEntries, param: string): boolean {
  const names = [param, `${param}:identifier`];
  const lists: readonly (readonly { readonly param: string }[])[] = [
    index.tokens,
    index.references,
    index.dates,
    index.strings,
  ];
  return !lists.some((list) => list.some((entry) => names.includes(entry.param)));
}

function matchesChain(index: IndexedResource, criterion: ChainCriterion, neighbours: Neighbours): boolean {
  if (criterion.own !== undefined && matchesCriterion(index, criterion.own, neighbours)) return true;
  const references = targetsOf(index, criterion.param).filter((target) => target.startsWith(`${criterion.target}/`));
  if (references.length === 0) return false;
  return neighbours
    .targets(criterion.target, references)
    .some((row) => matchesCriterion(row, criterion.criterion, neighbours));
}

function isReferred({ type, id }: IndexedResource, has: HasCriterion, neighbours: Neighbours): boolean {
  return neighbours
    .sources(has.source, has.param, `${type}/${id}`)
    .some((row) => matchesCriterion(row, has.criterion, neighbours));
}
