/**
 * QIDO-RS Search for Series and for Instances, of a study or across studies, from the metadata of instances. @see DICOM
 * PS3.18 section 10.6
 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { TAG } from '../../../../profiles/dicom/attributes.ts';
import type { OffsetOf } from '../../../../profiles/dicom/date-time.ts';
import type { DicomJson } from '../../../../profiles/dicom/json/json.ts';
import { keysOfInstance, matchesKey, type MatchKey } from '../../../../profiles/dicom/match.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { FoundWithinStudy, searchWithinStudy } from '../../../flows/read/search-within-study.ts';
import type { searchAcrossStudies } from '../../../flows/read/search-across-studies.ts';
import type { FoundPart, ShownInstance } from '../../../ports/record-store.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, requireDicomJson } from '../accept.ts';
import { toInstanceMatch, toSeriesMatch, type MatchOptions } from '../../../../ihe/rad-129/match-json.ts';
import { parsePartQuery, type PartQuery } from '../../../../ihe/rad-129/part-query.ts';
import { MAX_RESULTS, MORE_WARNING } from '../../../../ihe/rad-129/query-options.ts';
import { requestedInstances } from '../retrieve/requested-instances.ts';
import { studyMatching } from '../../../../ihe/rad-129/study-json.ts';
import { setWarnings } from '../warning.ts';

/** What the endpoints need. */
export type SearchPartsDeps = {
  readonly identify: Identify;
  readonly searchWithinStudy: ReturnType<typeof searchWithinStudy>;
  readonly searchAcrossStudies: ReturnType<typeof searchAcrossStudies>;
  readonly baseUrl: () => string;
  /** Days of studies are those of the region's time zone. */
  readonly offsetOf: OffsetOf;
};

/** Answers series. */
export function answerSeriesSearch(deps: SearchPartsDeps): (ctx: RouterContext) => Promise<void> {
  return search(deps, 'series', async (found, query, options) => {
    const series = await seriesOf(found, query);
    const matches = paged(series, query).map(({ rows, attributes }) =>
      rows.slice(0, 1).map((row) => toSeriesMatch(attributes, { row, instances: rows.length }, options)),
    );
    return { isMore: series.length > query.offset + query.limit, matches: matches.flat() };
  });
}

/** Answers instances. */
export function answerInstanceSearch(deps: SearchPartsDeps): (ctx: RouterContext) => Promise<void> {
  return search(deps, 'instances', async (found, query, options) => {
    const rows = await instancesOf(found, query);
    const page = paged(rows, query);
    const metadata = await found.metadataOf(page);
    // What is not there any more is no match.
    const matches = page.flatMap((row) => {
      const attributes = metadata.get(row.sopInstanceUID);
      return attributes === undefined ? [] : [toInstanceMatch(attributes, row, options)];
    });
    return { isMore: rows.length > query.offset + query.limit, matches };
  });
}

type Result = { readonly isMore: boolean; readonly matches: readonly DicomJson[] };

const NONE: Result = { isMore: false, matches: [] };

type Level = 'series' | 'instances';

/** The UIDs of the path. */
type Place = { readonly studyInstanceUID?: string; readonly seriesInstanceUID?: string };

/**
 * A study by its UID alone is read instance by instance, however large it is; what needs conditions on studies is asked
 * at once.
 */
function search(
  deps: SearchPartsDeps,
  level: Level,
  find: (found: FoundWithinStudy, query: PartQuery, options: MatchOptions) => Promise<Result>,
) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    requireDicomJson(acceptedBy(ctx));
    const { studyInstanceUID, seriesInstanceUID }: Place =
      ctx.params['study'] === undefined ? {} : requestedInstances(ctx.params);
    const place = {
      ...(studyInstanceUID === undefined ? {} : { studyInstanceUID }),
      ...(seriesInstanceUID === undefined ? {} : { seriesInstanceUID }),
    };
    const query = parsePartQuery(ctx.URL.searchParams, level, deps.offsetOf);
    const text = `${ctx.path}?${ctx.querystring}`;
    const options = { included: query.included, baseUrl, isOfSeries: seriesInstanceUID !== undefined };
    const { isMore, matches } =
      studyInstanceUID === undefined || query.ofStudy.where.length > 0
        ? await findAcross(deps, visit, { level, place, query, text }, options)
        : ((await deps.searchWithinStudy(visit, { studyInstanceUID, ...place, text }, async (found) =>
            find(found, query, options),
          )) ?? NONE);
    setWarnings(ctx, baseUrl, [...query.warnings, ...(query.limit === MAX_RESULTS && isMore ? [MORE_WARNING] : [])]);
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.body = JSON.stringify(matches);
  };
}

