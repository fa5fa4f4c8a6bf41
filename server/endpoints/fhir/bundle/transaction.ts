/**
 * FHIR transaction: its writes stand or fall together, its reads come last.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
import type { Bundle } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import { toOperationOutcome } from '../../../../profiles/operation-outcome.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { WriteResult } from '../../../flows/write/act.ts';
import { HTTP_CODE, statusOf } from '../../http/outcome.ts';
import { answerJson } from '../answer.ts';
import { formatResponses, readResponse, requireRoom, writtenResponse } from './response.ts';
import type { FhirDeps } from '../deps.ts';
import { readEntry, type Entry, type ReadEntry } from './entries.ts';
import { answerRead } from './read-entry.ts';
import { handlingOf } from '../request.ts';
import { preferenceOf, statusLine } from '../write/answer.ts';

/** Answers a transaction. */
export async function transaction(deps: FhirDeps, ctx: Context, visit: Visit, { entry = [] }: Bundle): Promise<void> {
  const entries = entriesOf(deps, entry);
  const acts = entries.flatMap((one) => ('act' in one ? [one.act] : []));
  const results = await deps.writeTransaction(visit, acts);
  const byAct = new Map(acts.map((act, at) => [act, results[at]]));
  const responses: string[] = [];
  for (const one of entries) {
    if ('read' in one) responses.push(await answerLast(deps, ctx, visit, one.read, responses));
    else responses.push(await writtenResponse(deps, visit, given(byAct.get(one.act)), preferenceOf(ctx)));
  }
  answerJson(ctx, 200, formatResponses('transaction-response', responses));
}

/** An entry that is not served is no matter of the method of this request. */
function entriesOf(deps: FhirDeps, entry: NonNullable<Bundle['entry']>): readonly Entry[] {
  try {
    return entry.map((one) => readEntry(one, deps.fhirBase()));
  } catch (error) {
    if (!(error instanceof Fault) || error.protocolCode !== HTTP_CODE.methodNotAllowed) throw error;
    throw new Fault('not-supported', error.message, { expression: 'Bundle.entry.request' });
  }
}

function given(result: WriteResult | undefined): WriteResult {
  if (result === undefined) throw new Error('An act has no result');
  return result;
}

/** What was written stands whatever comes of reading, so a read that is refused is told in its entry. */
async function answerLast(
  deps: FhirDeps,
  ctx: Context,
  visit: Visit,
  read: ReadEntry,
  before: readonly string[],
): Promise<string> {
  try {
    requireRoom(before);
    return readResponse(await answerRead(deps, visit, read, handlingOf(ctx)));
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind === 'exception') throw error;
    return JSON.stringify({ response: { status: statusLine(statusOf(fault)), outcome: toOperationOutcome(fault) } });
  }
}
