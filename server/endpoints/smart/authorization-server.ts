/** The authorization server of the region: SMART App Launch, SMART Backend Services, OpenID Connect. */
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { Fault } from '../../../profiles/fault.ts';
import { statusOf } from '../http/outcome.ts';
import { formProof, isFormProof, PAGES_CLIENT, sessionTokenOf } from './session/session.ts';
import { studyPasses, type StudyPasses } from './session/study-pass.ts';
import { createAuthenticate } from './tokens/authenticate.ts';
import type { Authenticate } from './tokens/authenticate.ts';
import { dropSession, withConsentPrompt } from './authorize-request.ts';
import { readForm } from './sign-in/form.ts';
import { interactionRouter } from './sign-in/interaction.ts';
import { introspectionEndpoint } from './tokens/introspection-endpoint.ts';
import { mountProvider } from './mount.ts';
import { bindOptions } from './options.ts';
import type { AuthorizationServerOptions, BoundOptions } from './options.ts';
import { sendPage } from '../pages/send-page.ts';
import type { Site } from '../pages/site.ts';
import { cookieNames, createProvider } from './provider.ts';
import { refusalOf } from './refusals.ts';
import { sendSmartConfiguration, SMART_CONFIGURATION_PATH } from './smart-configuration.ts';
import { tokenEndpoint } from './tokens/token-endpoint.ts';

/** The server: Koa middleware for `/auth/` and the SMART discovery document, and the check of access tokens. */
export type AuthorizationServer = {
  readonly middleware: Middleware;
  readonly authenticate: Authenticate;
  readonly session: BrowserSession;
};

/** The session of a browser on our own pages, for their doors. */
export type BrowserSession = {
  /** What the session of a request shows, in the form of an Authorization header; undefined without one. */
  readonly credentialOf: (ctx: Context) => string | undefined;
  /** The value by which forms of a page prove that they come from it. */
  readonly proofOf: (ctx: Context) => string;
  /** Whether a posted value is the proof of the request's session. */
  readonly isProof: (ctx: Context, value: string | null) => boolean;
  readonly passes: StudyPasses;
};

const AUTHORIZE = '/auth/authorize';

/**
 * Makes the authorization server, with issuer `${publicUrl}/auth`.
 *
 * Other paths pass through the middleware. It must stand before anything that reads request bodies.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const open = once(() => openServer(bindOptions(options)));
  return {
    authenticate: createAuthenticate({ ...options, clients: () => [...options.clients(), PAGES_CLIENT] }),
    session: browserSession(options),
    middleware: async (ctx, next) => {
      if (ctx.path === SMART_CONFIGURATION_PATH) return sendSmartConfiguration(ctx, open().bound.issuer);
      if (!ctx.path.startsWith('/auth/')) return void (await next());
      const { provider, bound } = open();
      try {
        if (ctx.path === AUTHORIZE && ctx.method === 'POST') return await redirectPosted(ctx, bound);
        prepareRequest(ctx, bound);
        await mountProvider(ctx, provider, '/auth', bound.publicUrl);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        answerRefused(ctx, error, options.site);
      }
    },
  };
}

function browserSession({ publicUrl, keys }: AuthorizationServerOptions): BrowserSession {
  return {
    credentialOf: (ctx) => {
      const token = sessionTokenOf(ctx, publicUrl());
      return token === undefined ? undefined : `Bearer ${token}`;
    },
    proofOf: (ctx) => formProof(keys, sessionTokenOf(ctx, publicUrl()) ?? ''),
    isProof: (ctx, value) => isFormProof(keys, sessionTokenOf(ctx, publicUrl()) ?? '', value),
    passes: studyPasses(keys, publicUrl),
  };
}

function openServer(bound: BoundOptions): { readonly provider: Provider; readonly bound: BoundOptions } {
  const provider = createProvider(bound);
  provider.use(introspectionEndpoint);
  provider.use(tokenEndpoint(bound));
  provider.use(interactionRouter(provider, bound).routes());
  return { provider, bound };
}

/**
 * A posted request is repeated as a plain one, so that cookies may stay bound to this site. @see SMART App Launch 2.2,
 * authorize-post
 */
async function redirectPosted(ctx: Context, bound: BoundOptions): Promise<void> {
  const form = await readForm(ctx);
  ctx.status = 303;
  ctx.set({ Location: `${bound.issuer}/authorize?${form.toString()}`, 'Cache-Control': 'no-store' });
  ctx.body = '';
}

/** A person is told of a refused form on a page, an application as OAuth does. @see RFC 6749 section 5.2 */
function answerRefused(ctx: Context, fault: Fault, site: Site): void {
  if (!ctx.path.startsWith('/auth/token')) return sendPage(ctx, refusalOf(fault), site);
  ctx.status = statusOf(fault);
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { error: 'invalid_request', error_description: fault.message };
}

function prepareRequest(ctx: Context, bound: BoundOptions): void {
  if (!ctx.path.startsWith(AUTHORIZE)) return;
  dropSession(ctx.req, cookieNames(bound.publicUrl.startsWith('https:')).session);
  if (ctx.path === AUTHORIZE) replaceQuery(ctx.req, withConsentPrompt(ctx.querystring));
}

function replaceQuery(request: IncomingMessage, query: string): void {
  const path = (request.url ?? '').split('?')[0] ?? '';
  request.url = query === '' ? path : `${path}?${query}`;
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
