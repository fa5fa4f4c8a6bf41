/** QIDO-RS Search for Series and for Instances of a study, from the metadata of its instances. @see DICOM PS3.18 section 10.6 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { DicomJson } from '../../../profiles/dicom/json.ts';
import { matchesKey, type MatchKey } from '../../../profiles/dicom/match.ts';
import type { FoundInstances, searchInstances as searchInstancesFlow } from '../../flows/search-instances.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { Identify } from '../http/visit.ts';
import { acceptedBy, requireDicomJson } from './accept.ts';
import { keysOfRow, toInstanceMatch, toSeriesMatch } from './match-json.ts';
import { parsePartQuery, type PartQuery } from './part-query.ts';
import { MAX_RESULTS, MORE_WARNING } from './query-options.ts';
import { requestedInstances } from './requested-instances.ts';
import { setWarnings } from './warning.ts';

/** What the endpoints need. */
export type SearchPartsDeps = {
  readonly identify: Identify;
  readonly searchInstances: ReturnType<typeof searchInstancesFlow>;
  readonly baseUrl: () => string;
};

/** Answers the series of a study. */
export function searchSeries(deps: SearchPartsDeps) {
  return search(deps, 'series', async (found, query, baseUrl) => {
    const series = await seriesOf(found, query);
    return { count: series.length, matches: paged(series, query).map(({ rows, attributes }) => toSeriesMatch(attributes, rows, query.included, baseUrl)) };
  });
}

/** Answers the instances of a study or of one of its series. */
export function searchInstances(deps: SearchPartsDeps) {
  return search(deps, 'instances', async (found, query, baseUrl) => {
    const rows = await instancesOf(found, query);
    const page = paged(rows, query);
    const metadata = await found.metadataOf(page);
    return { count: rows.length, matches: page.map((row) => toInstanceMatch(metadata.get(row.sopInstanceUID) ?? {}, row, query.included, baseUrl)) };
  });
}

type Result = { readonly count: number; readonly matches: readonly DicomJson[] };

function search(deps: SearchPartsDeps, level: 'series' | 'instances', find: (found: FoundInstances, query: PartQuery, baseUrl: string) => Promise<Result>) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    requireDicomJson(acceptedBy(ctx));
    const { studyInstanceUID, seriesInstanceUID } = requestedInstances(ctx.params);
    const query = parsePartQuery(ctx.URL.searchParams, level);
    const place = { studyInstanceUID, ...(seriesInstanceUID === undefined ? {} : { seriesInstanceUID }) };
    const { count, matches } = await find(await deps.searchInstances(visit, { ...place, text: `${ctx.path}?${ctx.querystring}` }), query, baseUrl);
    const isCut = query.limit === MAX_RESULTS && count > query.offset + query.limit;
    setWarnings(ctx, baseUrl, [...query.warnings, ...(isCut ? [MORE_WARNING] : [])]);
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.body = JSON.stringify(matches);
  };
}

type Series = { readonly rows: readonly InstanceRow[]; readonly attributes: DicomJson };

/** The series that match, each with the metadata of its first instance. */
async function seriesOf({ rows, metadataOf }: FoundInstances, { ofSeries }: PartQuery): Promise<readonly Series[]> {
  const groups = [...Map.groupBy(rows, ({ seriesInstanceUID }) => seriesInstanceUID).values()];
  const firsts = groups.flatMap((group) => group.slice(0, 1));
  const metadata = await metadataOf(firsts);
  const series = groups.map((group): Series => ({ rows: group, attributes: metadata.get(group[0]?.sopInstanceUID ?? '') ?? {} }));
  return series.filter(({ attributes }) => matchesAll(attributes, ofSeries));
}

async function instancesOf(found: FoundInstances, query: PartQuery): Promise<readonly InstanceRow[]> {
  const series = query.ofSeries.length === 0 ? undefined : await seriesOf(found, query);
  const rows = series === undefined ? found.rows : series.flatMap((one) => one.rows);
  return rows.filter((row) => matchesAll(keysOfRow(row), query.ofInstance));
}

function matchesAll(json: DicomJson, keys: readonly MatchKey[]): boolean {
  return keys.every((key) => matchesKey(json, key));
}

function paged<T>(all: readonly T[], { offset, limit }: PartQuery): readonly T[] {
  return all.slice(offset, offset + limit);
}
