/** Splits a multipart body that is whole in memory (RFC 2046), as SOAP requests are. */
import { Fault } from '../../profiles/fault.ts';
import { parsePartHeaders, type PartHeaders } from '../mime/part-headers.ts';

/** One part: its headers, and its content without the line end before the next boundary. */
export type BodyPart = {
  readonly headers: PartHeaders;
  readonly content: Buffer;
};

/** What one multipart body may cost. */
export type MultipartLimits = {
  readonly maxSizeBytes: number;
  readonly maxParts: number;
  readonly maxHeaderBytes: number;
};

/** Limits of a request. */
export const MULTIPART_LIMITS: MultipartLimits = {
  maxSizeBytes: 64 * 1024 * 1024,
  maxParts: 1_000,
  maxHeaderBytes: 16 * 1024,
};

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const DASH = 0x2d;

/**
 * Splits at the boundary. A preamble and an epilogue are ignored; lines may end in LF alone.
 * @throws {Fault} invalid - no part, no closing delimiter, or a part without the blank line after its headers
 * @throws {Fault} too-long - larger than the limit
 * @throws {Fault} too-costly - more parts or longer headers than the limit
 */
export function splitMultipart(body: Buffer, boundary: string, limits: MultipartLimits = MULTIPART_LIMITS): BodyPart[] {
  if (body.length > limits.maxSizeBytes) throw new Fault('too-long', `The body exceeds ${limits.maxSizeBytes} bytes`);
  const parts: BodyPart[] = [];
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  let open = findDelimiter(body, delimiter, 0);
  while (open !== undefined && !open.closes) {
    const next = findDelimiter(body, delimiter, open.end);
    if (next === undefined) throw new Fault('invalid', 'The multipart body ends before its closing boundary');
    if (parts.length === limits.maxParts) throw new Fault('too-costly', `More than ${limits.maxParts} parts`);
    parts.push(readPart(body.subarray(open.end, endOfContent(body, open.end, next.start)), limits));
    open = next;
  }
  if (parts.length === 0) throw new Fault('invalid', 'The multipart body holds no part with the boundary of its header');
  return parts;
}

type Delimiter = { readonly start: number; readonly end: number; readonly closes: boolean };

/** Finds the next delimiter line: at the start of a line, followed by `--` or by blanks and a line end. */
function findDelimiter(body: Buffer, delimiter: Buffer, from: number): Delimiter | undefined {
  for (let start = body.indexOf(delimiter, from); start >= 0; start = body.indexOf(delimiter, start + 1)) {
    if (start > 0 && body[start - 1] !== LINE_FEED) continue;
    const after = start + delimiter.length;
    if (body[after] === DASH && body[after + 1] === DASH) return { start, end: after + 2, closes: true };
    const end = endOfBlankLine(body, after);
    if (end !== undefined) return { start, end, closes: false };
  }
  return undefined;
}

function endOfBlankLine(body: Buffer, from: number): number | undefined {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09) at += 1;
  if (body[at] === CARRIAGE_RETURN) at += 1;
  return body[at] === LINE_FEED ? at + 1 : undefined;
}

/** The line end before a delimiter belongs to the delimiter. */
function endOfContent(body: Buffer, from: number, delimiter: number): number {
  const beforeLineFeed = Math.max(from, delimiter - 1);
  return beforeLineFeed > from && body[beforeLineFeed - 1] === CARRIAGE_RETURN ? beforeLineFeed - 1 : beforeLineFeed;
}

function readPart(part: Buffer, limits: MultipartLimits): BodyPart {
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const lineFeed = part.indexOf(LINE_FEED, at);
    if (lineFeed < 0) throw new Fault('invalid', 'A part of the multipart body has no blank line after its headers');
    if (lineFeed > limits.maxHeaderBytes) throw new Fault('too-costly', 'The headers of a part are too long');
    const line = part.toString('latin1', at, lineFeed).replace(/\r$/, '');
    at = lineFeed + 1;
    if (line === '') return { headers: parsePartHeaders(lines), content: part.subarray(at) };
    lines.push(line);
  }
}
