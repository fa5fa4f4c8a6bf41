/** Conditions: searches that stand for an id. @see https://hl7.org/fhir/R4/http.html#cond-update */
import { comparedUri } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import type { Precondition } from '../../ports/commit-plan.ts';
import { grantOf, guarded, type GuardDeps, type Visit } from '../guard.ts';
import { requireToldSearch } from '../read/told-relative.ts';
import { withinScopes } from '../read/search-scopes.ts';
import { requireScope } from '../../access/scope.ts';

/** Of the answer, not of the search. */
const OF_THE_ANSWER = ['_format', '_pretty'];

/**
 * The parameters of a condition in any form that clients send: `identifier=a|b`, `?…`, `Patient?…`, or the absolute
 * URL at this server.
 * @throws {Fault} invalid - it is of another type or server
 */
export function conditionParameters(type: StoredType, condition: string, fhirBase: string): URLSearchParams {
  const relative = condition.startsWith(`${fhirBase}/`) ? condition.slice(fhirBase.length + 1) : condition;
  const [path, query] = /^[^=&]*\?/.test(relative) ? splitAtMark(relative) : ['', relative];
  if (path !== '' && path !== type)
    throw new Fault('invalid', `The condition is no search of ${type} at this server`, { expression: 'If-None-Exist' });
  const parameters = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(query))
    if (!OF_THE_ANSWER.includes(name)) parameters.append(name, value.split('|').map(comparedUri).join('|'));
  return parameters;
}

function splitAtMark(text: string): readonly [string, string] {
  const at = text.indexOf('?');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** What a condition found, and what must hold for it to have found nothing. */
export type Match = { readonly row: VisibleRow | undefined; readonly none: Precondition };

/**
 * The one row that satisfies a condition under the requester's grant: what it may not see does not match. The search is
 * a passage of its own in the trail.
 * @throws {Fault} version-conflict - several rows match
 * @throws {Fault} invalid, required - the condition is no search on the type, or empty
 * @throws {Fault} forbidden - the scopes do not allow searching, or relatives are searched by what is not told of them
 */
export async function matchOf(
  deps: GuardDeps,
  visit: Visit,
  type: StoredType,
  parameters: URLSearchParams,
): Promise<Match> {
  requireScope(visit.requester, type, 's');
  const { query } = parseSearch(type, parameters, {
    handling: 'strict',
    maxCount: 2,
    defaultCount: 2,
    isServed: deps.isServed,
  });
  if (query.where.length === 0) throw new Fault('required', `A condition names what it looks for on ${type}`);
  const asked = withinScopes(visit.requester, { type, where: query.where, count: 2, total: 'none', include: [] });
  requireToldSearch(visit, asked);
  const since = await deps.records.moment();
  const { answer } = await guarded(deps, visit, 'search', { kind: 'search', query: asked }, ({ rows }) => ({
    rows,
    entities: [{ role: '24', query: `${type}?${parameters}` }],
  }));
  if (answer.rows.length > 1) throw new Fault('version-conflict', `The condition matches several resources of ${type}`);
  return { row: answer.rows[0], none: { kind: 'no-match', since, grant: grantOf(deps, visit), query: asked } };
}
