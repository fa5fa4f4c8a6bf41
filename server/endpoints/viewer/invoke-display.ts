/**
 * Invoke Image Display: links of records and reports, by what names exams there. They hold no right: what is found is
 * what the visitor may see.
 * @see RAD TF-2 4.106; DRIMbox, link to the images of a report
 */
import type { Context } from 'koa';
import { parseDisplayRequest, type DisplayRequest } from '../../../ihe/rad-106/request.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import type { findExams } from '../../flows/view/find-exams.ts';
import { languageOf } from '../pages/language.ts';
import { sendPage } from '../pages/send-page.ts';
import type { Site } from '../pages/site.ts';
import { linkQueryOf } from './link-address.ts';
import { examsPage, refusedLinkPage } from './link-pages.ts';

/** What the door needs. */
export type InvokeDisplayDeps = {
  readonly findExams: ReturnType<typeof findExams>;
  readonly site: Site;
  /** Days and times without an offset are local. */
  readonly offsetOf: OffsetOf;
};

/** Reads a link; one that is not understood is explained, to anybody, and undefined. */
export function readLink(ctx: Context, { offsetOf, site }: InvokeDisplayDeps): DisplayRequest | undefined {
  try {
    return parseDisplayRequest(linkQueryOf(ctx), offsetOf);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    sendPage(ctx, refusedLinkPage(error, languageOf(ctx)), site);
    return undefined;
  }
}

/**
 * Follows a link: to the viewer of the one exam that it leads to, else to a choice of them.
 * @throws {Fault} not-found - no such exam, or none that the visitor may see
 */
export async function followLink(
  ctx: Context,
  deps: InvokeDisplayDeps,
  visit: Visit,
  request: DisplayRequest,
): Promise<void> {
  const text = [...linkQueryOf(ctx)].map((pair) => pair.join('=')).join('&');
  const found = await deps.findExams(visit, request, text);
  const [exam, ...others] = found.exams;
  if (exam === undefined || others.length > 0) return sendPage(ctx, examsPage(found, languageOf(ctx)), deps.site);
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', Location: `/viewer/${studyInstanceUIDIn(exam.study)}` });
  ctx.body = '';
}
