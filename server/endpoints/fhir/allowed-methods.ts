/** A method that an address does not take: 405 with the methods that it does. @see RFC 9110 section 15.5.6 */
import type { Context } from 'koa';
import type { Interaction } from '../../../profiles/types/fhir-type.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { HTTP_CODE } from '../http/outcome.ts';
import { servedType } from './served.ts';

/** Interactions on `/Type`, and the methods that ask for them. */
const ON_TYPE: readonly (readonly [Interaction, string])[] = [
  ['search-type', 'GET, HEAD'],
  ['create', 'POST'],
];

/** The Fault of a request whose method is not served at its address; the answer names the methods that are. */
export function notServed(ctx: Context, message: string): Fault {
  ctx.set('Allow', methodsOf(ctx.path.split('/').slice(2)).join(', '));
  return new Fault('not-supported', message, { protocolCode: HTTP_CODE.methodNotAllowed });
}

function methodsOf([type = '', id, below]: readonly string[]): readonly string[] {
  if (type === '') return ['POST'];
  if (type === 'metadata') return ['GET, HEAD'];
  const table = isStoredType(type) ? servedType(type) : undefined;
  const interactions = table?.interactions ?? [];
  const isConditional = table?.conditionalUpdate === true;
  if (id === undefined) {
    const methods = ON_TYPE.flatMap(([interaction, methods]) => (interactions.includes(interaction) ? [methods] : []));
    return isConditional ? [...methods, 'PUT'] : methods;
  }
  if (id === '_search') return interactions.includes('search-type') ? ['POST'] : [];
  if (id.startsWith('$')) return ['POST'];
  if (below !== undefined) return interactions.includes('vread') ? ['GET, HEAD'] : [];
  return interactions.includes('update') && !isConditional ? ['GET, HEAD', 'PUT'] : ['GET, HEAD'];
}
