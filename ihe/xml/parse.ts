/**
 * The only way XML enters Passerelle: limits first, then libxml2, then the reader, then release.
 * libxml2 would expand entities, hence no document type declaration reaches it.
 */
import { isUtf8 } from 'node:buffer';
import { ParseOption, XmlDocument, XmlLibError } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';

/** What one document may cost. `maxMarkup` counts the characters `<` and `=`, so elements and attributes. */
export type XmlLimits = {
  readonly maxSizeBytes: number;
  readonly maxDepth: number;
  readonly maxMarkup: number;
};

/** Limits of a request: 16 MB, depth 64. */
export const XML_LIMITS: XmlLimits = { maxSizeBytes: 16 * 1024 * 1024, maxDepth: 64, maxMarkup: 1_000_000 };

const OPTIONS = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NOCDATA;
const DOCTYPE = Buffer.from('<!DOCTYPE');
const LESS_THAN = 0x3c;
const EQUALS = 0x3d;

/**
 * Parses UTF-8 XML and gives it to `read`. The document and its nodes live only during that call, which must
 * therefore be synchronous and return plain data.
 * @throws {Fault} too-long - larger than the limit
 * @throws {Fault} too-costly - nested too deeply, or too many elements and attributes
 * @throws {Fault} not-supported - a document type declaration
 * @throws {Fault} invalid - not UTF-8 or not well formed
 */
export function withXml<T>(bytes: Uint8Array, read: (document: XmlDocument) => T, limits: XmlLimits = XML_LIMITS): T {
  checkBytes(bytes, limits);
  const document = parse(bytes);
  try {
    checkDocument(document, limits);
    return read(document);
  } finally {
    document.dispose();
  }
}

function checkBytes(bytes: Uint8Array, limits: XmlLimits): void {
  if (bytes.length > limits.maxSizeBytes) {
    throw new Fault('too-long', `The XML exceeds ${limits.maxSizeBytes} bytes`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A NUL would be UTF-16 or UTF-32, in which the search below sees no declaration.
  if (!isUtf8(buffer) || buffer.includes(0)) throw new Fault('invalid', 'The XML must be encoded in UTF-8');
  if (buffer.includes(DOCTYPE)) throw new Fault('not-supported', 'A document type declaration is not accepted');
  checkMarkup(buffer, limits.maxMarkup);
}

function checkMarkup(buffer: Buffer, maxMarkup: number): void {
  if (buffer.length <= maxMarkup) return;
  let markup = 0;
  for (let at = 0; at < buffer.length; at += 1) {
    if (buffer[at] === LESS_THAN || buffer[at] === EQUALS) markup += 1;
  }
  if (markup > maxMarkup) throw new Fault('too-costly', 'The XML holds too many elements or attributes');
}

function parse(bytes: Uint8Array): XmlDocument {
  try {
    // The encoding is given, so the declaration cannot choose another one.
    return XmlDocument.fromBuffer(bytes, { encoding: 'UTF-8', option: OPTIONS });
  } catch (cause) {
    const at = cause instanceof XmlLibError ? cause.details[0] : undefined;
    const where = at === undefined ? '' : ` (line ${at.line}, column ${at.col})`;
    throw new Fault('invalid', `The XML is not well formed${where}`, { cause });
  }
}

function checkDocument(document: XmlDocument, limits: XmlLimits): void {
  if (document.dtd !== null) throw new Fault('not-supported', 'A document type declaration is not accepted');
  const tooDeep = document.eval(`boolean(${'/*'.repeat(limits.maxDepth + 1)})`);
  if (tooDeep === true) throw new Fault('too-costly', `The XML is nested deeper than ${limits.maxDepth} elements`);
}
