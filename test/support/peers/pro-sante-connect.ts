/**
 * An identity provider in the shape of Pro Santé Connect: metadata under a name of its own, a client secret, the scope
 * `scope_all`, the national identifier at the UserInfo endpoint, assurance as `eidas1`. It believes whoever signs in.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type ClientMetadata, type Configuration } from 'oidc-provider';
import { memoryAdapter } from '../../../server/endpoints/development-idp/memory-adapter.ts';
import { generateAuthorizationKeys } from '../../../server/endpoints/smart/keys.ts';

const REALM = '/auth/realms/esante-wallet';
const DISCOVERY = `${REALM}/.well-known/wallet-openid-configuration`;
const ROUTES = {
  authorization: '/protocol/openid-connect/auth',
  token: '/protocol/openid-connect/token',
  userinfo: '/protocol/openid-connect/userinfo',
  jwks: '/protocol/openid-connect/certs',
};
const CLIENT_ID = 'passerelle-test';

/** Somebody at the provider: the subject of her tokens, and her national identifier (undefined: she has none). */
export type CardHolder = { readonly sub: string; readonly nationalId: string | undefined };

/** How its one client is registered beside what Pro Santé Connect has, and whether its id_tokens are badly signed. */
export type Deviation = { readonly client?: Partial<ClientMetadata>; readonly isBadlySigned?: boolean };

/** The running provider. */
export type ProSanteConnect = AsyncDisposable & {
  readonly issuer: string;
  readonly discovery: string;
  readonly clientId: string;
  readonly secret: string;
  /** Paths that were asked for, in their order. */
  readonly asked: string[];
};

/** Starts it on a free port of loopback. `redirectUri` is where its one client has its answers. */
export async function startProSanteConnect(
  redirectUri: string,
  holders: readonly CardHolder[],
  deviation: Deviation = {},
): Promise<ProSanteConnect> {
  const secret = 'secret of a test: +/=&%';
  const asked: string[] = [];
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const provider = new Provider(origin + REALM, await configurationOf(holders, redirectUri, secret, deviation));
  addPages(provider, deviation);
  const answer = provider.callback();
  listener.on('request', (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    asked.push(path);
    if (!path.startsWith(REALM) || path.endsWith('/.well-known/openid-configuration')) {
      response.writeHead(404).end();
      return;
    }
    const below = path === DISCOVERY ? '/.well-known/openid-configuration' : path.slice(REALM.length);
    const url = query === '' ? below : `${below}?${query}`;
    Object.assign(request, { originalUrl: REALM + url, url });
    void answer(request, response);
  });
  return {
    issuer: origin + REALM,
    discovery: origin + DISCOVERY,
    clientId: CLIENT_ID,
    secret,
    asked,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}

async function configurationOf(
  holders: readonly CardHolder[],
  redirectUri: string,
  secret: string,
  { client = {} }: Deviation,
): Promise<Configuration> {
  const keys = await generateAuthorizationKeys();
  return {
    adapter: memoryAdapter(),
    routes: ROUTES,
    jwks: { keys: keys.jwks.keys.map((key) => ({ ...key })) },
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: secret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        ...client,
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
    claims: { openid: ['sub', 'acr', 'auth_time'], scope_all: ['SubjectNameID', 'Palier_Authentification'] },
    scopes: ['openid', 'scope_all'],
    acrValues: ['eidas1', 'eidas2'],
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    cookies: {
      keys: [...keys.cookieKeys],
      names: { session: 'psc_session', interaction: 'psc_int', resume: 'psc_res' },
    },
    features: { devInteractions: { enabled: false } },
    ttl: { Session: 60, Interaction: 900, Grant: 600, AuthorizationCode: 60, AccessToken: 120, IdToken: 60 },
    interactions: { url: (_ctx, { uid }) => `${REALM}/interaction/${uid}` },
    findAccount: (_ctx, sub) => {
      const holder = holders.find((one) => one.sub === sub);
      if (holder === undefined) return undefined;
      const national = holder.nationalId === undefined ? {} : { SubjectNameID: holder.nationalId };
      return { accountId: sub, claims: () => ({ sub, ...national }) };
    },
    renderError: (ctx, { error, error_description: why }) => void (ctx.body = `${error}: ${String(why)}`),
    loadExistingGrant: (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
  };
}

/** Its sign-in page takes `login` and `acr` as they are posted. */
function addPages(provider: Provider, { isBadlySigned = false }: Deviation): void {
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) {
      await next();
      if (isBadlySigned && ctx.path === ROUTES.token) ctx.body = withoutSignature(ctx.body);
      return;
    }
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === 'GET') {
      ctx.type = 'text/html';
      ctx.body = '<form method="post"><input name="login"/><input name="acr"/></form>';
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const login = form.get('login') ?? '';
    const grant = new provider.Grant({ accountId: login, clientId: String(params['client_id']) });
    grant.addOIDCScope('openid scope_all');
    const result = {
      login: { accountId: login, acr: form.get('acr') ?? '', ts: Math.floor(Date.now() / 1000), remember: false },
      consent: { grantId: await grant.save() },
    };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
  });
}

function withoutSignature(body: unknown): unknown {
  const answer = body as { readonly id_token: string };
  const [head, claims] = answer.id_token.split('.');
  return { ...answer, id_token: `${head}.${claims}.${Buffer.alloc(256).toString('base64url')}` };
}
