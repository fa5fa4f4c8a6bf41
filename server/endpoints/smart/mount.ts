/** oidc-provider below a path of the server's application. */
import { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { readRawBody } from '../http/raw-body.ts';
import { MAX_FORM_BYTES } from './sign-in/form.ts';

/**
 * Hands a request over to a provider mounted at `prefix`, its body read before within the limit of forms.
 *
 * Host and scheme are those of the public address, whatever the peer claims, so no header of a request can change an
 * address that the provider writes; the peer's address is the one the outer application found.
 * @throws {Fault} too-long - the body is longer than MAX_FORM_BYTES
 */
export async function mountProvider(
  ctx: Context,
  provider: Provider,
  prefix: string,
  publicUrl: string,
): Promise<void> {
  const { host, protocol } = new URL(publicUrl);
  const { headers } = ctx.req;
  headers.host = host;
  headers['x-forwarded-proto'] = protocol.slice(0, -1);
  headers['x-forwarded-for'] = ctx.ip;
  delete headers['x-forwarded-host'];
  const request = withBody(ctx.req, await readRawBody(ctx, MAX_FORM_BYTES));
  const url = request.url ?? '/';
  (request as IncomingMessage & { originalUrl?: string }).originalUrl = url;
  request.url = url.slice(prefix.length);
  ctx.respond = false;
  await provider.callback()(request, ctx.res);
}

/** The same request, its body ready to be read. */
function withBody(read: IncomingMessage, body: Buffer): IncomingMessage {
  const request = new IncomingMessage(read.socket);
  const { method, url, httpVersion, headers, rawHeaders } = read;
  Object.assign(request, { method, url, httpVersion, headers, rawHeaders, complete: true });
  request.push(body);
  request.push(null);
  return request;
}
