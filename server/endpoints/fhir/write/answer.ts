/** Answers of writes: where the resource is and at what version, and what the client prefers to have of it. */
import { STATUS_CODES } from 'node:http';
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import type { WriteResult } from '../../../flows/write/act.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { answerJson, answerNothing } from '../answer.ts';
import type { FhirDeps } from '../deps.ts';

/** What an answer holds beside its headers. @see https://hl7.org/fhir/R4/http.html#ops */
export type Preference = 'minimal' | 'representation' | 'OperationOutcome';

/** What the client prefers; nothing but headers when it does not say. */
export function preferenceOf(ctx: Context): Preference {
  const [, preference] = /(?:^|[,;\s])return=(minimal|representation|OperationOutcome)\b/.exec(ctx.get('Prefer')) ?? [];
  return (preference as Preference | undefined) ?? 'minimal';
}

/** Answers a write. */
export async function answerWritten(deps: FhirDeps, ctx: Context, visit: Visit, result: WriteResult): Promise<void> {
  const { status, type, id, version, updated } = result;
  const location = id === undefined ? undefined : `${deps.fhirBase()}/${type}/${id}/_history/${version}`;
  if (location !== undefined && status !== 204) ctx.set('Location', location);
  if (version !== undefined) ctx.set('ETag', `W/"${version}"`);
  if (updated !== undefined) ctx.set('Last-Modified', new Date(updated).toUTCString());
  const preference = preferenceOf(ctx);
  if (preference === 'OperationOutcome') return answerJson(ctx, status === 204 ? 200 : status, outcomeOf(result));
  const row = preference === 'representation' ? await representationOf(deps, visit, result) : undefined;
  if (row === undefined || location === undefined) return answerNothing(ctx, status);
  ctx.set('Content-Location', location);
  answerJson(ctx, status, row.json);
}

/**
 * The resource as it stands, when the requester may read it; reading it is a passage of its own. Undefined of what was
 * deleted.
 */
export async function representationOf(
  deps: FhirDeps,
  visit: Visit,
  { status, type, id, version }: WriteResult,
): Promise<VisibleRow | undefined> {
  if (status === 204 || id === undefined || version === undefined) return undefined;
  try {
    return type === 'Patient' ? await deps.readIdentity(visit, id) : await deps.read(visit, { type, id, version });
  } catch (error) {
    if (error instanceof Fault && ['forbidden', 'not-found', 'deleted'].includes(error.kind)) return undefined;
    throw error;
  }
}

const DONE = {
  200: 'The resource stands',
  201: 'The resource was created',
  202: 'The request was recorded',
  204: 'The resource is deleted',
} as const;

/** The OperationOutcome of a write that succeeded, as JSON text. */
export function outcomeOf({ status }: WriteResult): string {
  const issue = { severity: 'information', code: 'informational', diagnostics: DONE[status] };
  return JSON.stringify({ resourceType: 'OperationOutcome', issue: [issue] });
}

/** A status as an entry of a Bundle writes it: `201 Created`. */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}