type Asked = { readonly level: Level; readonly place: Place; readonly query: PartQuery; readonly text: string };

/** Where the path names no study, a match has the attributes of its study, too. */
async function findAcross(
  deps: SearchPartsDeps,
  visit: Visit,
  { level, place, query, text }: Asked,
  options: MatchOptions,
): Promise<Result> {
  const { ofStudy, implied, ofSeries, ofInstance, sopInstanceUIDs, offset, limit } = query;
  const ofPath = place.seriesInstanceUID === undefined ? [] : [keyOfSeries(place.seriesInstanceUID)];
  const found = await deps.searchAcrossStudies(visit, {
    level,
    studies: {
      where: [...(place.studyInstanceUID === undefined ? implied : []), ...ofStudy.where],
      ...(ofStudy.span === undefined ? {} : { span: ofStudy.span }),
      include: [{ param: 'patient' }],
    },
    ...(place.studyInstanceUID === undefined ? {} : { studyInstanceUID: place.studyInstanceUID }),
    ...(sopInstanceUIDs === undefined ? {} : { sopInstanceUIDs }),
    ofSeries: [...ofPath, ...ofSeries],
    ofInstance,
    offset,
    limit,
    text,
  });
  const ofStudies = new Map(
    place.studyInstanceUID === undefined ? found.studies.map(studyMatching(found.included, options)) : [],
  );
  const matches = found.parts.map((part) =>
    toMatch(level, part, { ...options, ofStudy: ofStudies.get(part.row.studyInstanceUID) ?? {} }),
  );
  return { isMore: found.isMore, matches };
}

function toMatch(level: Level, part: FoundPart, options: MatchOptions): DicomJson {
  const metadata = JSON.parse(part.row.metadata) as DicomJson;
  return level === 'series' ? toSeriesMatch(metadata, part, options) : toInstanceMatch(metadata, part.row, options);
}

/** A path names one series. */
function keyOfSeries(value: string): MatchKey {
  return { path: [TAG.SeriesInstanceUID], value };
}

type Series = { readonly rows: readonly ShownInstance[]; readonly attributes: DicomJson };

/** The series that match, each with the metadata of its first instance. */
async function seriesOf(
  { rows: all, metadataOf }: FoundWithinStudy,
  { ofSeries }: PartQuery,
): Promise<readonly Series[]> {
  const groups = [...Map.groupBy(all, ({ seriesInstanceUID }) => seriesInstanceUID).values()];
  const firsts = groups.flatMap((group) => group.slice(0, 1));
  const metadata = await metadataOf(firsts);
  const series = groups.flatMap((rows): readonly Series[] => {
    const attributes = metadata.get(rows[0]?.sopInstanceUID ?? '');
    return attributes === undefined ? [] : [{ rows, attributes }];
  });
  return series.filter(({ attributes }) => matchesAll(attributes, ofSeries));
}

async function instancesOf(found: FoundWithinStudy, query: PartQuery): Promise<readonly ShownInstance[]> {
  const series = query.ofSeries.length === 0 ? undefined : await seriesOf(found, query);
  const rows = series === undefined ? found.rows : series.flatMap((one) => one.rows);
  return rows.filter((row) => matchesAll(keysOfInstance(row), query.ofInstance));
}

function matchesAll(json: DicomJson, keys: readonly MatchKey[]): boolean {
  return keys.every((key) => matchesKey(json, key));
}

function paged<T>(all: readonly T[], { offset, limit }: PartQuery): readonly T[] {
  return all.slice(offset, offset + limit);
}
