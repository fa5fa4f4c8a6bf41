/**
 * The identity provider of the demonstration: its sign-in page lists the persons of the region file and believes
 * whoever chooses one. It runs in development only, and Passerelle speaks to it as to any other provider.
 */
import { randomBytes } from 'node:crypto';
import type { Middleware } from 'koa';
import { Provider } from 'oidc-provider';
import type { Configuration } from 'oidc-provider';
import type { RegionPerson } from '../../config/region-model.ts';
import type { Site } from '../pages/site.ts';
import { dropSession } from '../smart/authorize-request.ts';
import { generateAuthorizationKeys } from '../smart/keys.ts';
import type { AuthorizationKeys } from '../smart/keys.ts';
import { mountProvider } from '../smart/mount.ts';
import { providerErrors } from '../smart/sign-in/pages.ts';
import { chooserRouter } from './chooser.ts';
import { memoryAdapter } from './memory-adapter.ts';

/** Path of the provider below the public address. */
export const DEVELOPMENT_IDP_PATH = '/development/identity-provider';

/** The assurance that it states. */
export const DEVELOPMENT_ACR = 'urn:passerelle:acr:development';

/** Where its client, Passerelle, receives answers, below the public address. */
const CLIENT_CALLBACK = '/auth/signed-in';

const CLIENT_ID = 'passerelle';

/** Traits that the region file gives of its persons. */
const TRAIT_CLAIMS = ['family_name', 'given_name', 'birthdate', 'gender'];

/** Not brought along: each sign-in chooses a person anew. */
const SESSION_COOKIE = 'development_session';

/** The provider, and what Passerelle needs to be its client (the settings of an identity provider). */
export type DevelopmentIdentityProvider = {
  readonly middleware: Middleware;
  /** Settings for the address at which the server listens. */
  readonly settings: (publicUrl: string) => DevelopmentClientSettings;
};

/** Settings as `createIdentityProvider` takes them. */
export type DevelopmentClientSettings = {
  readonly issuer: string;
  readonly name: string;
  readonly clientId: string;
  readonly authentication: { readonly method: 'client_secret_basic'; readonly secret: string };
  readonly scope: string;
  readonly identifierClaims: readonly {
    readonly claim: string;
    readonly kinds: readonly ('patient' | 'practitioner')[];
  }[];
  readonly requiredAcr: readonly string[];
  readonly traits: boolean;
};

/** Makes the provider with new keys and a new client secret; it forgets everything when the process ends. */
export async function createDevelopmentIdentityProvider(options: {
  readonly publicUrl: () => string;
  readonly persons: () => readonly RegionPerson[];
  readonly site: Site;
}): Promise<DevelopmentIdentityProvider> {
  const keys = await generateAuthorizationKeys();
  const secret = randomBytes(32).toString('base64url');
  let provider: Provider | undefined;
  return {
    settings: (publicUrl) => settingsFor(publicUrl, secret),
    middleware: async (ctx, next) => {
      if (!ctx.path.startsWith(`${DEVELOPMENT_IDP_PATH}/`)) return void (await next());
      dropSession(ctx.req, SESSION_COOKIE);
      provider ??= openProvider(options.publicUrl(), options, keys, secret);
      await mountProvider(ctx, provider, DEVELOPMENT_IDP_PATH, options.publicUrl());
    },
  };
}

function settingsFor(publicUrl: string, secret: string): DevelopmentClientSettings {
  return {
    issuer: publicUrl + DEVELOPMENT_IDP_PATH,
    name: 'Fournisseur d’identité de démonstration',
    clientId: CLIENT_ID,
    authentication: { method: 'client_secret_basic', secret },
    scope: 'openid',
    identifierClaims: [{ claim: 'identifier', kinds: ['patient', 'practitioner'] }],
    requiredAcr: [DEVELOPMENT_ACR],
    traits: true,
  };
}

function openProvider(
  publicUrl: string,
  { persons, site }: { readonly persons: () => readonly RegionPerson[]; readonly site: Site },
  keys: AuthorizationKeys,
  secret: string,
): Provider {
  const provider = new Provider(publicUrl + DEVELOPMENT_IDP_PATH, {
    ...configurationOf(persons, keys, site),
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: secret,
        redirect_uris: [publicUrl + CLIENT_CALLBACK],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        require_auth_time: true,
      },
    ],
  });
  provider.proxy = true;
  provider.use(chooserRouter(provider, persons, DEVELOPMENT_ACR, site).routes());
  return provider;
}

function configurationOf(persons: () => readonly RegionPerson[], keys: AuthorizationKeys, site: Site): Configuration {
  return {
    adapter: memoryAdapter(),
    jwks: { keys: keys.jwks.keys.map((key) => ({ ...key })) },
    cookies: {
      keys: [...keys.cookieKeys],
      names: { session: SESSION_COOKIE, interaction: 'development_interaction', resume: 'development_resume' },
    },
    claims: { openid: ['sub', 'identifier', ...TRAIT_CLAIMS, 'acr', 'auth_time'] },
    scopes: ['openid'],
    acrValues: [DEVELOPMENT_ACR],
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic'],
    pkce: { required: () => true },
    ttl: { Session: 60, Interaction: 900, Grant: 600, AuthorizationCode: 60, AccessToken: 60, IdToken: 60 },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      dPoP: { enabled: false },
    },
    interactions: { url: (_ctx, interaction) => `${DEVELOPMENT_IDP_PATH}/interaction/${interaction.uid}` },
    findAccount: (_ctx, login) => {
      const person = persons().find((known) => known.login === login);
      if (person === undefined) return undefined;
      const { identifier, claims = {} } = person;
      return { accountId: login, claims: () => ({ ...claims, sub: login, identifier: { ...identifier } }) };
    },
    loadExistingGrant: (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    renderError: providerErrors(site),
  };
}
