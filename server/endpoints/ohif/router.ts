/**
 * OHIF on one study: its page below the address of the exam, and a DICOMweb that answers for that study alone, to who
 * opened it. Nothing in an address is a secret.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Context, Next } from 'koa';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { openStudy } from '../../flows/view/open-study.ts';
import type { InstalledOhif } from '../../runtime/ohif-package.ts';
import { addStudyReads, answerTooBroad, type StudyReadsDeps } from '../dicomweb/router.ts';
import { answerFaults } from '../http/outcome.ts';
import type { Identify } from '../http/visit.ts';
import { answerPrivately } from '../http/private-answer.ts';
import type { StudyPasses } from '../smart/session/study-pass.ts';
import { signedIn } from '../viewer/signed-in.ts';
import { sendOhifPage } from './ohif-page.ts';

/** What the door needs. `identify` knows a person by the session of the browser. */
export type OhifDeps = StudyReadsDeps & {
  readonly openStudy: ReturnType<typeof openStudy>;
  readonly passes: StudyPasses;
  readonly ohif: InstalledOhif;
  readonly publicUrl: () => string;
};

const ABSENT = 'No such study';
const OPENED = '/viewer/:opened/ohif';
/** How OHIF names the study of its page. */
const IN_ADDRESS = 'StudyInstanceUIDs';
const STUDY_KEYS = ['studyinstanceuid', '0020000d'];

/** Makes the routers: the pages, and the DICOMweb. */
export function ohifRouters(deps: OhifDeps): readonly Router[] {
  const pages = new Router();
  pages.get('/ohif/viewer', (ctx) => lead(ctx, ctx.URL.searchParams.get(IN_ADDRESS) ?? ''));
  pages.get(OPENED, (ctx) => lead(ctx, ctx.params['opened'] ?? ''));
  pages.get(`${OPENED}/viewer`, async (ctx) => await signedIn(ctx, async () => await open(ctx, deps)));
  const dicomweb = new Router({ prefix: `${OPENED}/dicom-web` });
  dicomweb.use(answerFaults, answerPrivately, answerTooBroad);
  dicomweb.get('/studies', searchForOne);
  addStudyReads(dicomweb, { ...deps, identify: identifyWithin(deps) });
  return [pages, dicomweb];
}

/** OHIF finds the study that it shows in the address. */
function addressOf(studyInstanceUID: string): string {
  return `/viewer/${studyInstanceUID}/ohif/viewer?${IN_ADDRESS}=${studyInstanceUID}`;
}

function lead(ctx: Context, studyInstanceUID: string): void {
  if (!isUID(studyInstanceUID)) throw new Fault('not-found', ABSENT);
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', Location: addressOf(studyInstanceUID) });
  ctx.body = '';
}

/** One passage, as when our own page shows the study; the pass is given with it. */
async function open(ctx: RouterContext, deps: OhifDeps): Promise<void> {
  const { opened = '' } = ctx.params;
  if (ctx.URL.searchParams.get(IN_ADDRESS) !== opened || !isUID(opened)) return lead(ctx, opened);
  await deps.openStudy(await deps.identify(ctx, `${deps.publicUrl()}/viewer`), { studyInstanceUID: opened });
  const dicomweb = `/viewer/${opened}/ohif/dicom-web`;
  deps.passes.give(ctx, opened, dicomweb);
  sendOhifPage(ctx, { publicUrl: deps.publicUrl(), exam: `/viewer/${opened}`, dicomweb, script: deps.ohif.script });
}

/**
 * Nobody is known without the pass for the study of the address, and nobody with it at an address of another study.
 */
function identifyWithin({ identify, passes }: OhifDeps): Identify {
  return async (ctx, server) => {
    // Each answer identifies at its own route, where both are known.
    const { opened = '', study = opened } = (ctx as RouterContext).params;
    if (study !== opened || !passes.has(ctx, opened)) throw new Fault('not-found', ABSENT);
    return await identify(ctx, server);
  };
}

/** OHIF searches for the study, and for others of the person: this one alone is found. */
async function searchForOne(ctx: RouterContext, next: Next): Promise<void> {
  const { opened: studyInstanceUID = '' } = ctx.params;
  const { searchParams } = ctx.URL;
  const asked = [...searchParams].filter(([name]) => STUDY_KEYS.includes(name.toLowerCase()));
  if (asked.some(([, value]) => value !== studyInstanceUID)) throw new Fault('not-found', ABSENT);
  for (const [name] of asked) searchParams.delete(name);
  // Both ways in which an answer reads its question.
  searchParams.set('StudyInstanceUID', studyInstanceUID);
  ctx.querystring = searchParams.toString();
  await next();
}
