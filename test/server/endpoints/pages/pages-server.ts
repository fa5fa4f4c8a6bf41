/** The HTTP server with its pages, over a socket: behind them a door that fails where a test asks it to. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Middleware } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import { createHttpServer } from '../../../../server/endpoints/http/app.ts';
import { pagesDoor } from '../../../../server/endpoints/pages/pages-door.ts';
import type { Site } from '../../../../server/endpoints/pages/site.ts';

/** What a browser says that it takes. */
export const BROWSER_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** The server; `errors` is what was logged as an error. */
export type PagesServer = AsyncDisposable & { readonly url: string; readonly errors: string[] };

const failing: Middleware = async (ctx, next) => {
  if (ctx.path.endsWith('/broken')) throw new Error('a secret of the inside');
  if (ctx.path.endsWith('/refused')) throw new Fault('invalid', 'a secret of the inside');
  if (ctx.path.endsWith('/busy')) throw new Fault('transient', 'a secret of the inside');
  if (ctx.path.endsWith('/hidden-meanwhile')) ctx.body = Readable.from(hiddenMeanwhile());
  else await next();
};

async function* hiddenMeanwhile(): AsyncGenerator<Buffer> {
  yield Buffer.from('begun');
  throw new Fault('not-found', 'No such thing');
}

/** Starts it; without a site it has no pages. */
export async function startPages(site: Partial<Site> | undefined): Promise<PagesServer> {
  const errors: string[] = [];
  const quiet = (): void => undefined;
  const whole = { support: undefined, isDemonstration: false, persons: [], applications: [], ...site };
  const server = createHttpServer({
    log: { error: (_object, message) => void errors.push(message), warn: quiet, info: quiet, debug: quiet },
    doors: [...(site === undefined ? [] : [pagesDoor(whole)]), failing],
    health: async () => ({}),
    report: async () => ({}),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    errors,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Asks as a browser does. */
export async function browse(
  server: PagesServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(server.url + path, { headers: { accept: BROWSER_ACCEPT, ...headers } });
}
