/**
 * The viewer: pages for persons who are signed in on them. `/voir/{id}` is the lasting link to an exam, which holds no
 * secret, and `/IHEInvokeImageDisplay` what other systems link to; `/viewer/{studyInstanceUID}` shows it, its pictures
 * and reports below its own address.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import type { openBinary } from '../../flows/read/open-binary.ts';
import type { findLatestExams } from '../../flows/view/find-exams.ts';
import type { OpenedStudy, openStudy } from '../../flows/view/open-study.ts';
import {
  answerRendered,
  answerRenderedInstance,
  answerThumbnail,
  type RetrieveRenderedDeps,
} from '../dicomweb/retrieve/retrieve-rendered.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { answerFaults } from '../http/outcome.ts';
import type { Identify } from '../http/visit.ts';
import { addScripts } from '../pages/assets.ts';
import { languageOf } from '../pages/language.ts';
import { sendPage } from '../pages/send-page.ts';
import { declareEmergency, offeringEmergency, type EmergencyDeps } from './absent/offer-emergency.ts';
import { followLink, readLink, type InvokeDisplayDeps } from './invoke-display.ts';
import { latestExamsPage } from './link-pages.ts';
import { signedIn } from './signed-in.ts';
import { viewerPage } from './viewer-page.ts';

/** What the door needs. `identify` knows a person by the session of the browser. */
export type ViewerDeps = RetrieveRenderedDeps &
  EmergencyDeps &
  InvokeDisplayDeps & {
    readonly identify: Identify;
    readonly openStudy: ReturnType<typeof openStudy>;
    readonly findLatestExams: ReturnType<typeof findLatestExams>;
    readonly openBinary: ReturnType<typeof openBinary>;
    /** Whether OHIF is offered beside the page. */
    readonly hasOhif: boolean;
  };

const SCRIPT = addScripts(new URL('browser/', import.meta.url), 'viewer', 'viewer.ts');
const LINK = '/voir/:id';
const INVOKE_DISPLAY = '/IHEInvokeImageDisplay';
const STUDY = '/viewer/:study';
const SERIES = `${STUDY}/series/:series`;
const INSTANCE = `${SERIES}/instances/:instance`;

/** Makes the router. */
export function viewerRouter(deps: ViewerDeps): Router {
  const router = new Router();
  router.get('/voir', async (ctx) => await visited(ctx, deps, async (visit) => await list(ctx, deps, visit)));
  router.get(LINK, async (ctx) => await openExam(ctx, deps, async (visit) => await follow(ctx, deps, visit)));
  router.get(STUDY, async (ctx) => await openExam(ctx, deps, async (visit) => await show(ctx, deps, visit)));
  router.get(INVOKE_DISPLAY, async (ctx) => await display(ctx, deps));
  router.post([LINK, STUDY, INVOKE_DISPLAY], async (ctx) => await declare(ctx, deps));
  router.use([`${STUDY}/series`, `${STUDY}/reports`], answerParts, answerPrivately);
  for (const path of [SERIES, INSTANCE]) router.get(`${path}/thumbnail`, answerThumbnail(deps));
  router.get(`${INSTANCE}/rendered`, framedByUs, answerRenderedInstance(deps));
  router.get(`${INSTANCE}/frames/:frames/rendered`, answerRendered(deps));
  router.get(`${STUDY}/reports/:id`, async (ctx) => await report(ctx, deps));
  return router;
}

/** A part that is opened in a tab of its own is a page like others: it leads to a sign-in, and its errors are pages. */
const answerParts: Middleware = async (ctx, next) => {
  if (ctx.get('Sec-Fetch-Dest') === 'document') await signedIn(ctx, next);
  else await answerFaults(ctx, next);
};

/** A document stands in the page of its study, and in no page of others. */
const framedByUs: Middleware = async (ctx, next) => {
  ctx.set('X-Frame-Options', 'SAMEORIGIN');
  await next();
};

/** Answers a visitor who is signed in, or leads there and back. */
async function visited(ctx: Context, deps: ViewerDeps, answer: (visit: Visit) => Promise<void>): Promise<void> {
  await signedIn(ctx, async () => await answer(await deps.identify(ctx, deps.baseUrl())));
}

async function openExam(ctx: Context, deps: ViewerDeps, answer: (visit: Visit) => Promise<void>): Promise<void> {
  await visited(ctx, deps, async (visit) => {
    await offeringEmergency(ctx, deps, visit, async () => await answer(visit));
  });
}

async function declare(ctx: Context, deps: ViewerDeps): Promise<void> {
  await visited(ctx, deps, async (visit) => await declareEmergency(ctx, deps, visit));
}

async function list(ctx: Context, deps: ViewerDeps, visit: Visit): Promise<void> {
  const found = await deps.findLatestExams(visit);
  sendPage(ctx, latestExamsPage(found, languageOf(ctx), deps.proofOf(ctx)), deps.site);
}

/** The lasting link shows what it leads to: to lead elsewhere would be a passage more. */
async function follow(ctx: RouterContext, deps: ViewerDeps, visit: Visit): Promise<void> {
  showStudy(ctx, deps, await deps.openStudy(visit, { id: ctx.params['id'] ?? '' }));
}

/** A link that is not understood is explained before anybody is asked who they are. */
async function display(ctx: Context, deps: ViewerDeps): Promise<void> {
  const request = readLink(ctx, deps);
  if (request === undefined) return;
  await openExam(ctx, deps, async (visit) => await followLink(ctx, deps, visit, request));
}

async function show(ctx: RouterContext, deps: ViewerDeps, visit: Visit): Promise<void> {
  const { study: studyInstanceUID = '' } = ctx.params;
  if (!isUID(studyInstanceUID)) throw new Fault('not-found', 'No such study');
  showStudy(ctx, deps, await deps.openStudy(visit, { studyInstanceUID }));
}

function showStudy(ctx: Context, deps: ViewerDeps, opened: OpenedStudy): void {
  const root = `/viewer/${opened.studyInstanceUID}`;
  const ohif = deps.hasOhif ? { ohif: `${root}/ohif` } : {};
  const places = { root, script: SCRIPT, proof: deps.proofOf(ctx), ...ohif };
  sendPage(ctx, viewerPage(opened, languageOf(ctx), places), deps.site);
}

/** A report is shown in the page, and nowhere else. */
async function report(ctx: RouterContext, deps: ViewerDeps): Promise<void> {
  const visit = await deps.identify(ctx, deps.baseUrl());
  const { contentType, size, body } = await deps.openBinary(visit, ctx.params['id'] ?? '');
  if (contentType !== MEDIA_TYPE.pdf) {
    body.destroy();
    throw new Fault('not-found', 'No such report');
  }
  ctx.set({
    'Content-Type': contentType,
    'Content-Disposition': 'inline',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'self'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  ctx.length = size;
  ctx.body = body;
}
