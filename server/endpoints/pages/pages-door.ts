/** The door of pages: `/`, the assets, and an error as a page where a browser asks for one. */
import type { Context, Middleware } from 'koa';
import { toFault } from '../../../profiles/fault.ts';
import { statusOf } from '../http/outcome.ts';
import { sendAsset } from './assets.ts';
import { errorPage } from './error-page.ts';
import { languageOf } from './language.ts';
import { sendPage } from './send-page.ts';
import type { Site } from './site.ts';
import { startPage } from './start-page.ts';

/** Doors that machines speak to: their errors have a form of their own, whoever asks. */
const MACHINE_DOORS = ['/fhir', '/dicom-web', '/xds', '/health'];

/** Makes the door. It stands before the others, so that it sees their faults. */
export function pagesDoor(site: Site): Middleware {
  return async (ctx, next) => {
    if (sendAsset(ctx)) return;
    if (isMachineDoor(ctx.path)) return void (await next());
    ctx.vary('Accept, Accept-Language');
    if (!wantsPage(ctx)) return void (await next());
    if (ctx.path === '/' && ['GET', 'HEAD'].includes(ctx.method))
      return sendPage(ctx, startPage(languageOf(ctx), site), site);
    try {
      await next();
    } catch (error) {
      const fault = toFault(error);
      if (fault.kind === 'exception') ctx.app.emit('error', fault.cause ?? fault, ctx);
      sendPage(ctx, errorPage(statusOf(fault), languageOf(ctx)), site);
    }
  };
}

function isMachineDoor(path: string): boolean {
  return MACHINE_DOORS.some((door) => path === door || path.startsWith(`${door}/`));
}

/** A browser names HTML, and first: a client that takes anything (`*`/`*`) gets what machines get. */
export function wantsPage(ctx: Context): boolean {
  if (!/\btext\/html\b/i.test(ctx.get('Accept'))) return false;
  return ctx.accepts(['text/html', 'application/fhir+json', 'application/json']) === 'text/html';
}
