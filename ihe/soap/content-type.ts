/**
 * Content-Type as SOAP stacks send it. Laxer than RFC 9110: .NET writes boundaries with `=` and `:` unquoted, and
 * some stacks write parameters twice in other case.
 */

/** A media type in lower case and its parameters, whose names are in lower case; the first of a name wins. */
export type ContentType = {
  readonly mediaType: string;
  readonly parameters: ReadonlyMap<string, string>;
};

const PARAMETER = /\s*;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/gy;

/** Parses a Content-Type value; what cannot be read as a parameter ends the list. */
export function parseContentType(value: string): ContentType {
  const end = value.indexOf(';');
  const mediaType = (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  const rest = end < 0 ? '' : value.slice(end);
  for (const [, name = '', quoted, plain = ''] of rest.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain.trim());
  }
  return { mediaType, parameters };
}
