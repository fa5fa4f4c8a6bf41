/**
 * Content-Type as clients send it. Laxer than RFC 9110: .NET writes boundaries with `=` and `:` unquoted, some stacks
 * write parameters twice in other case, or put spaces around `=`.
 */
import { Fault } from '../../profiles/fault.ts';

/** A media type in lower case and its parameters, whose names are in lower case; the first of a name wins. */
export type ContentType = {
  readonly mediaType: string;
  readonly parameters: ReadonlyMap<string, string>;
};

const PARAMETER = /(?:\s*;)+\s*([^\s=;]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*)))?/gy;

/** Parses a Content-Type value. A parameter without value is passed over; what cannot be read as one ends the list. */
export function parseContentType(value: string): ContentType {
  const end = value.indexOf(';');
  const mediaType = (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  const rest = end < 0 ? '' : value.slice(end);
  for (const [, name = '', quoted, plain] of rest.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    const text = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain?.trim();
    if (text !== undefined && !parameters.has(key)) parameters.set(key, text);
  }
  return { mediaType, parameters };
}

/** RFC 2046 section 5.1.1 allows 70 characters; Orthanc sends 73, reqwest 71. */
const MAX_BOUNDARY_LENGTH = 256;

/**
 * Returns the boundary of a multipart body.
 * @throws {Fault} required - there is none
 * @throws {Fault} invalid - more than 256 characters
 */
export function boundaryOf({ parameters }: ContentType): string {
  const boundary = parameters.get('boundary') ?? '';
  const expression = 'Content-Type';
  if (boundary === '') throw new Fault('required', 'The Content-Type names no boundary', { expression });
  if (boundary.length <= MAX_BOUNDARY_LENGTH) return boundary;
  throw new Fault('invalid', `A boundary has at most ${MAX_BOUNDARY_LENGTH} characters`, { expression });
}
