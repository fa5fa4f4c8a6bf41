/** FHIR create, conditional create and update, transaction. @see https://hl7.org/fhir/R4/http.html#create */
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { isSubmittedType } from '../../flows/write/submit-bundle.ts';
import type { SubmittedEntry, SubmittedResource, SubmittedResult } from '../../flows/write/submission.ts';
import { formatTransactionResponse } from './bundles.ts';
import type { FhirDeps } from './deps.ts';
import { admit, readResource } from './request.ts';

/** Most entries of a transaction: each may become several rows, and a plan holds 2,000. */
const MAX_ENTRIES = 200;

/** Answers POST on a type: create, with If-None-Exist conditional. */
export async function create(deps: FhirDeps, ctx: Context, type: StoredType): Promise<void> {
  const condition = ctx.get('If-None-Exist');
  await writeOne(deps, ctx, type, 'POST', condition === '' ? undefined : condition);
}

/** Answers PUT on a type: conditional update. */
export async function conditionalUpdate(deps: FhirDeps, ctx: Context, type: StoredType): Promise<void> {
  await writeOne(deps, ctx, type, 'PUT', ctx.querystring);
}

async function writeOne(
  deps: FhirDeps,
  ctx: Context,
  type: StoredType,
  method: 'POST' | 'PUT',
  condition: string | undefined,
): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: method === 'PUT' ? 'update' : 'create', type });
  const resource = submitted(await readResource(deps, ctx, admitted));
  if (resource.resourceType !== type)
    throw new Fault('invalid', `The resource is not a ${type}`, { expression: 'resourceType' });
  const entry = { method, resource, ...(condition === undefined ? {} : { condition }) };
  const [result] = await deps.submit(admitted.visit, [entry]);
  if (result !== undefined) answerWritten(deps, ctx, result);
}

/** Answers a write: where the resource is, and its version. */
export function answerWritten(deps: FhirDeps, ctx: Context, { status, type, id, version }: SubmittedResult): void {
  ctx.status = status === '201 Created' ? 201 : 200;
  ctx.set('Location', `${deps.fhirBase()}/${type}/${id}/_history/${version}`);
  ctx.set('ETag', `W/"${version}"`);
  ctx.body = '';
}

/** Answers POST on the base: a transaction. Batches are not served. */
export async function transaction(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'transaction' });
  const bundle = await readResource(deps, ctx, admitted);
  if (bundle.resourceType !== 'Bundle')
    throw new Fault('invalid', 'The body is not a Bundle', { expression: 'resourceType' });
  if (bundle.type !== 'transaction')
    throw new Fault('not-supported', 'Only Bundles of type transaction are served', { expression: 'Bundle.type' });
  const results = await deps.submit(admitted.visit, entriesOf(bundle));
  ctx.status = 200;
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = formatTransactionResponse(results);
}

function entriesOf({ entry = [] }: Bundle): SubmittedEntry[] {
  if (entry.length > MAX_ENTRIES) throw new Fault('too-costly', `A transaction has at most ${MAX_ENTRIES} entries`);
  return entry.map(toEntry);
}

function toEntry({ fullUrl, resource, request }: BundleEntry): SubmittedEntry {
  if (resource === undefined || request === undefined)
    throw new Fault('required', 'An entry needs resource and request', { expression: 'Bundle.entry' });
  if (request.method !== 'POST' && request.method !== 'PUT')
    throw new Fault('not-supported', 'A transaction holds POST and conditional PUT', {
      expression: 'Bundle.entry.request.method',
    });
  const [path = '', query] = (request.url ?? '').split('?', 2);
  const sent = submitted(resource);
  if (path !== sent.resourceType)
    throw new Fault('invalid', 'The url of an entry is the type of its resource', {
      expression: 'Bundle.entry.request.url',
    });
  const condition = request.method === 'POST' ? request.ifNoneExist : query;
  return {
    method: request.method,
    resource: sent,
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(condition === undefined ? {} : { condition }),
  };
}

function submitted(resource: Resource): SubmittedResource {
  if (!isSubmittedType(resource.resourceType))
    throw new Fault('not-supported', `A ${resource.resourceType} cannot be written here`);
  return resource as SubmittedResource;
}
