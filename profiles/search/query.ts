/** A search as data: parsed from the parameters of a URL or form, compiled by each store. */
import { Fault } from '../fault.ts';
import { parseCriterion } from './parse-criterion.ts';
import { isLink, type Criterion } from './criterion.ts';
import { findSearchParameter } from './parameters.ts';
import type { SortKey } from './order.ts';
import { parseSort } from './parse-sort.ts';
import { findReferrer, type Referrer } from './referrers.ts';
import type { Subset } from './subset.ts';
import { parametersOfCriterion, parametersOfSearch, type IsServed, type UsedParameter } from './used-parameters.ts';
import { isStoredType } from '../types/visibility.ts';
import type { StoredType } from '../types/visibility.ts';

export type { Criterion } from './criterion.ts';

/** A reference parameter whose targets come along, of one type only when `target` says so. */
export type Include = { readonly param: string; readonly target?: StoredType };

/**
 * A part of a list by its sort keys, epoch milliseconds: `from` inclusive, `before` exclusive; open where undefined.
 */
export type SortSpan = { readonly from: number | undefined; readonly before: number | undefined };

/** A search on one type. */
export type SearchQuery = {
  readonly type: StoredType;
  readonly where: readonly Criterion[];
  /** Without it rows come in the type's own order, latest first. */
  readonly order?: readonly SortKey[];
  /** Rows a page, at least 1. */
  readonly count: number;
  /** `bounded` is exact up to the store's bound and absent beyond it; `accurate` is always exact. */
  readonly total: 'bounded' | 'accurate' | 'none';
  readonly include: readonly Include[];
  /** Reference parameters of other types: what refers by them to the rows of a page comes along. */
  readonly revinclude?: readonly Referrer[];
  /**
   * The part of the list in which the rows are, where conditions on the date that sorts the type imply it: the rest is
   * not read. Conditions are still given in `where`, as a row without that date is sorted by another.
   */
  readonly span?: SortSpan;
  /**
   * A list that rows may come without where it is their last member, as the series of a study, which may be a hundred
   * times as long as the rest. No member within may bear its name. A store that reads rows whole gives them whole; on
   * SQLite a list of 101 exams of 4 series of 50 slices takes 1.4 times as long with them (`bench -- dicomweb lists`).
   */
  readonly withoutTail?: string;
  /** The total only, no rows. */
  readonly summary?: 'count';
  /** Where the page begins, as a former page's link gave it; opaque here. */
  readonly cursor?: string;
};

/** `strict` refuses unknown parameters, `lenient` reports them. @see https://hl7.org/fhir/R4/search.html#errors */
export type SearchOptions = {
  readonly handling: 'lenient' | 'strict';
  readonly maxCount: number;
  readonly defaultCount: number;
  /** What it says no to is as unknown as a parameter that there is not. */
  readonly isServed: IsServed;
};

/** Most parameters of one search. */
export const MAX_PARAMETERS = 50;

/** Most references that chains and `_has` of one search follow together. */
export const MAX_LINKS = 10;

/** Most elements that are named. */
export const MAX_ELEMENTS = 100;

/** Most parameters by which rows come beside a page. */
export const MAX_INCLUDES = 20;

// Without these the answer would say more than was asked for, so they are refused and never ignored.
const REFUSED = ['_filter', '_text', '_content', '_query', '_list', '_contained', '_type'];

// Read by the door, not by the search.
const OF_THE_DOOR = ['_format', '_pretty'];

/** The query, which part of the resources is answered, and the names of the parameters that were ignored. */
export type ParsedSearch = {
  readonly query: SearchQuery;
  /** Absent: all of each resource. Names of elements are as they were written. */
  readonly subset?: Subset;
  readonly ignored: readonly string[];
};

type Pair = readonly [name: string, value: string];

