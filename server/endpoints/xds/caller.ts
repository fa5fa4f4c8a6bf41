/** Who calls a SOAP door: the bearer token of the HTTP request (IUA), or the assertion of the message (XUA). */
import type { Context } from 'koa';
import type { XmlElement } from 'libxml2-wasm';
import type { XuaAssertion } from '../../../ihe/saml/assertion.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import { hasToken } from '../http/outcome.ts';
import type { Identify } from '../http/visit.ts';

/**
 * Identifies who comes in by a verified assertion.
 * @throws {Fault} login - the assertion names nobody of the region
 */
export type IdentifyByAssertion = (assertion: XuaAssertion, ctx: Context, server: string) => Promise<Visit>;

/** What identification needs. */
export type CallerDeps = {
  readonly identify: Identify;
  readonly identifyByAssertion: IdentifyByAssertion;
  /** Verifies the assertion of a message. @throws {Fault} login - it does not hold */
  readonly verifyAssertion: (element: XmlElement) => XuaAssertion;
  /** Takes a name once, until it expires (epoch seconds). */
  readonly once: TokenStore['once'];
  readonly clock: Clock;
  readonly baseUrl: () => string;
};

/** An assertion is accepted a little after its end, so its ID is kept longer. */
const KEPT_AFTER_END_SECONDS = 600;
const MAX_REQUEST_ID_LENGTH = 256;

/**
 * Identifies who carries a bearer token, before the message is read; undefined without one.
 * @throws {Fault} login - the token does not hold
 */
export async function identifyByToken(ctx: Context, deps: CallerDeps): Promise<Visit | undefined> {
  return hasToken(ctx) ? await deps.identify(ctx, serverOf(ctx, deps)) : undefined;
}

/** What a message says of its caller and of itself. */
export type IdentifyingParts = { readonly assertion: XuaAssertion | undefined; readonly messageID: string | undefined };

/**
 * Identifies the caller, by the assertion of the message unless it was done by token. The MessageID names the request
 * in the audit trail.
 * @throws {Fault} login - neither token nor assertion, both, or a second use of a single one
 */
export async function identifyCaller(
  ctx: Context,
  deps: CallerDeps,
  byToken: Visit | undefined,
  { assertion, messageID }: IdentifyingParts,
): Promise<Visit> {
  if (byToken !== undefined && assertion !== undefined) {
    throw new Fault('login', 'The request carries a token and an assertion: send one of them');
  }
  const visit = byToken ?? (await identifyByMessage(ctx, deps, assertion));
  return messageID === undefined ? visit : { ...visit, requestId: messageID.slice(0, MAX_REQUEST_ID_LENGTH) };
}

async function identifyByMessage(ctx: Context, deps: CallerDeps, assertion: XuaAssertion | undefined): Promise<Visit> {
  if (assertion === undefined)
    throw new Fault('login', 'The request carries neither a bearer token nor a SAML assertion');
  if (assertion.oneTimeUse) await useOnce(deps, assertion);
  return await deps.identifyByAssertion(assertion, ctx, serverOf(ctx, deps));
}

function serverOf({ path }: Context, { baseUrl }: CallerDeps): string {
  return `${baseUrl()}${path.replace(/^\/xds/, '')}`;
}

/** @see SAML 2.0 core section 2.5.1.5 */
async function useOnce({ once, clock }: CallerDeps, { issuer, id, notOnOrAfter }: XuaAssertion): Promise<void> {
  const expiresAt = Math.ceil(notOnOrAfter.getTime() / 1000) + KEPT_AFTER_END_SECONDS;
  const isFirst = await once(JSON.stringify(['assertion', issuer, id]), expiresAt, Math.floor(clock.now() / 1000));
  if (!isFirst) throw new Fault('login', 'The SAML assertion may be used once and was used already');
}
