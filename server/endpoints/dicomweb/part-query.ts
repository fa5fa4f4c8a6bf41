/** The keys of a query for series or instances of a study. @see DICOM PS3.18 table 10.6.1-5 */
import { TAG } from '../../../profiles/dicom/attributes.ts';
import type { MatchKey } from '../../../profiles/dicom/match.ts';
import { Fault } from '../../../profiles/fault.ts';
import { keywordOf, readQuery, type Pair, type QueryOptions } from './query-options.ts';

/** A query below the level of studies. Each key is of a level: that of series, or that of instances. */
export type PartQuery = QueryOptions & { readonly ofSeries: readonly MatchKey[]; readonly ofInstance: readonly MatchKey[] };

type Keyword = keyof typeof TAG;

const SERIES_KEYS: readonly Keyword[] = [
  'StudyInstanceUID', 'Modality', 'SeriesInstanceUID', 'SeriesNumber', 'SeriesDescription', 'BodyPartExamined',
  'PerformedProcedureStepStartDate', 'PerformedProcedureStepStartTime',
];
const REQUEST_KEYS: readonly Keyword[] = ['ScheduledProcedureStepID', 'RequestedProcedureID'];
const INSTANCE_KEYS: readonly Keyword[] = ['SOPClassUID', 'SOPInstanceUID', 'InstanceNumber'];
const SEQUENCE: Keyword = 'RequestAttributesSequence';
const MAX_OFFSET = 1_000_000;

/**
 * Parses the query. A key that is not served is refused: ignoring it would show more than was asked for.
 * @throws {Fault} invalid - a key or option that is not served
 * @throws {Fault} too-costly - too many parameters or characters
 */
export function parsePartQuery(parameters: URLSearchParams, level: 'series' | 'instances'): PartQuery {
  const { keys, options } = readQuery(parameters, MAX_OFFSET);
  const parsed = keys.map((pair) => parseKey(pair, level));
  return { ...options, ofSeries: keysOf(parsed, false), ofInstance: keysOf(parsed, true) };
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
  if (inner === undefined && level === 'instances' && isIn(INSTANCE_KEYS, outer)) return { path: [TAG[outer]], value, isOfInstance: true };
  const shown = name.slice(0, 64);
  const served = [...SERIES_KEYS, ...(level === 'instances' ? INSTANCE_KEYS : [])].join(', ');
  throw new Fault('invalid', `${shown} is not a key of this query; keys are ${served}`, { expression: shown });
}

function isIn(keywords: readonly Keyword[], name: string): name is Keyword {
  return (keywords as readonly string[]).includes(name);
}
