/** POST on the base: a batch or a transaction. */
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import { isJsonObject, type JsonObject } from '../../../../profiles/validation/resource-walk.ts';
import { batch } from './batch.ts';
import type { FhirDeps } from '../deps.ts';
import { MAX_ENTRIES } from './entries.ts';
import { admit, readJson } from '../request.ts';
import { transaction } from './transaction.ts';

/** Answers it by the type of the Bundle. */
export async function answerBundle(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'transaction' });
  const { visit } = admitted;
  const body = await readJson(deps, ctx, admitted);
  const entries = entriesOf(body);
  if (entries.length > MAX_ENTRIES) throw new Fault('too-costly', `A Bundle has at most ${MAX_ENTRIES} entries`);
  const isBatch = isJsonObject(body) && body['type'] === 'batch';
  // The resources of a batch are looked at one by one: each entry fails alone.
  const bundle = deps.validate(isBatch && entries.length > 0 ? { ...body, entry: entries.map(withoutResource) } : body);
  if (bundle.resourceType !== 'Bundle')
    throw new Fault('invalid', 'The body is not a Bundle', { expression: 'resourceType' });
  if (bundle.type === 'batch') return await batch(deps, ctx, visit, entries);
  if (bundle.type !== 'transaction')
    throw new Fault('not-supported', 'Bundles of type batch and transaction are served', { expression: 'Bundle.type' });
  await transaction(deps, ctx, visit, bundle);
}

function entriesOf(body: unknown): readonly JsonObject[] {
  const entry = isJsonObject(body) ? body['entry'] : undefined;
  return Array.isArray(entry) ? entry.filter(isJsonObject) : [];
}

function withoutResource({ resource: _resource, ...frame }: JsonObject): JsonObject {
  return frame;
}
