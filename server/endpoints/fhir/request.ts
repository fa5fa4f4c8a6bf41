/** Reading FHIR requests: who may attempt them, media types, bodies, preferences. */
import type { Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Attempt } from '../../access/may-attempt.ts';
import type { Visit } from '../../flows/guard.ts';
import type { BodyLimit } from '../http/body-limits.ts';
import { HTTP_CODE } from '../http/outcome.ts';
import { readRawBody } from '../http/raw-body.ts';
import type { FhirDeps } from './deps.ts';
import { parseJson } from './parse-json.ts';

const JSON_TYPES = [MEDIA_TYPE.fhirJson, MEDIA_TYPE.json, 'text/json'];
/** What needs no negotiation. */
const PLAIN: ReadonlySet<string> = new Set(['', '*/*', ...JSON_TYPES]);

/**
 * Requires that the client takes JSON, the one format that is served.
 * @throws {Fault} not-supported (406)
 */
export function requireJsonAnswer(ctx: Context): void {
  const format = ctx.querystring === '' ? null : new URLSearchParams(ctx.querystring).get('_format');
  if (format !== null) return requireJsonFormat(format);
  const accept = ctx.get('Accept');
  if (!PLAIN.has(accept) && !takesJson(accept)) throw notAcceptable();
}

/**
 * Requires that a value of `_format` is JSON.
 * @throws {Fault} not-supported (406)
 */
export function requireJsonFormat(format: string): void {
  const type = format.replace(' ', '+').split(';')[0] ?? '';
  if (!/^(json|application\/(fhir\+)?json|text\/json)$/.test(type)) throw notAcceptable();
}

function notAcceptable(): Fault {
  return new Fault('not-supported', 'This server answers in JSON only', { protocolCode: HTTP_CODE.notAcceptable });
}

/**
 * Whether one of the media ranges of an Accept header is JSON. Their parameters, as `charset` and `fhirVersion`, make
 * no other type of it.
 */
function takesJson(accept: string): boolean {
  if (accept.trim() === '') return true;
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    const isOther = parameters.some((parameter) => /^fhirversion=(?!"?4\.0)/.test(parameter));
    return !isRefused && !isOther && [...JSON_TYPES, '*/*', 'application/*', 'text/*'].includes(type);
  });
}

/** The media type of a body, without its parameters. */
export function mediaTypeOf(ctx: Context): string {
  return ctx.get('Content-Type').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A request that was let in: who comes, and for what. */
export type Admitted = { readonly visit: Visit; readonly attempt: Attempt };

/**
 * Lets a request in whose sender is known and may attempt it. Nothing of its body is read before.
 * @throws {Fault} login, forbidden, not-supported (406)
 */
export async function admit(deps: FhirDeps, ctx: Context, attempt: Attempt): Promise<Admitted> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  await deps.attempt(visit, attempt);
  requireJsonAnswer(ctx);
  return { visit, attempt };
}

/**
 * Reads the resource of a request that was let in.
 * @throws {Fault} not-supported (415), too-long, invalid
 */
export async function readBodyResource(deps: FhirDeps, ctx: Context, admitted: Admitted): Promise<Resource> {
  return deps.validate(await readJson(deps, ctx, admitted));
}

/**
 * Reads the JSON of a request that was let in: by default that of a resource.
 * @throws {Fault} not-supported (415), too-long, invalid
 */
export async function readJson(
  deps: FhirDeps,
  ctx: Context,
  admitted: Admitted,
  types: readonly string[] = JSON_TYPES,
): Promise<unknown> {
  if (!types.includes(mediaTypeOf(ctx)))
    throw new Fault('not-supported', `The body is ${types[0]}`, { protocolCode: HTTP_CODE.unsupportedMediaType });
  const { bytes, values } = limitOf(deps, admitted);
  return parseJson(await readRawBody(ctx, bytes), values);
}

function limitOf({ bodyLimit }: FhirDeps, { visit, attempt }: Admitted): BodyLimit {
  const type = 'type' in attempt ? { type: attempt.type } : {};
  return bodyLimit({ door: 'FHIR', request: attempt.interaction, ...type }, visit.requester.kind);
}

/** Search parameters of a URL, and of the form of a POST _search. */
export async function readSearchParameters(deps: FhirDeps, ctx: Context, admitted: Admitted): Promise<URLSearchParams> {
  const parameters = new URLSearchParams(ctx.querystring);
  if (ctx.method !== 'POST') return parameters;
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new Fault('not-supported', 'A search is posted as application/x-www-form-urlencoded', {
      protocolCode: HTTP_CODE.unsupportedMediaType,
    });
  }
  const form = await readRawBody(ctx, limitOf(deps, admitted).bytes);
  for (const [name, value] of new URLSearchParams(form.toString())) parameters.append(name, value);
  return parameters;
}

/** Whether unknown search parameters are refused. @see https://hl7.org/fhir/R4/search.html#errors */
export function handlingOf(ctx: Context): 'strict' | 'lenient' {
  return /(^|[,;\s])handling=strict\b/.test(ctx.get('Prefer')) ? 'strict' : 'lenient';
}
