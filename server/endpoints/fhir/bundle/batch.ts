/** FHIR batch: entries that have nothing to do with each other; each is answered, and fails, alone. */
import type { BundleEntry } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { toFault, type Fault } from '../../../../profiles/fault.ts';
import { toOperationOutcome } from '../../../../profiles/operation-outcome.ts';
import { isJsonObject, type JsonObject } from '../../../../profiles/validation/resource-walk.ts';
import type { Visit } from '../../../flows/guard.ts';
import { statusOf } from '../../http/outcome.ts';
import { answerJson } from '../answer.ts';
import { formatResponses, readResponse, requireRoom, writtenResponse } from './response.ts';
import type { FhirDeps } from '../deps.ts';
import { readEntry } from './entries.ts';
import { answerRead } from './read-entry.ts';
import { handlingOf } from '../request.ts';
import { preferenceOf, statusLine } from '../write/answer.ts';

/** Answers a batch, whose frame is valid and whose resources are not looked at yet. */
export async function batch(deps: FhirDeps, ctx: Context, visit: Visit, entries: readonly JsonObject[]): Promise<void> {
  const responses: string[] = [];
  for (const entry of entries) responses.push(await answerEntry(deps, ctx, visit, entry, responses));
  answerJson(ctx, 200, formatResponses('batch-response', responses));
}

async function answerEntry(
  deps: FhirDeps,
  ctx: Context,
  visit: Visit,
  sent: JsonObject,
  before: readonly string[],
): Promise<string> {
  try {
    const resource = isJsonObject(sent['resource']) ? { resource: deps.validate(sent['resource']) } : {};
    const entry = readEntry({ ...sent, ...resource } as BundleEntry, deps.fhirBase());
    if ('read' in entry) requireRoom(before);
    if ('read' in entry) return readResponse(await answerRead(deps, visit, entry.read, handlingOf(ctx)));
    const result = await deps.write(visit, entry.act);
    return await writtenResponse(deps, visit, result, preferenceOf(ctx));
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind === 'exception') ctx.app.emit('error', fault.cause ?? fault, ctx);
    return refusedResponse(fault);
  }
}

function refusedResponse(fault: Fault): string {
  return JSON.stringify({ response: { status: statusLine(statusOf(fault)), outcome: toOperationOutcome(fault) } });
}
