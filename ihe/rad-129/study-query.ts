/** The parameters of a QIDO-RS study query as a search. @see DICOM PS3.18 sections 8.3.4 and 10.6.1 */
import type { OffsetOf } from '../../profiles/dicom/date-time.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Criterion } from '../../profiles/search/criterion.ts';
import type { SortSpan } from '../../profiles/search/query.ts';
import { isUniversal } from '../../profiles/dicom/match.ts';
import { STUDY_KEYS, type KeyMatch } from './match-keys.ts';
import { keywordOf, readQuery, type Pair, type QueryOptions } from './query-options.ts';

/** A study query. */
export type StudyQuery = QueryOptions & { readonly where: readonly Criterion[]; readonly span?: SortSpan };

/** Most studies that `offset` passes over. */
export const MAX_OFFSET = 10_000;

/** Attributes that a study query may name without a value: they are returned, or never known. */
const STUDY_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...Object.keys(STUDY_KEYS),
  'InstanceAvailability',
  'PatientBirthDate',
  'PatientSex',
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
]);

/** Study keys as conditions on the study, and what is answered otherwise than asked. */
export type StudyConditions = {
  readonly where: readonly Criterion[];
  readonly span?: SortSpan;
  readonly warnings: readonly string[];
};

/**
 * Parses the query. A key that is not served is refused: ignoring it would show more than was asked for.
 * @throws {Fault} invalid - a key, value or option that is not served
 * @throws {Fault} too-costly - more than 50 parameters, 100 values or 8,192 characters of one
 */
export function parseStudyQuery(parameters: URLSearchParams, offsetOf: OffsetOf): StudyQuery {
  const { keys, options } = readQuery(parameters, MAX_OFFSET);
  const conditions = readStudyKeys(keys, offsetOf);
  return { ...options, ...conditions, warnings: [...conditions.warnings, ...options.warnings] };
}

/**
 * Reads study keys.
 * @throws {Fault} invalid - a key or value that is not served
 */
export function readStudyKeys(keys: readonly Pair[], offsetOf: OffsetOf): StudyConditions {
  const matches = keysOf(keys).map(([keyword, value]) => matchOf(keyword, value, offsetOf));
  const span = matches.find((match) => match.span !== undefined)?.span;
  return {
    where: matches.flatMap(({ where }) => where),
    ...(span === undefined ? {} : { span }),
    warnings: matches.flatMap(({ warning }) => warning ?? []),
  };
}

/** Whether a name, a tag or a keyword, is one of a study attribute. */
export function isStudyKey(name: string): boolean {
  return STUDY_ATTRIBUTES.has(keywordOf(name));
}

/** Each key once, by its keyword; a repeated StudyInstanceUID is a list. */
function keysOf(pairs: readonly Pair[]): readonly Pair[] {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const keyword = studyKeywordOf(name);
    const known = values.get(keyword);
    if (known !== undefined && keyword !== 'StudyInstanceUID')
      throw new Fault('invalid', `${keyword} may be given once`, { expression: keyword });
    values.set(keyword, known === undefined ? value : `${known},${value}`);
  }
  return [...values];
}

function studyKeywordOf(name: string): string {
  const keyword = keywordOf(name);
  if (STUDY_ATTRIBUTES.has(keyword)) return keyword;
  const shown = name.slice(0, 64);
  throw new Fault('invalid', `${shown} is not a key of a study query`, { expression: shown });
}

function matchOf(keyword: string, value: string, offsetOf: OffsetOf): KeyMatch {
  if (isUniversal(value)) return { where: [] };
  const match = Object.hasOwn(STUDY_KEYS, keyword) ? STUDY_KEYS[keyword] : undefined;
  if (match !== undefined) return match(value, offsetOf);
  const served = Object.keys(STUDY_KEYS).join(', ');
  throw new Fault('invalid', `Studies are not matched by ${keyword}; they are by ${served}`, { expression: keyword });
}
