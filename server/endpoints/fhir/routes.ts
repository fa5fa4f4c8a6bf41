/** The FHIR door: which step answers which address. The table of served types decides what is answered at all. */
import { Router } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { Interaction, WriteHook } from '../../../profiles/types/fhir-type.ts';
import { Fault } from '../../../profiles/fault.ts';
import { fhirType, storedType, type StoredType } from '../../../profiles/types/visibility.ts';
import { answerFaults } from '../http/outcome.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { notServed } from './allowed-methods.ts';
import { readBinary } from './binary.ts';
import type { FhirDeps } from './deps.ts';
import { OPERATIONS } from './operations.ts';
import { read } from './read.ts';
import { requireJsonAnswer } from './request.ts';
import { search } from './search.ts';
import { servedType } from './served.ts';
import { updateConsent } from './update.ts';
import { conditionalUpdate, create, transaction } from './write.ts';

const PREFIX = '/fhir';

/** Makes the routes under `/fhir`. */
export function fhirRoutes(deps: FhirDeps): Middleware {
  const router = new Router({ prefix: PREFIX, sensitive: true });
  router.use(answerFaults);
  router.get('/metadata', (ctx) => answerMetadata(deps, ctx));
  router.use(answerPrivately);
  router.post('/', async (ctx) => await transaction(deps, ctx));
  router.get('/:type', async (ctx) => await search(deps, ctx, served(ctx, 'search-type')));
  router.post('/:type/_search', async (ctx) => await search(deps, ctx, served(ctx, 'search-type')));
  router.post('/Patient/:operation', async (ctx) => await operate(deps, ctx));
  router.post('/:type', async (ctx) => await create(deps, ctx, served(ctx, 'create')));
  router.put('/:type', async (ctx) => await conditionalUpdate(deps, ctx, conditionallyUpdated(ctx)));
  router.put('/:type/:id', async (ctx) => await UPDATES[updatedById(ctx)](deps, ctx, part(ctx, 'id')));
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

/** The type of a request, when it is served and the interaction with it. */
function served(ctx: Context, interaction: Interaction): StoredType {
  const type = storedType(part(ctx, 'type'));
  const table = servedType(type);
  if (table === undefined) throw new Fault('not-found', `Resource type ${type} is not served here`);
  if (!table.interactions.includes(interaction))
    throw notServed(ctx, `The interaction ${interaction} is not served on ${type}`);
  return type;
}

/** The type of a conditional update. */
function conditionallyUpdated(ctx: Context): StoredType {
  const type = served(ctx, 'update');
  if (servedType(type)?.conditionalUpdate !== true) throw notServed(ctx, `Conditional update is not served on ${type}`);
  return type;
}

/** Updates by id, by the hook of the type. */
const UPDATES = { rights: updateConsent } as const satisfies Partial<Record<WriteHook, typeof updateConsent>>;

/** The hook of a type that is updated by its id. */
function updatedById(ctx: Context): keyof typeof UPDATES {
  const type = served(ctx, 'update');
  const hook = fhirType(type).hooks?.write;
  if (hook !== 'rights') throw notServed(ctx, `Update by id is not served on ${type}`);
  return hook;
}

async function operate(deps: FhirDeps, ctx: Context): Promise<void> {
  const operation = OPERATIONS.get(part(ctx, 'operation'));
  if (operation === undefined) throw new Fault('not-supported', 'This operation is not served');
  await operation(deps, ctx);
}

function answerMetadata(deps: FhirDeps, ctx: Context): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  requireJsonAnswer(ctx);
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = JSON.stringify(deps.capabilityStatement());
}
