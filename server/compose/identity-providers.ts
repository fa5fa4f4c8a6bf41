/** Opens the identity providers of the region: at each of them persons sign in. */
import { dirname } from 'node:path';
import { readAuthentication } from '../clients/identity-provider/authentication.ts';
import {
  createIdentityProvider,
  type CheckedIdentityProvider,
} from '../clients/identity-provider/identity-provider.ts';
import { parseIdentityProvider } from '../clients/identity-provider/settings.ts';
import type { Config } from '../config/config.ts';
import type { Region } from '../config/region-model.ts';
import type { DevelopmentIdentityProvider } from '../endpoints/development-idp/development-idp.ts';
import type { Log } from '../log.ts';
import { systemClock } from '../ports/clock.ts';
import type { IdentityProvider } from '../ports/identity-provider.ts';
import type { HeldProviders } from './region.ts';
import { toFault } from '../../profiles/fault.ts';

/** What the server is told of its providers. */
export type IdentityProviderParts = {
  readonly config: Pick<Config, 'region'>;
  readonly region: Pick<Region, 'identityProviders'>;
  readonly log: Log;
  /** The provider of the demonstration, which comes last; undefined outside development. */
  readonly development: DevelopmentIdentityProvider | undefined;
  readonly publicUrl: () => string;
};

/** The entry that stands for the provider of the demonstration. */
const DEVELOPMENT = 'development';
const NOT_OFFERED = 'an identity provider does not offer what the region file asks of it';
const AWAY = 'nobody can sign in at an identity provider yet';

/**
 * Opens them in the order of the region file. One that does not answer, or cannot do what is asked of it, is logged:
 * the other doors do not wait for it.
 * @throws {Fault} invalid - an entry, its secret or its key does not hold
 */
export async function openIdentityProviders(parts: IdentityProviderParts): Promise<readonly IdentityProvider[]> {
  const { config, region, log, development, publicUrl } = parts;
  const folder = dirname(config.region);
  const providers: CheckedIdentityProvider[] = [];
  for (const entry of region.identityProviders.filter(({ issuer }) => issuer !== DEVELOPMENT)) {
    const settings = parseIdentityProvider(entry, await readAuthentication(entry, folder));
    providers.push(createIdentityProvider(settings, systemClock));
  }
  await Promise.all(providers.map(async (provider) => await check(provider, log)));
  if (development === undefined) return providers;
  return [...providers, lazyProvider(() => createIdentityProvider(development.settings(publicUrl()), systemClock))];
}

/**
 * Opens those of the first file, and holds those of the one that is loaded.
 * @throws {Fault} as {@link openIdentityProviders}
 */
export async function holdIdentityProviders(
  parts: Omit<IdentityProviderParts, 'region'>,
  first: Region,
): Promise<HeldProviders> {
  const open: HeldProviders['open'] = async (region) => await openIdentityProviders({ ...parts, region });
  let held = await open(first);
  return { now: () => held, open, replace: (providers) => void (held = providers) };
}

/** What does not hold of the entries of a region file, as `place reason`; `folder` is that of the file. */
export async function identityProviderErrors(
  { identityProviders }: IdentityProviderParts['region'],
  folder: string,
): Promise<readonly string[]> {
  const errors: string[] = [];
  for (const [index, entry] of identityProviders.entries()) {
    if (entry.issuer === DEVELOPMENT) continue;
    try {
      parseIdentityProvider(entry, await readAuthentication(entry, folder));
    } catch (error) {
      errors.push(`/identityProviders/${index} ${toFault(error).message}`);
    }
  }
  return errors;
}

async function check(provider: CheckedIdentityProvider, log: Log): Promise<void> {
  const { name } = provider;
  try {
    for (const why of await provider.check()) log.error({ provider: name, why }, NOT_OFFERED);
  } catch (error) {
    const cause = toFault(error).cause;
    const why = cause instanceof Error ? cause.message : 'it does not answer';
    log.error({ provider: name, why }, AWAY);
  }
}

/** The development provider is known once the server's address is. */
function lazyProvider(open: () => IdentityProvider): IdentityProvider {
  let provider: IdentityProvider | undefined;
  const opened = (): IdentityProvider => (provider ??= open());
  return {
    name: 'Démonstration',
    begin: async (request) => await opened().begin(request),
    complete: async (request, callback) => await opened().complete(request, callback),
  };
}
