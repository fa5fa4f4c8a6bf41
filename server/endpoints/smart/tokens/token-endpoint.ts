/** What surrounds oidc-provider's token endpoint: the limit on failures, the launch context, the record of sign-ins. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { failureLimit } from '../failure-limit.ts';
import type { BoundOptions, SignInEvent } from '../options.ts';

type Next = () => Promise<unknown>;

/** Middleware around `/token`; other paths pass. */
export function tokenEndpoint(options: BoundOptions): (ctx: KoaContextWithOIDC, next: Next) => Promise<void> {
  const limit = failureLimit(options.clock);
  return async (ctx, next) => {
    if (ctx.path !== '/token' || ctx.method !== 'POST') return void (await next());
    const wait = limit.waitSeconds(ctx.ip);
    if (wait > 0) return refuse(ctx, 429, 'slow_down', wait);
    await next();
    if (ctx.status >= 400) limit.countFailure(ctx.ip);
    if (ctx.status === 200) addLaunchContext(ctx);
    await recordClient(ctx, options);
  };
}

/** @see SMART App Launch 2.2, Launch context arrives with your access_token */
function addLaunchContext(ctx: KoaContextWithOIDC): void {
  const patient = ctx.oidc.entities.AccessToken?.extra?.['patient'];
  if (typeof patient !== 'string' || typeof ctx.body !== 'object') return;
  ctx.body = { ...ctx.body, patient };
}

/** A backend client signs in here; its token is held back when that cannot be recorded. */
async function recordClient(ctx: KoaContextWithOIDC, options: BoundOptions): Promise<void> {
  const event = clientEvent(ctx);
  if (event === undefined || options.onSignIn === undefined) return;
  try {
    await options.onSignIn(event);
  } catch (error) {
    options.onError?.(error);
    refuse(ctx, 503, 'temporarily_unavailable', 5);
  }
}

function clientEvent(ctx: KoaContextWithOIDC): SignInEvent | undefined {
  const isBackend = ctx.oidc.entities.ClientCredentials !== undefined;
  if (ctx.status !== 401 && !(ctx.status === 200 && isBackend)) return undefined;
  const clientId = ctx.oidc.client?.clientId;
  const event = { subject: 'client', clientId, address: ctx.ip } as const;
  if (ctx.status === 200) return { ...event, outcome: 'success' };
  return { ...event, outcome: 'failure', reason: 'Client authentication failed' };
}

function refuse(ctx: KoaContextWithOIDC, status: number, error: string, retryAfterSeconds: number): void {
  ctx.status = status;
  ctx.set({ 'Retry-After': String(retryAfterSeconds), 'Cache-Control': 'no-store' });
  ctx.body = { error };
}
