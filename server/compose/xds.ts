/** The doors of XDS.b and XDS-I.b, a module of their own: its XML parser is loaded for whoever asks in SOAP. */
import { verifyAssertion } from '../../ihe/saml/assertion.ts';
import type { Flows } from './flows/flows.ts';
import type { Config } from '../config/config.ts';
import { madeOf, type CurrentRegion } from '../config/current-region.ts';
import { bodyLimits } from '../endpoints/http/body-limits.ts';
import { recordFailure, visitOf } from '../endpoints/http/identify.ts';
import type { Identify } from '../endpoints/http/visit.ts';
import { xdsRouter } from '../endpoints/xds/router.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import { systemClock } from '../ports/clock.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { TokenStore } from '../ports/token-store.ts';

/** What the doors are made from. */
export type XdsParts = {
  readonly config: Config;
  readonly region: CurrentRegion;
  readonly stores: { readonly trail: AuditTrail; readonly images: ImageStore; readonly tokens: TokenStore };
  readonly flows: Flows;
  readonly publicUrl: () => string;
};

/** Opens the doors. */
export function openXds(
  { config, region, stores, flows, publicUrl }: XdsParts,
  identify: Identify,
): ReturnType<typeof xdsRouter> {
  const { trail, images, tokens } = stores;
  const trusted = madeOf(region, ({ assertionIssuers }) =>
    assertionIssuers.map(({ issuer, certificate }) => ({ issuer, certificate: String(certificate ?? '') })),
  );
  return xdsRouter({
    ...flows,
    identify,
    identifyByAssertion: async (assertion, ctx, server) =>
      visitOf(ctx, await flows.requesterOfAssertion(assertion), server),
    verifyAssertion: (element) =>
      verifyAssertion({ element, trusted: trusted(), audience: publicUrl(), now: new Date(systemClock.now()) }),
    recordFailure: async (ctx, fault) =>
      await recordFailure({ trail, clock: systemClock }, ctx, `${publicUrl()}${ctx.path}`, fault),
    once: async (name, expiresAt, now) => await tokens.once(name, expiresAt, now),
    clock: systemClock,
    baseUrl: () => `${publicUrl()}/xds`,
    bodyLimit: bodyLimits(config.maxBodyBytes),
    images,
    repositoryUniqueId: config.repositoryUid,
  });
}
