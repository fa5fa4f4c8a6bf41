/** A listening server of nothing but sign-in: authorization server and demonstration identity provider. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import { createIdentityProvider } from '../../server/clients/identity-provider/identity-provider.ts';
import { parseRegion } from '../../server/config/region.ts';
import type { RegionClient } from '../../server/config/region.ts';
import { createDevelopmentIdentityProvider } from '../../server/endpoints/development-idp/development-idp.ts';
import { sendAsset } from '../../server/endpoints/pages/assets.ts';
import type { Authenticate } from '../../server/endpoints/smart/tokens/authenticate.ts';
import { createAuthorizationServer } from '../../server/endpoints/smart/authorization-server.ts';
import { generateAuthorizationKeys } from '../../server/endpoints/smart/keys.ts';
import type { AuthorizationServerOptions, SignInEvent } from '../../server/endpoints/smart/options.ts';
import type { Account } from '../../server/ports/account-directory.ts';
import { MemoryTokenStore } from './memory-token-store.ts';

/** A client beside the demonstration's, with https redirect URIs. */
export const WEB_APP: RegionClient = {
  client_id: 'test-web-app',
  name: 'Application <web>',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['https://app.example/callback'],
  scope: 'openid fhirUser launch/patient offline_access patient/*.rs user/*.rs',
  grant_types: ['authorization_code', 'refresh_token'],
};

/** The running server and what tests look into. `advance` moves the clock forward by seconds. */
export type SmartServer = AsyncDisposable & {
  readonly url: string;
  readonly tokens: MemoryTokenStore;
  readonly events: SignInEvent[];
  readonly authenticate: Authenticate;
  /** The proof that forms on pages of a session hold; `token` is the value of its cookie. */
  readonly proofOf: (token: string) => string;
  readonly advance: (seconds: number) => void;
};

/** Starts it on a free port of the loopback address. Every patient represents those of `represented`. */
export async function startSmartServer(
  changes: Partial<AuthorizationServerOptions> = {},
  represented: () => readonly Account[] = () => [],
): Promise<SmartServer> {
  const region = parseRegion(
    JSON.parse(await readFile(new URL('../../fixtures/region/region.json', import.meta.url), 'utf8')),
  );
  const app = new Koa();
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const tokens = new MemoryTokenStore();
  const events: SignInEvent[] = [];
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const site = { support: undefined, isDemonstration: true, persons: [], applications: [] };
  const idp = await createDevelopmentIdentityProvider({ publicUrl: () => url, persons: () => region.persons, site });
  const server = createAuthorizationServer({
    publicUrl: () => url,
    clients: () => [...region.clients, WEB_APP],
    site,
    identityProviders: () => [createIdentityProvider(idp.settings(url), clock)],
    accounts: {
      stands: async (reference) =>
        !reference.startsWith('RelatedPerson/') || represented().some((one) => one.reference === reference),
      resource: async (reference) => reference,
      patient: async (reference) => (reference.startsWith('Patient/') ? reference : undefined),
      represented: async () => represented(),
      async find(kind, system, value) {
        const person = region.persons.find(
          (known) => known.kind === kind && known.identifier.system === system && known.identifier.value === value,
        );
        if (person === undefined || person.login === 'demo-stranger') return undefined;
        return {
          reference: `${kind === 'patient' ? 'Patient' : 'Practitioner'}/${person.login}`,
          display: person.name,
        };
      },
    },
    tokens,
    keys: await generateAuthorizationKeys(),
    clock,
    onSignIn: async (event) => void events.push(event),
    onError: (error) => process.stderr.write(`${String(error)}\n`),
    ...changes,
  });
  app.use(async (ctx, next) => void (sendAsset(ctx) || (await next())));
  app.use(server.middleware).use(idp.middleware);
  listener.on('request', app.callback());
  return {
    url,
    tokens,
    events,
    authenticate: server.authenticate,
    proofOf: (token) => server.session.proofOf({ cookies: { get: () => token } } as unknown as Context),
    advance: (seconds) => void (offset += seconds * 1000),
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
