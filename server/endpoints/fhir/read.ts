/** FHIR read and vread. @see https://hl7.org/fhir/R4/http.html#read */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { requireJsonAnswer } from './request.ts';

/** Answers a read, or with `version` a vread. */
export async function read(
  deps: FhirDeps,
  ctx: Context,
  type: StoredType,
  id: string,
  version?: string,
): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  requireJsonAnswer(ctx);
  const row = await deps.read(visit, {
    type,
    id,
    ...(version === undefined ? {} : { version: versionNumber(version) }),
  });
  answerRow(ctx, row);
}

/** Answers a resource with its version; 304 when the client has it already. */
export function answerRow(ctx: Context, row: VisibleRow): void {
  ctx.set('ETag', `W/"${row.version}"`);
  ctx.set('Last-Modified', new Date(row.updated).toUTCString());
  if (isKnown(ctx, row)) {
    ctx.status = 304;
    return;
  }
  answerJson(ctx, 200, row.json);
}

/** Whether the client has the version already; what it says of dates counts when it says nothing of versions. */
function isKnown(ctx: Context, { version, updated }: VisibleRow): boolean {
  const tags = ctx.get('If-None-Match');
  if (tags !== '') return hasVersion(tags, version);
  const since = Date.parse(ctx.get('If-Modified-Since'));
  return !Number.isNaN(since) && Math.floor(updated / 1000) <= Math.floor(since / 1000);
}

/** Whether a list of entity tags, weak or strong, names a version. */
export function hasVersion(tags: string, version: number): boolean {
  return tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${version}"`);
}

/** The version of an address. @throws {Fault} not-found - there is none such */
export function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Fault('not-found', 'No such resource');
  return Number(text);
}
