/** The FHIR door: which step answers which address. The table of served types decides what is answered at all. */
import { Router } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { Interaction } from '../../../profiles/types/fhir-type.ts';
import { Fault } from '../../../profiles/fault.ts';
import { fhirType, storedType, type StoredType } from '../../../profiles/types/visibility.ts';
import { answerFaults } from '../http/outcome.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { notServed } from './allowed-methods.ts';
import { readBinary } from './binary.ts';
import { answerBundle } from './bundle/post.ts';
import { create } from './write/create.ts';
import { deleteResource } from './write/delete.ts';
import type { FhirDeps } from './deps.ts';
import { history } from './history.ts';
import { INSTANCE_OPERATIONS, OPERATIONS, QUERIES } from './operations.ts';
import { patch } from './write/patch.ts';
import { EXPORTS, exportCancelled, exportStatus, exportZip } from './own/portability.ts';
import { read } from './read.ts';
import { requireJsonAnswer } from './request.ts';
import { search } from './search.ts';
import { requireConditional, requireServed } from './served.ts';
import { update } from './write/update.ts';

const PREFIX = '/fhir';

/** Makes the routes under `/fhir`. */
export function fhirRoutes(deps: FhirDeps): Middleware {
  const router = new Router({ prefix: PREFIX, sensitive: true });
  router.use(answerFaults);
  router.get('/metadata', (ctx) => answerMetadata(deps, ctx));
  router.use(answerPrivately);
  router.post('/', async (ctx) => await answerBundle(deps, ctx));
  router.get('/:type', async (ctx) => await search(deps, ctx, served(ctx, 'search-type')));
  router.post('/:type/_search', async (ctx) => await search(deps, ctx, served(ctx, 'search-type')));
  router.post('/:type/:operation', async (ctx) => await operate(deps, ctx));
  router.post('/:type/:id/:operation', async (ctx) => await operateOn(deps, ctx));
  router.post('/:type', async (ctx) => await create(deps, ctx, served(ctx, 'create')));
  // Before the addresses of resources: no type is called so.
  router.get(`/${EXPORTS}/:id`, async (ctx) => await exportStatus(deps, ctx, part(ctx, 'id')));
  router.delete(`/${EXPORTS}/:id`, async (ctx) => await exportCancelled(deps, ctx, part(ctx, 'id')));
  router.get(`/${EXPORTS}/:id/zip`, async (ctx) => {
    if (ctx.method === 'HEAD') throw notServed(ctx, 'An export is put together as it is sent');
    await exportZip(deps, ctx, part(ctx, 'id'));
  });
  for (const [method, interaction, answer] of CHANGES) {
    router[method]('/:type', async (ctx) => await answer(deps, ctx, servedByCondition(ctx, interaction)));
    router[method]('/:type/:id', async (ctx) => await answer(deps, ctx, served(ctx, interaction), part(ctx, 'id')));
  }
  router.get('/:type/_history', async (ctx) => await history(deps, ctx, served(ctx, 'history-type')));
  router.get(
    '/:type/:id/_history',
    async (ctx) => await history(deps, ctx, served(ctx, 'history-instance'), part(ctx, 'id')),
  );
  router.get('/:type/:operation', async (ctx, next) =>
    part(ctx, 'operation').startsWith('$') ? await ask(deps, ctx) : await next(),
  );
  router.get('/:type/:id', async (ctx) => {
    const type = served(ctx, 'read');
    const id = part(ctx, 'id');
    await (fhirType(type).hooks?.read === 'bytes' ? readBinary(deps, ctx, id) : read(deps, ctx, type, id));
  });
  router.get(
    '/:type/:id/_history/:version',
    async (ctx) => await read(deps, ctx, served(ctx, 'vread'), part(ctx, 'id'), part(ctx, 'version')),
  );
  router.all('/{*rest}', (ctx) => {
    throw notServed(ctx, 'This interaction is not served');
  });
  const routes = router.routes();
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PREFIX)) return void (await next());
    await routes(ctx as Parameters<typeof routes>[0], next);
  };
}

function part(ctx: Context, name: string): string {
  const { params } = ctx as Context & { params: Record<string, string> };
  return params[name] ?? '';
}

/** Writes of one resource that stands, by id or by condition. */
const CHANGES = [
  ['put', 'update', update],
  ['patch', 'patch', patch],
  ['delete', 'delete', deleteResource],
] as const;

/** The type of a request, when it is served and the interaction with it. */
function served(ctx: Context, interaction: Interaction): StoredType {
  return allowed(ctx, (type) => requireServed(type, interaction));
}

/** The type of a write by condition. */
function servedByCondition(ctx: Context, interaction: 'update' | 'patch' | 'delete'): StoredType {
  return allowed(ctx, (type) => {
    requireServed(type, interaction);
    requireConditional(type, interaction);
  });
}

function allowed(ctx: Context, check: (type: StoredType) => void): StoredType {
  const type = storedType(part(ctx, 'type'));
  try {
    check(type);
  } catch (error) {
    throw error instanceof Fault && error.kind === 'not-supported' ? notServed(ctx, error.message) : error;
  }
  return type;
}

async function operate(deps: FhirDeps, ctx: Context): Promise<void> {
  const operation = OPERATIONS.get(`${part(ctx, 'type')}/${part(ctx, 'operation')}`);
  if (operation === undefined) throw operationNotServed(ctx);
  await operation(deps, ctx);
}

async function operateOn(deps: FhirDeps, ctx: Context): Promise<void> {
  const operation = INSTANCE_OPERATIONS.get(`${part(ctx, 'type')}/${part(ctx, 'operation')}`);
  if (operation === undefined) throw operationNotServed(ctx);
  await operation(deps, ctx, part(ctx, 'id'));
}

/** An address without an operation takes no POST. */
function operationNotServed(ctx: Context): Fault {
  if (part(ctx, 'operation').startsWith('$')) return new Fault('not-supported', 'This operation is not served');
  return notServed(ctx, 'This interaction is not served');
}

function answerMetadata(deps: FhirDeps, ctx: Context): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  requireJsonAnswer(ctx);
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = JSON.stringify(deps.capabilityStatement());
}

/** An operation by GET: those that change something are posted. */
async function ask(deps: FhirDeps, ctx: Context): Promise<void> {
  const name = `${part(ctx, 'type')}/${part(ctx, 'operation')}`;
  const query = QUERIES.get(name);
  if (query !== undefined) return await query(deps, ctx);
  if (OPERATIONS.has(name)) throw notServed(ctx, 'This operation is posted');
  throw operationNotServed(ctx);
}