/**
 * Parses the parameters of a search on a type. A parameter that is repeated narrows (AND). Dates without a time zone
 * are UTC.
 * @throws {Fault} invalid - a value, modifier or chain that is not served; an unknown parameter, order or include when
 * strict
 * @throws {Fault} too-costly - more than MAX_PARAMETERS, MAX_LINKS or MAX_INCLUDES, or a value over its limits
 */
export function parseSearch(
  type: StoredType,
  parameters: URLSearchParams | readonly Pair[],
  options: SearchOptions,
): ParsedSearch {
  const pairs: readonly Pair[] = [...parameters];
  if (pairs.length > MAX_PARAMETERS) throw new Fault('too-costly', `A search has at most ${MAX_PARAMETERS} parameters`);
  const where: Criterion[] = [];
  const ignored: string[] = [];
  const results = pairs.filter(([name]) => isResultParameter(name));
  for (const [name, value] of pairs) {
    if (isResultParameter(name)) continue;
    refuseWidening(name);
    const criterion = parseCriterion(type, name, value);
    if (criterion === undefined || !areServed(parametersOfCriterion(type, criterion), options))
      ignored.push(name.slice(0, 64));
    else where.push(criterion);
  }
  boundLinks(where);
  const order = parseOrder(type, valueOf(results, '_sort'), ignored, options);
  const subset = parseSubset(results, ignored);
  const beside = besideText(parseBeside(type, results, ignored, options), subset, ignored);
  if (options.handling === 'strict' && ignored[0] !== undefined) {
    throw new Fault('invalid', `Search parameter ${ignored[0]} is not served on ${type}`, { expression: ignored[0] });
  }
  const ordered = order.length === 0 ? {} : { order };
  return {
    query: { type, where, ...ordered, ...beside, ...parsePaging(results, options) },
    ignored,
    ...(subset === undefined ? {} : { subset }),
  };
}

function isResultParameter(name: string): boolean {
  return OF_THE_DOOR.includes(name) || RESULT_PARAMETERS.includes(name);
}

const RESULT_PARAMETERS = ['_count', '_total', '_summary', '_elements', '_sort', '_include', '_revinclude', '_cursor'];

function refuseWidening(name: string): void {
  const code = name.split(/[:.]/)[0] ?? '';
  if (REFUSED.includes(code))
    throw new Fault('invalid', `Search parameter ${code} is not supported`, { expression: code });
}

/** @throws {Fault} too-costly */
function boundLinks(where: readonly Criterion[]): void {
  const linksIn = (criterion: Criterion): number => (isLink(criterion) ? 1 + linksIn(criterion.criterion) : 0);
  const links = where.reduce((sum, criterion) => sum + linksIn(criterion), 0);
  if (links > MAX_LINKS) throw new Fault('too-costly', `A search follows at most ${MAX_LINKS} references`);
}

function valueOf(pairs: readonly Pair[], name: string): string | undefined {
  const values = pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  if (values.length > 1) throw new Fault('invalid', `Search parameter ${name} may be given once`, { expression: name });
  return values[0];
}

function areServed(parameters: readonly UsedParameter[], { isServed }: SearchOptions): boolean {
  return parameters.every(({ type, code }) => isServed(type, code));
}

function parseOrder(
  type: StoredType,
  text: string | undefined,
  ignored: string[],
  options: SearchOptions,
): readonly SortKey[] {
  if (text === undefined) return [];
  try {
    const order = parseSort(type, text);
    if (areServed(parametersOfSearch({ type, where: [], include: [], order }), options)) return order;
    ignored.push('_sort');
    return [];
  } catch (error) {
    if (options.handling === 'strict' || !(error instanceof Fault && error.kind === 'invalid')) throw error;
    ignored.push('_sort');
    return [];
  }
}

