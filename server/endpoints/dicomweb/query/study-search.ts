/** QIDO-RS Search for Studies (RAD-129): one face of ImagingStudy search. @see DICOM PS3.18 section 10.6 */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import type { OffsetOf } from '../../../../profiles/dicom/date-time.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type { FoundPage, SearchRequest, searchResources } from '../../../flows/read/search-resources.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, requireDicomJson } from '../accept.ts';
import { studyMatching } from '../../../../ihe/rad-129/study-json.ts';
import { STUDY_TAIL } from '../../../../profiles/search/json-tail.ts';
import { MAX_RESULTS, MORE_WARNING } from '../../../../ihe/rad-129/query-options.ts';
import { parseStudyQuery, type StudyQuery } from '../../../../ihe/rad-129/study-query.ts';
import { setWarnings } from '../warning.ts';

/** What the endpoint needs. `baseUrl` gives the door's address, without a slash at the end. */
export type SearchStudiesDeps = {
  readonly identify: Identify;
  readonly searchResources: ReturnType<typeof searchResources>;
  readonly baseUrl: () => string;
  /** Days of studies are those of the region's time zone. */
  readonly offsetOf: OffsetOf;
};

/** Answers a study query; no match is an empty array. */
export function answerStudySearch({ searchResources, ...deps }: SearchStudiesDeps) {
  return async (ctx: Context): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    requireDicomJson(acceptedBy(ctx));
    const query = parseStudyQuery(ctx.URL.searchParams, deps.offsetOf);
    const page = await searchResources(visit, requestOf(query, ctx.querystring));
    setWarnings(ctx, baseUrl, [...query.warnings, ...moreWarning(page, query)]);
    const toMatch = studyMatching(page.included, { included: query.included, baseUrl });
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.body = `[${page.rows.map((row) => JSON.stringify(toMatch(row)[1])).join(',')}]`;
  };
}

/** The page at an offset. */
function requestOf({ where, span, limit, offset }: StudyQuery, text: string): SearchRequest {
  const within = span === undefined ? {} : { span };
  const query: SearchQuery = {
    type: 'ImagingStudy',
    where,
    ...within,
    count: limit,
    total: 'none',
    include: [{ param: 'patient' }],
    withoutTail: STUDY_TAIL,
  };
  return { query, skip: offset, text, passage: 'qido' };
}

/** A client that set no limit, or one over the bound, is told that there is more. */
function moreWarning({ cursor }: FoundPage, { limit }: StudyQuery): readonly string[] {
  if (cursor === undefined || limit < MAX_RESULTS) return [];
  return [MORE_WARNING];
}
