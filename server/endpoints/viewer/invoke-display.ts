/**
 * Invoke Image Display: links of records and reports, by what names exams there. They hold no right: what is found is
 * what the visitor may see.
 * @see RAD TF-2 4.106; DRIMbox, link to the images of a report
 */
import type { Context } from 'koa';
import { parseDisplayRequest, type DisplayRequest } from '../../../ihe/rad-106/request.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { findExams } from '../../flows/view/find-exams.ts';
import type { Identify } from '../http/visit.ts';
import { languageOf } from '../pages/language.ts';
import { sendPage } from '../pages/send-page.ts';
import type { Site } from '../pages/site.ts';
import { examsPage, refusedLinkPage, studyUIDOf } from './link-pages.ts';

/** What the door needs. */
export type InvokeDisplayDeps = {
  readonly identify: Identify;
  readonly findExams: ReturnType<typeof findExams>;
  readonly site: Site;
  readonly baseUrl: () => string;
  /** Days and times without an offset are local. */
  readonly offsetOf: OffsetOf;
};

/**
 * Answers a link: the viewer of the one exam that it leads to, else a choice of them. A link that is not understood is
 * explained to anybody.
 * @throws {Fault} login - nobody is signed in
 * @throws {Fault} not-found - no such exam, or none that the visitor may see
 */
export async function invokeDisplay(ctx: Context, deps: InvokeDisplayDeps): Promise<void> {
  const given = new URLSearchParams(ctx.querystring);
  given.delete('lang');
  const language = languageOf(ctx);
  const request = requestOf(given, deps.offsetOf);
  if (request instanceof Fault) return sendPage(ctx, refusedLinkPage(request, language), deps.site);
  const visit = await deps.identify(ctx, deps.baseUrl());
  const found = await deps.findExams(visit, request, [...given].map((pair) => pair.join('=')).join('&'));
  const [study, ...others] = found.studies;
  if (study === undefined || others.length > 0) return sendPage(ctx, examsPage(found, language), deps.site);
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', Location: `/viewer/${studyUIDOf(study)}` });
  ctx.body = '';
}

function requestOf(given: URLSearchParams, offsetOf: OffsetOf): DisplayRequest | Fault {
  try {
    return parseDisplayRequest(given, offsetOf);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
