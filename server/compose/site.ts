/** What pages say of the server. */
import type { Config } from '../config/config.ts';
import { madeOf, type CurrentRegion } from '../config/current-region.ts';
import type { Region } from '../config/region-model.ts';
import type { Site } from '../endpoints/pages/site.ts';

/** What it is told by. */
export type SiteParts = { readonly config: Config; readonly region: CurrentRegion };

/** What pages say of this server now. Applications are the clients at which persons sign in. */
export function siteOf({ config, region }: SiteParts): Site {
  const applications = madeOf(region, ({ clients }) => applicationsOf(clients));
  return {
    support: config.support,
    isDemonstration: config.development,
    get persons() {
      return config.development ? region.now().persons : [];
    },
    get applications() {
      return applications();
    },
  };
}

function applicationsOf(clients: Region['clients']): Site['applications'] {
  return clients
    .filter(({ grant_types }) => grant_types.includes('authorization_code'))
    .map(({ name, publisher, client_uri: home }) => ({
      name,
      ...(publisher === undefined ? {} : { publisher }),
      ...(home === undefined ? {} : { home }),
    }));
}
