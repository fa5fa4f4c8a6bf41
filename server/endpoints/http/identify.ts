/** From a bearer token to a visit. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import { Fault, toFault } from '../../../profiles/fault.ts';
import { recordOf, refusalAbout } from '../../flows/audit/event-records.ts';
import type { requesterOfToken } from '../../flows/identity/known-requesters.ts';
import type { Requester } from '../../access/requester.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Visit } from '../../flows/guard.ts';
import { tokenIdOf, type Authenticate } from '../smart/tokens/authenticate.ts';
import type { Identify } from './visit.ts';

/** What identification needs. */
export type IdentifyDeps = {
  readonly authenticate: Authenticate;
  readonly requesterOfToken: ReturnType<typeof requesterOfToken>;
  readonly trail: AuditTrail;
  readonly clock: Clock;
};

/**
 * Makes the identification of HTTP requests. A token that does not hold is recorded. `credentialOf` gives what a
 * request shows, in the form of an Authorization header.
 */
export function createIdentify(
  deps: IdentifyDeps,
  credentialOf: (ctx: Context) => string | undefined = (ctx) => ctx.get('Authorization') || undefined,
): Identify {
  return async (ctx, server) => {
    if (ctx.querystring !== '' && new URLSearchParams(ctx.querystring).has('access_token'))
      throw new Fault('invalid', 'A token belongs in the Authorization header, never in the address');
    const authorization = credentialOf(ctx);
    try {
      const tokenId = tokenIdOf(authorization);
      return visitOf(
        ctx,
        await deps.requesterOfToken(tokenId, async () => await deps.authenticate(authorization)),
        server,
      );
    } catch (error) {
      if (authorization !== undefined) await recordFailure(deps, ctx, server, toFault(error));
      throw error;
    }
  };
}

/** The visit of a request, once its requester is known. */
export function visitOf(ctx: Context, requester: Requester, server: string): Visit {
  return { requester, requestId: requestIdOf(ctx), address: ctx.ip, server };
}

/** The client's X-Request-Id when it is a plain name, else one of our own: one in the answer and in all events. */
export function requestIdOf(ctx: Context): string {
  const sent = ctx.get('X-Request-Id');
  if (/^[\w.:-]{1,128}$/.test(sent)) return sent;
  const state = ctx.state as { requestId?: string };
  state.requestId ??= randomUUID();
  return state.requestId;
}

/** Records that somebody who could not be identified was refused. */
export async function recordFailure(
  { trail, clock }: Pick<IdentifyDeps, 'trail' | 'clock'>,
  ctx: Context,
  server: string,
  fault: Fault,
): Promise<void> {
  const occasion = { requestId: requestIdOf(ctx), server, client: { id: 'unknown', address: ctx.ip } };
  await trail.record([recordOf(clock, occasion, 'refusal', refusalAbout(fault))]);
}
