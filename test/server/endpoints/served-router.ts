/** Routes of a door on a port of their own. */
import { once } from 'node:events';
import { createServer } from 'node:http';

import type { Router } from '@koa/router';
import Koa from 'koa';
import { leaveUnread } from '../../../server/endpoints/http/unread-body.ts';

/** A router on a free port, and what the app was told to log. */
export type ServedRouter = { readonly origin: string; readonly errors: unknown[]; close(): Promise<void> };

/** Serves a router over a socket. */
export async function serve(router: Router): Promise<ServedRouter> {
  const app = new Koa();
  const errors: unknown[] = [];
  app.on('error', (error) => void errors.push(error));
  app.use(leaveUnread).use(router.routes()).use(router.allowedMethods());
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    errors,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
