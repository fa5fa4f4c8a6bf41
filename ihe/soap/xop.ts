/** XOP includes: references from an envelope to the parts beside it. @see https://www.w3.org/TR/xop10/ */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { attributeOf, selectElements } from '../xml/select.ts';

/** One part may be named many times: without a limit a small request would grow without bound. */
const MAX_INCLUDED_BYTES = 1024 * 1024;

/**
 * Replaces every xop:Include below the element by the base64 text of its part. Some stacks send even the
 * certificate of a signature as a part, so this comes before any check of a signature.
 * @throws {Fault} invalid - the reference names no part of the message
 * @throws {Fault} too-long - more than 1 MB is included
 */
export function resolveIncludes(element: XmlElement, parts: ReadonlyMap<string, Buffer>): void {
  let included = 0;
  for (const include of selectElements(element, './/xop:Include')) {
    const part = parts.get(contentIdOf(attributeOf(include, 'href')));
    if (part === undefined) throw new Fault('invalid', 'An xop:Include names a part that the message does not hold');
    included += part.length;
    if (included > MAX_INCLUDED_BYTES)
      throw new Fault('too-long', 'The parts that the SOAP header includes are too large');
    include.appendText(part.toString('base64'));
    include.remove();
  }
}

/**
 * Returns the Content-ID that a `cid:` URL names; empty when it is none.
 * @see RFC 2392
 */
export function contentIdOf(href: string | undefined): string {
  if (href?.toLowerCase().startsWith('cid:') !== true) return '';
  const encoded = href.slice('cid:'.length);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Returns the `cid:` URL of a Content-ID. */
export function cidUrl(contentId: string): string {
  return `cid:${encodeURIComponent(contentId).replaceAll('%40', '@')}`;
}
