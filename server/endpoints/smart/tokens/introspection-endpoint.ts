/** Introspection answers only those who prove who they are: a public client cannot. @see RFC 7662 section 2.1 */
import type { KoaContextWithOIDC } from 'oidc-provider';

/** Middleware around `/token/introspection`; other paths pass. */
export async function introspectionEndpoint(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
  await next();
  if (ctx.path !== '/token/introspection' || ctx.method !== 'POST') return;
  const method = ctx.oidc.client?.clientAuthMethod;
  if (method !== undefined && method !== 'none') return;
  ctx.status = 401;
  ctx.set({ 'WWW-Authenticate': 'Bearer', 'Cache-Control': 'no-store' });
  ctx.body = { error: 'invalid_client', error_description: 'introspection is for authenticated clients' };
}
