/** oidc-provider below a path of the server's application. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';

/**
 * Hands a request over to a provider mounted at `prefix`.
 *
 * Host and scheme are those of the public address, whatever the peer claims, so no header of a request can change an
 * address that the provider writes; the peer's address is the one the outer application found.
 */
export async function mountProvider(
  ctx: Context,
  provider: Provider,
  prefix: string,
  publicUrl: string,
): Promise<void> {
  const { host, protocol } = new URL(publicUrl);
  const { req } = ctx;
  const { headers } = req;
  headers.host = host;
  headers['x-forwarded-proto'] = protocol.slice(0, -1);
  headers['x-forwarded-for'] = ctx.ip;
  delete headers['x-forwarded-host'];
  const url = req.url ?? '/';
  (req as IncomingMessage & { originalUrl?: string }).originalUrl = url;
  req.url = url.slice(prefix.length);
  ctx.respond = false;
  await provider.callback()(req, ctx.res);
}