function parsePaging(
  pairs: readonly Pair[],
  options: SearchOptions,
): Pick<SearchQuery, 'count' | 'total' | 'summary' | 'cursor'> {
  const count = parseCount(valueOf(pairs, '_count'));
  const cursor = valueOf(pairs, '_cursor');
  const isCount = valueOf(pairs, '_summary') === 'count' || count === 0;
  return {
    count: Math.max(1, Math.min(count ?? options.defaultCount, options.maxCount)),
    total: parseTotal(valueOf(pairs, '_total')),
    ...(isCount ? { summary: 'count' as const } : {}),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new Fault('invalid', 'Search parameter _count must be a whole number', { expression: '_count' });
  }
  return Number(text);
}

function parseTotal(text: string | undefined): SearchQuery['total'] {
  switch (text) {
    case undefined:
    case 'estimate':
      return 'bounded';
    case 'accurate':
    case 'none':
      return text;
    default:
      throw new Fault('invalid', 'Search parameter _total must be none, estimate or accurate', {
        expression: '_total',
      });
  }
}

/** Both at once are not served: named elements are the narrower wish. */
function parseSubset(pairs: readonly Pair[], ignored: string[]): Subset | undefined {
  const [summary, elements] = [parseSummary(valueOf(pairs, '_summary')), valueOf(pairs, '_elements')];
  if (elements === undefined) return summary;
  if (summary !== undefined) ignored.push('_summary');
  const names = elements.split(',').filter((name) => name !== '');
  if (names.length > MAX_ELEMENTS)
    throw new Fault('too-costly', `A search names at most ${MAX_ELEMENTS} elements`, { expression: '_elements' });
  return { kind: 'elements', names };
}

function parseSummary(text: string | undefined): Subset | undefined {
  switch (text) {
    case undefined:
    case 'false':
    case 'count':
      return undefined;
    case 'true':
    case 'text':
    case 'data':
      return { kind: text };
    default:
      throw new Fault('invalid', 'Search parameter _summary must be true, text, data, count or false', {
        expression: '_summary',
      });
  }
}

type Beside = Pick<SearchQuery, 'include' | 'revinclude'>;

/** Includes cannot be mixed with `_summary=text`. @see https://hl7.org/fhir/R4/search.html#summary */
function besideText(beside: Beside, subset: Subset | undefined, ignored: string[]): Beside {
  if (subset?.kind !== 'text') return beside;
  if (beside.include.length > 0) ignored.push('_include');
  if (beside.revinclude !== undefined) ignored.push('_revinclude');
  return { include: [] };
}

function parseBeside(type: StoredType, pairs: readonly Pair[], ignored: string[], options: SearchOptions): Beside {
  const read = <T extends Include | Referrer>(
    name: string,
    parse: (type: StoredType, value: string) => T | undefined,
  ): readonly T[] =>
    [...new Set(pairs.flatMap((pair) => (pair[0] === name ? [pair[1]] : [])))].flatMap((value) => {
      const found = parse(type, value);
      const source = found !== undefined && 'source' in found ? found.source : type;
      if (found !== undefined && options.isServed(source, found.param)) return [found];
      ignored.push(name);
      return [];
    });
  const [include, revinclude] = [read('_include', parseInclude), read('_revinclude', parseRevInclude)];
  if (include.length + revinclude.length > MAX_INCLUDES)
    throw new Fault('too-costly', `A search has at most ${MAX_INCLUDES} includes`, { expression: '_include' });
  return { include, ...(revinclude.length === 0 ? {} : { revinclude }) };
}

function parseInclude(type: StoredType, value: string): Include | undefined {
  const [source, code = '', target, ...rest] = value.split(':');
  const entry = source === type && rest.length === 0 ? findSearchParameter(type, code) : undefined;
  if (entry?.type !== 'reference') return undefined;
  if (target === undefined) return { param: entry.code };
  const isServed = isStoredType(target) && entry.targets?.includes(target) === true;
  return isServed ? { param: entry.code, target } : undefined;
}

function parseRevInclude(type: StoredType, value: string): Referrer | undefined {
  const [source = '', code = '', target = type, ...rest] = value.split(':');
  return target === type && rest.length === 0 ? findReferrer(type, source, code) : undefined;
}
