/** What every QIDO-RS query may hold beside its keys. @see DICOM PS3.18 section 8.3.4 */
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import { Fault } from '../../profiles/fault.ts';

/** A parameter. */
export type Pair = readonly [name: string, value: string];

/** The attributes that are asked for beside the usual ones, by tag. */
export type IncludedFields = { readonly isAll: boolean; readonly tags: ReadonlySet<string> };

/** The options of a query. */
export type QueryOptions = {
  readonly limit: number;
  readonly offset: number;
  readonly included: IncludedFields;
  /** What is answered otherwise than asked. */
  readonly warnings: readonly string[];
};

/** Most results of one answer, also without `limit`. */
export const MAX_RESULTS = 1_000;
const MAX_PARAMETERS = 50;
const MAX_VALUE_LENGTH = 8_192;

const KEYWORD_OF_TAG: ReadonlyMap<string, string> = new Map(
  Object.entries(TAG).map(([keyword, tag]) => [formatTag(tag), keyword]),
);

/** Parameters that are no keys; `accept` is read by the negotiation. */
const OPTIONS = ['limit', 'offset', 'includefield', 'fuzzymatching', 'accept'];

/**
 * Reads the parameters: keys apart from options. `maxOffset` is the most results that are passed over.
 * @throws {Fault} invalid - an option that cannot be read
 * @throws {Fault} too-costly - more than 50 parameters or 8,192 characters of one
 */
export function readQuery(
  parameters: URLSearchParams,
  maxOffset: number,
): { readonly keys: readonly Pair[]; readonly options: QueryOptions } {
  const pairs: readonly Pair[] = [...parameters];
  if (pairs.length > MAX_PARAMETERS) throw new Fault('too-costly', `A query has at most ${MAX_PARAMETERS} parameters`);
  if (pairs.some(([, value]) => value.length > MAX_VALUE_LENGTH))
    throw new Fault('too-costly', `A value has at most ${MAX_VALUE_LENGTH} characters`);
  const options = {
    limit: Math.min(numberOf(pairs, 'limit', 1) ?? MAX_RESULTS, MAX_RESULTS),
    offset: offsetIn(pairs, maxOffset),
    included: includedIn(pairs),
    warnings: fuzzyWarning(pairs),
  };
  return { keys: pairs.filter(([name]) => !OPTIONS.includes(name)), options };
}

/** The keyword of an attribute that is named by its tag or keyword; any other name as it is. */
export function keywordOf(name: string): string {
  return KEYWORD_OF_TAG.get(name.toUpperCase()) ?? name;
}

/** The warning of an answer that has been cut at the bound. */
export const MORE_WARNING =
  'The number of results exceeded the maximum supported by the server. Additional results can be requested.';

function includedIn(pairs: readonly Pair[]): IncludedFields {
  const names = pairs
    .filter(([name]) => name === 'includefield')
    .flatMap(([, value]) => value.split(','))
    .map((name) => name.trim());
  const tags = names.map((name) =>
    Object.hasOwn(TAG, name) ? formatTag(TAG[name as keyof typeof TAG]) : name.toUpperCase(),
  );
  return { isAll: names.includes('all'), tags: new Set(tags) };
}

function offsetIn(pairs: readonly Pair[], maxOffset: number): number {
  const offset = numberOf(pairs, 'offset', 0) ?? 0;
  if (offset <= maxOffset) return offset;
  throw new Fault('invalid', `offset is at most ${maxOffset}; narrow the query`, { expression: 'offset' });
}

function numberOf(pairs: readonly Pair[], name: string, least: number): number | undefined {
  const [text, ...others] = pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  if (text === undefined) return undefined;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (others.length > 0 || number < least)
    throw new Fault('invalid', `${name} must be one whole number from ${least} on`, { expression: name });
  return number;
}

function fuzzyWarning(pairs: readonly Pair[]): readonly string[] {
  const isAsked = pairs.some(([name, value]) => name === 'fuzzymatching' && value.toLowerCase() !== 'false');
  return isAsked ? ['The fuzzymatching parameter is not supported. Only literal matching has been performed.'] : [];
}
