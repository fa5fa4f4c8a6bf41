/**
 * `Patient/$portability` by the asynchronous pattern: begun with 202, its state at the address of Content-Location,
 * cancelled by DELETE there; below it the ZIP, which is put together as it is sent.
 * @see https://hl7.org/fhir/R4/async.html
 */
import { Readable } from 'node:stream';
import type { Parameters } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { decidedStream } from '../../../flows/decided-stream.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { ExportPart } from '../../../flows/subject-rights/export-record.ts';
import { HTTP_CODE } from '../../http/outcome.ts';
import { zipArchive } from '../../http/zip-archive.ts';
import { answerJson, answerNothing } from '../answer.ts';
import type { FhirDeps } from '../deps.ts';
import { answerReference, hasBody, NO_PARAMETERS, parametersOf } from '../parameters.ts';
import { admit, readBodyResource } from '../request.ts';

const ATTEMPT = { interaction: 'operation', operation: 'portability' } as const;

/** Where the exports of patients are, below the base of FHIR. */
export const EXPORTS = 'portability';

/** In: nothing. Out: 202 and the Task. */
export async function portability(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, ATTEMPT);
  parametersOf(hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS, []);
  await answerBegun(deps, ctx, admitted.visit);
}

/** Begins an export and says where it is. */
export async function answerBegun(deps: FhirDeps, ctx: Context, visit: Visit): Promise<void> {
  const id = await deps.beginExport(visit);
  answerReference(ctx, `Task/${id}`);
  ctx.status = 202;
  ctx.set('Content-Location', addressOf(deps, id));
}

/** The state: 202 while it is being sent, else 200; how far it is, and where the ZIP and the rest of it are. */
export async function exportStatus(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  const { sent, exams, rest, isBeingSent } = await deps.exportState(visit, id);
  ctx.set('X-Progress', `${sent} of ${exams} exams sent`);
  if (isBeingSent) {
    ctx.set('Retry-After', '5');
    return answerNothing(ctx, 202);
  }
  const zip = `${addressOf(deps, id)}/zip`;
  const state: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'return', valueReference: { reference: `Task/${id}` } },
      { name: 'requiresAccessToken', valueBoolean: true },
      { name: 'exams', valueUnsignedInt: exams },
      { name: 'sent', valueUnsignedInt: sent },
      { name: 'zip', valueUrl: zip },
      ...(rest === undefined ? [] : [{ name: 'rest', valueUrl: `${zip}?after=${rest.replace('ImagingStudy/', '')}` }]),
    ],
  };
  answerJson(ctx, 200, JSON.stringify(state));
}

/** Cancels it. */
export async function exportCancelled(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  await deps.cancelExport(visit, id);
  answerNothing(ctx, 202);
}

/**
 * The ZIP of the whole; with `after` (an ImagingStudy's id) of the exams that follow it, with `exam` of one alone. A
 * failure while it is sent breaks the connection, so that no part passes for all.
 */
export async function exportZip(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  await deps.attempt(visit, ATTEMPT);
  if (ctx.accepts(MEDIA_TYPE.zip) === false)
    throw new Fault('not-supported', 'An export is a ZIP', { protocolCode: HTTP_CODE.notAcceptable });
  const { files, decideAgain } = await deps.exportRecord(visit, id, partIn(ctx));
  ctx.status = 200;
  ctx.set('Content-Type', MEDIA_TYPE.zip);
  ctx.set('Content-Disposition', 'attachment; filename="dossier.zip"');
  ctx.body = decidedStream(Readable.from(zipArchive(files, new Date()), { objectMode: false }), decideAgain);
}

function partIn(ctx: Context): ExportPart {
  const given = [...new URLSearchParams(ctx.querystring)];
  const [first, ...others] = given;
  if (first === undefined) return {};
  const [name, value] = first;
  const isNamed = (name === 'after' || name === 'exam') && /^[A-Za-z0-9.-]{1,64}$/.test(value);
  if (!isNamed || others.length > 0)
    throw new Fault('invalid', 'An export is fetched whole, after an exam or of one exam (its id)', {
      expression: name.slice(0, 64),
    });
  return name === 'after' ? { after: value } : { exam: value };
}

function addressOf(deps: FhirDeps, id: string): string {
  return `${deps.fhirBase()}/${EXPORTS}/${id}`;
}
