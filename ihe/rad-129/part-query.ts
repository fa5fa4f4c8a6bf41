/** The keys of a query for series or instances. @see DICOM PS3.18 table 10.6.1-5 */
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { TAG } from '../../profiles/dicom/attributes.ts';
import type { OffsetOf } from '../../profiles/dicom/date-time.ts';
import { isUniversal, type MatchKey } from '../../profiles/dicom/match.ts';
import { isUID } from '../../profiles/dicom/uid.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Criterion } from '../../profiles/search/criterion.ts';
import { keywordOf, readQuery, type Pair, type QueryOptions } from './query-options.ts';
import { isStudyKey, readStudyKeys, type StudyConditions } from './study-query.ts';

/** A query below the level of studies. Each key is of a level: that of the study, of series, or of instances. */
export type PartQuery = QueryOptions & {
  readonly ofStudy: StudyConditions;
  /** What keys of the series say of their study. */
  readonly implied: readonly Criterion[];
  readonly ofSeries: readonly MatchKey[];
  readonly ofInstance: readonly MatchKey[];
  /** SOP Instance UIDs of which one must be that of the instance. */
  readonly sopInstanceUIDs?: readonly string[];
};

type Keyword = keyof typeof TAG;

const SERIES_KEYS: readonly Keyword[] = [
  'Modality',
  'SeriesInstanceUID',
  'SeriesNumber',
  'SeriesDescription',
  'BodyPartExamined',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
];
const REQUEST_KEYS: readonly Keyword[] = ['ScheduledProcedureStepID', 'RequestedProcedureID'];
const INSTANCE_KEYS: readonly Keyword[] = ['SOPClassUID', 'SOPInstanceUID', 'InstanceNumber'];
const SEQUENCE: Keyword = 'RequestAttributesSequence';
const MAX_OFFSET = 1_000_000;
const MAX_UIDS = 100;

/**
 * Parses the query. A key that is not served is refused: ignoring it would show more than was asked for.
 * @throws {Fault} invalid - a key or option that is not served
 * @throws {Fault} too-costly - too many parameters or characters
 */
export function parsePartQuery(
  parameters: URLSearchParams,
  level: 'series' | 'instances',
  offsetOf: OffsetOf,
): PartQuery {
  const { keys, options } = readQuery(parameters, MAX_OFFSET);
  // At this level the modality is that of the series.
  const studyKeys = keys.filter(([name]) => isStudyKey(name) && keywordOf(name) !== 'Modality');
  const parsed = keys.filter((pair) => !studyKeys.includes(pair)).map((pair) => parseKey(pair, level));
  const [ofSeries, ofInstance] = [keysOf(parsed, false), keysOf(parsed, true)];
  const ofStudy = readStudyKeys(studyKeys, offsetOf);
  const sopInstanceUIDs = uidsOf(ofInstance, 'SOPInstanceUID');
  return {
    ...options,
    warnings: [...ofStudy.warnings, ...options.warnings],
    ofStudy,
    implied: impliedBy(ofSeries),
    ofSeries,
    ofInstance,
    ...(sopInstanceUIDs === undefined ? {} : { sopInstanceUIDs }),
  };
}

/** An index leads to studies that have such a series, so that the others are not looked at. */
function impliedBy(ofSeries: readonly MatchKey[]): readonly Criterion[] {
  const series = uidsOf(ofSeries, 'SeriesInstanceUID')?.map((code) => ({ code }));
  const modalities = valuesOf(ofSeries, 'Modality')?.map((code) => ({ system: CODE_SYSTEM.dcm, code }));
  return [
    ...(series === undefined ? [] : [{ kind: 'token', param: 'series', values: series } as const]),
    ...(modalities === undefined || modalities.some(({ code }) => /[*?]/.test(code))
      ? []
      : [{ kind: 'token', param: 'modality', values: modalities } as const]),
  ];
}

/** The values of a key; undefined when it is not asked for. */
function valuesOf(keys: readonly MatchKey[], keyword: Keyword): readonly string[] | undefined {
  const key = keys.find(({ path }) => path.length === 1 && path[0] === TAG[keyword]);
  if (key === undefined || isUniversal(key.value)) return undefined;
  const values = key.value.split(/[,\\]/).map((value) => value.trim());
  if (values.length > MAX_UIDS) throw new Fault('too-costly', `A key has at most ${MAX_UIDS} values`);
  return values;
}

function uidsOf(
  keys: readonly MatchKey[],
  keyword: 'SeriesInstanceUID' | 'SOPInstanceUID',
): readonly string[] | undefined {
  const uids = valuesOf(keys, keyword);
  if (uids === undefined || uids.every(isUID)) return uids;
  throw new Fault('invalid', `${keyword} must be a UID or a list of UIDs`, { expression: keyword });
}

type ParsedKey = MatchKey & { readonly isOfInstance: boolean };

function keysOf(parsed: readonly ParsedKey[], isOfInstance: boolean): readonly MatchKey[] {
  return parsed.filter((key) => key.isOfInstance === isOfInstance);
}

function parseKey([name, value]: Pair, level: 'series' | 'instances'): ParsedKey {
  const [outer = '', inner, ...others] = name.split('.').map(keywordOf);
  if (inner !== undefined && others.length === 0 && outer === SEQUENCE && isIn(REQUEST_KEYS, inner)) {
    return { path: [TAG[SEQUENCE], TAG[inner]], value, isOfInstance: false };
  }
  if (inner === undefined && isIn(SERIES_KEYS, outer)) return { path: [TAG[outer]], value, isOfInstance: false };
  if (inner === undefined && level === 'instances' && isIn(INSTANCE_KEYS, outer))
    return { path: [TAG[outer]], value, isOfInstance: true };
  const shown = name.slice(0, 64);
  const served = [...SERIES_KEYS, ...(level === 'instances' ? INSTANCE_KEYS : [])].join(', ');
  throw new Fault('invalid', `${shown} is not a key of this query; keys are ${served} and those of a study query`, {
    expression: shown,
  });
}

function isIn(keywords: readonly Keyword[], name: string): name is Keyword {
  return (keywords as readonly string[]).includes(name);
}
