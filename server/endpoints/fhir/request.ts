/** Reading FHIR requests: media types, JSON bodies, preferences. */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { HTTP_CODE } from '../http/outcome.ts';
import { readRawBody } from '../http/raw-body.ts';
import { parseJson } from './parse-json.ts';

const JSON_TYPES = [MEDIA_TYPE.fhirJson, MEDIA_TYPE.json, 'text/json'];

/**
 * Requires that the client takes JSON, the one format that is served.
 * @throws {Fault} not-supported (406)
 */
export function requireJsonAnswer(ctx: Context): void {
  const format = ctx.URL.searchParams.get('_format');
  const isJson =
    format === null
      ? ctx.accepts(JSON_TYPES) !== false
      : /^(json|application\/(fhir\+)?json|text\/json)$/.test(format.replace(' ', '+'));
  if (isJson) return;
  throw new Fault('not-supported', 'This server answers in JSON only', { protocolCode: HTTP_CODE.notAcceptable });
}

/**
 * Reads a JSON body.
 * @throws {Fault} not-supported (415), too-long, invalid
 */
export async function readJsonBody(ctx: Context, maxBytes: number): Promise<unknown> {
  const type = ctx.get('Content-Type').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!JSON_TYPES.includes(type)) {
    throw new Fault('not-supported', `The body is ${MEDIA_TYPE.fhirJson}`, {
      protocolCode: HTTP_CODE.unsupportedMediaType,
    });
  }
  return parseJson(await readRawBody(ctx, maxBytes));
}

/** Search parameters of a URL, and of the form of a POST _search. */
export async function readSearchParameters(ctx: Context, maxBytes: number): Promise<URLSearchParams> {
  const parameters = new URLSearchParams(ctx.querystring);
  if (ctx.method !== 'POST') return parameters;
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new Fault('not-supported', 'A search is posted as application/x-www-form-urlencoded', {
      protocolCode: HTTP_CODE.unsupportedMediaType,
    });
  }
  for (const [name, value] of new URLSearchParams((await readRawBody(ctx, maxBytes)).toString()))
    parameters.append(name, value);
  return parameters;
}

/** Whether unknown search parameters are refused. @see https://hl7.org/fhir/R4/search.html#errors */
export function handlingOf(ctx: Context): 'strict' | 'lenient' {
  return /(^|[,;\s])handling=strict\b/.test(ctx.get('Prefer')) ? 'strict' : 'lenient';
}
