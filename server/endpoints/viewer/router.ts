/**
 * The viewer: pages for persons who are signed in on them. `/voir/{id}` is the lasting link to an exam, which holds no
 * secret; `/viewer/{studyInstanceUID}` shows it, its pictures and reports below its own address.
 */
import { Router, type RouterContext } from '@koa/router';
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { IDENTIFIER_SYSTEM, MEDIA_TYPE, oidOf } from '../../../profiles/codes.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { openBinary } from '../../flows/read/open-binary.ts';
import type { readResource } from '../../flows/read/read-resource.ts';
import type { openStudy } from '../../flows/view/open-study.ts';
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
import type { Site } from '../pages/site.ts';
import { signedIn } from './signed-in.ts';
import { viewerPage } from './viewer-page.ts';

/** What the door needs. `identify` knows a person by the session of the browser. */
export type ViewerDeps = RetrieveRenderedDeps & {
  readonly identify: Identify;
  readonly openStudy: ReturnType<typeof openStudy>;
  readonly read: ReturnType<typeof readResource>;
  readonly openBinary: ReturnType<typeof openBinary>;
  readonly site: Site;
  /** The proof for the forms of a page, from the session of its request. */
  readonly proofOf: (ctx: Context) => string;
  /** Whether OHIF is offered beside the page. */
  readonly hasOhif: boolean;
};

const SCRIPT = addScripts(new URL('browser/', import.meta.url), 'viewer', 'viewer.ts');
const STUDY = '/viewer/:study';
const SERIES = `${STUDY}/series/:series`;
const INSTANCE = `${SERIES}/instances/:instance`;

/** Makes the router. */
export function viewerRouter(deps: ViewerDeps): Router {
  const router = new Router();
  router.get('/voir/:id', async (ctx) => await signedIn(ctx, async () => await follow(ctx, deps)));
  router.get(STUDY, async (ctx) => await signedIn(ctx, async () => await show(ctx, deps)));
  router.use([`${STUDY}/series`, `${STUDY}/reports`], answerFaults, answerPrivately);
  for (const path of [SERIES, INSTANCE]) router.get(`${path}/thumbnail`, answerThumbnail(deps));
  router.get(`${INSTANCE}/rendered`, answerRenderedInstance(deps));
  router.get(`${INSTANCE}/frames/:frames/rendered`, answerRendered(deps));
  router.get(`${STUDY}/reports/:id`, async (ctx) => await report(ctx, deps));
  return router;
}

async function follow(ctx: RouterContext, deps: ViewerDeps): Promise<void> {
  const visit = await deps.identify(ctx, deps.baseUrl());
  const row = await deps.read(visit, { type: 'ImagingStudy', id: ctx.params['id'] ?? '' });
  const { identifier = [] } = JSON.parse(row.json) as ImagingStudy;
  const uid = oidOf(identifier.find(({ system }) => system === IDENTIFIER_SYSTEM.dicomUid)?.value);
  if (uid === undefined) throw new Fault('not-found', 'No such study');
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', Location: `/viewer/${uid}` });
  ctx.body = '';
}

async function show(ctx: RouterContext, deps: ViewerDeps): Promise<void> {
  const visit = await deps.identify(ctx, deps.baseUrl());
  const { study = '' } = ctx.params;
  if (!isUID(study)) throw new Fault('not-found', 'No such study');
  const opened = await deps.openStudy(visit, study);
  const root = `/viewer/${study}`;
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
