/** The headers of a part of a multipart body. @see RFC 2046 section 5.1, RFC 5322 section 2.2 */
import { Fault } from '../../profiles/fault.ts';

/** Headers of a part; names in lower case, the last of a name wins. */
export type PartHeaders = ReadonlyMap<string, string>;

/**
 * Parses header lines, which have lost their ends. One that begins with a blank goes on with the one before.
 * @throws {Fault} invalid - a line without a colon
 */
export function parsePartHeaders(lines: readonly string[]): PartHeaders {
  const headers = new Map<string, string>();
  let name = '';
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      headers.set(name, `${headers.get(name) ?? ''} ${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0) throw new Fault('invalid', 'A part of the multipart body has a header without a colon');
    name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}
