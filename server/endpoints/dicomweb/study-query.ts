/** The parameters of a QIDO-RS study query as a search. @see DICOM PS3.18 sections 8.3.4 and 10.6.1 */
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { formatTag } from '../../../profiles/dicom/data-element.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search-criterion.ts';
import { isUniversal, STUDY_KEYS } from './match-keys.ts';

/** A study query. */
export type StudyQuery = {
  readonly where: readonly Criterion[];
  readonly limit: number;
  readonly offset: number;
  /** What is answered otherwise than asked. */
  readonly warnings: readonly string[];
};

/** Most studies of one answer, also without `limit`. */
export const MAX_STUDIES = 1_000;
/** Most studies that `offset` passes over. */
export const MAX_OFFSET = 10_000;
const MAX_PARAMETERS = 50;
const MAX_VALUE_LENGTH = 8_192;

type Pair = readonly [name: string, value: string];

/** Attributes that a study query may name without a value: they are returned, or never known. */
const STUDY_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...Object.keys(STUDY_KEYS),
  'StudyTime',
  'ReferringPhysicianName',
  'StudyID',
  'StudyDescription',
  'InstanceAvailability',
  'PatientBirthDate',
  'PatientSex',
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
]);

const KEYWORD_OF_TAG: ReadonlyMap<string, string> = new Map(Object.entries(TAG).map(([keyword, tag]) => [formatTag(tag), keyword]));

/** Parameters that are no keys; `accept` is read by the negotiation. */
const OPTIONS = ['limit', 'offset', 'includefield', 'fuzzymatching', 'accept'];

/**
 * Parses the query. A key that is not served is refused: ignoring it would show more than was asked for.
 * @throws {Fault} invalid - a key, value or option that is not served
 * @throws {Fault} too-costly - more than 50 parameters, 100 values or 8,192 characters of one
 */
export function parseStudyQuery(parameters: URLSearchParams, offsetOf: OffsetOf): StudyQuery {
  const pairs: readonly Pair[] = [...parameters];
  if (pairs.length > MAX_PARAMETERS) throw new Fault('too-costly', `A query has at most ${MAX_PARAMETERS} parameters`);
  if (pairs.some(([, value]) => value.length > MAX_VALUE_LENGTH)) throw new Fault('too-costly', `A value has at most ${MAX_VALUE_LENGTH} characters`);
  const matches = keysOf(pairs.filter(([name]) => !OPTIONS.includes(name))).map(([keyword, value]) => matchOf(keyword, value, offsetOf));
  const limit = numberOf(pairs, 'limit', 1);
  return {
    where: matches.flatMap(({ where }) => where),
    limit: Math.min(limit ?? MAX_STUDIES, MAX_STUDIES),
    offset: offsetIn(pairs),
    warnings: [...matches.flatMap(({ warning }) => warning ?? []), ...fuzzyWarning(pairs)],
  };
}

/** Each key once, by its keyword; a repeated StudyInstanceUID is a list. */
function keysOf(pairs: readonly Pair[]): readonly Pair[] {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const keyword = keywordOf(name);
    const known = values.get(keyword);
    if (known !== undefined && keyword !== 'StudyInstanceUID') throw new Fault('invalid', `${keyword} may be given once`, { expression: keyword });
    values.set(keyword, known === undefined ? value : `${known},${value}`);
  }
  return [...values];
}

function keywordOf(name: string): string {
  const keyword = KEYWORD_OF_TAG.get(name.toUpperCase()) ?? name;
  if (STUDY_ATTRIBUTES.has(keyword)) return keyword;
  const shown = name.slice(0, 64);
  throw new Fault('invalid', `${shown} is not a key of a study query`, { expression: shown });
}

function matchOf(keyword: string, value: string, offsetOf: OffsetOf): { where: readonly Criterion[]; warning?: string } {
  if (isUniversal(value)) return { where: [] };
  const match = Object.hasOwn(STUDY_KEYS, keyword) ? STUDY_KEYS[keyword] : undefined;
  if (match !== undefined) return match(value, offsetOf);
  const served = Object.keys(STUDY_KEYS).join(', ');
  throw new Fault('invalid', `Studies are not matched by ${keyword}; they are by ${served}`, { expression: keyword });
}

function offsetIn(pairs: readonly Pair[]): number {
  const offset = numberOf(pairs, 'offset', 0) ?? 0;
  if (offset <= MAX_OFFSET) return offset;
  throw new Fault('invalid', `offset is at most ${MAX_OFFSET}; narrow the query by StudyDate`, { expression: 'offset' });
}

function numberOf(pairs: readonly Pair[], name: string, least: number): number | undefined {
  const [text, ...others] = pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  if (text === undefined) return undefined;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (others.length > 0 || number < least) throw new Fault('invalid', `${name} must be one whole number from ${least} on`, { expression: name });
  return number;
}

function fuzzyWarning(pairs: readonly Pair[]): readonly string[] {
  const isAsked = pairs.some(([name, value]) => name === 'fuzzymatching' && value.toLowerCase() !== 'false');
  return isAsked ? ['The fuzzymatching parameter is not supported. Only literal matching has been performed.'] : [];
}
