/** Events of earlier servers, which parameters of later ones do not find. */
import { versionFor } from '../../../../profiles/search/audit-event-index.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { Database } from '../database.ts';
import { search } from '../read/search.ts';
import { indexVersion } from './audit-rows.ts';

/**
 * Whether a search of events has some in its part of the trail that it does not find. Versions of the index rise: it is
 * told by the first event.
 */
export function lacksEarlier(trail: Database, grant: AnyGrant, { where, span }: SearchQuery): boolean {
  const version = versionFor(where);
  if (version === 1) return false;
  const order = [{ by: 'moment', param: 'date', descending: false }] as const;
  const part = { type: 'AuditEvent', where: [], order, count: 1, total: 'none', include: [] } as const;
  const [first] = search(trail, grant, span === undefined ? part : { ...part, span }, undefined).rows;
  return first !== undefined && indexVersion(trail, first.id) < version;
}
