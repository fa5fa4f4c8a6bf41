/** A method that an address does not take: 405 with the methods that it does. @see RFC 9110 section 15.5.6 */
import type { Context } from 'koa';
import type { ServedType } from '../../../profiles/capability-statement.ts';
import type { Interaction } from '../../../profiles/types/fhir-type.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { HTTP_CODE } from '../http/outcome.ts';
import { QUERIES } from './operations.ts';
import { EXPORTS } from './own/portability.ts';
import { servedType } from './served.ts';

/** Interactions on `/Type`, and the methods that ask for them. */
const ON_TYPE: readonly (readonly [Interaction, string])[] = [
  ['search-type', 'GET, HEAD'],
  ['create', 'POST'],
];

/** Interactions on one resource, `/Type/id` or by a condition `/Type?…`. */
const ON_ONE: typeof ON_TYPE = [
  ['update', 'PUT'],
  ['patch', 'PATCH'],
  ['delete', 'DELETE'],
];

/** The Fault of a request whose method is not served at its address; the answer names the methods that are. */
export function notServed(ctx: Context, message: string): Fault {
  ctx.set('Allow', methodsOf(ctx.path.split('/').slice(2)).join(', '));
  return new Fault('not-supported', message, { protocolCode: HTTP_CODE.methodNotAllowed });
}

function methodsOf([type = '', id, below, version]: readonly string[]): readonly string[] {
  if (type === '') return ['POST'];
  if (type === 'metadata') return ['GET, HEAD'];
  if (type === EXPORTS) return below === undefined ? ['GET, HEAD', 'DELETE'] : ['GET'];
  const table = isStoredType(type) ? servedType(type) : undefined;
  const interactions = table?.interactions ?? [];
  const of = (pairs: typeof ON_TYPE): readonly string[] =>
    pairs.flatMap(([interaction, methods]) => (interactions.includes(interaction) ? [methods] : []));
  if (id === undefined) return [...of(ON_TYPE), ...of(ON_ONE.filter(([one]) => isConditional(table, one)))];
  if (id === '_search') return interactions.includes('search-type') ? ['POST'] : [];
  if (id.startsWith('$')) return QUERIES.has(`${type}/${id}`) ? ['GET, HEAD', 'POST'] : ['POST'];
  if (below?.startsWith('$') === true) return ['POST'];
  if (id === '_history') return of([['history-type', 'GET, HEAD']]);
  if (below === undefined) return of([['read', 'GET, HEAD'], ...ON_ONE]);
  return of([[version === undefined ? 'history-instance' : 'vread', 'GET, HEAD']]);
}

function isConditional(table: ServedType | undefined, interaction: Interaction): boolean {
  const write = interaction === 'patch' ? 'update' : interaction;
  return table?.conditional.some((one) => one === write) === true;
}
