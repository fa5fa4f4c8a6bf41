/**
 * A multipart body read part by part while it arrives, no faster than its reader takes it. Ours, because the library
 * for it searches for 256 bytes at most, and boundaries are taken that are longer with what is around them.
 * @see RFC 2046 section 5.1
 */
import type { Readable } from 'node:stream';
import { parsePartHeaders, type PartHeaders } from '../../../ihe/mime/part-headers.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';

/** One part. Its content is read to its end, or left, before the next part is asked for. */
export type IncomingPart = { readonly headers: PartHeaders; readonly content: AsyncIterable<Uint8Array> };

/** What one body may hold. */
export type ReaderLimits = { readonly maxParts: number };

const MAX_HEADER_BYTES = 16 * 1024;
/** Blanks between a boundary and the end of its line. */
const MAX_PADDING_BYTES = 1024;
const LINE_END = Buffer.from('\r\n');
const CLOSING = Buffer.from('--');
const [SPACE, TAB, CARRIAGE_RETURN] = [0x20, 0x09, 0x0d];

/**
 * Yields the parts of a body. What is before the first and behind the last boundary is passed over.
 * @throws {Fault} invalid - no part, one without the blank line behind its headers, or an end before the last boundary
 * @throws {Fault} too-costly - more parts or longer headers than the limit
 */
export async function* readParts(body: Readable, boundary: string, limits: ReaderLimits): AsyncGenerator<IncomingPart> {
  const { maxParts } = limits;
  const reader = new PartReader(body, boundary);
  try {
    await reader.skip();
    if (reader.isClosed) throw new Fault('invalid', 'The multipart body holds no part');
    for (let count = 0; !reader.isClosed; count += 1) {
      if (count === maxParts) throw new Fault('too-costly', `A request has at most ${maxParts} parts`);
      yield { headers: await reader.headers(), content: reader.content() };
      // What its reader left of the part is passed over.
      await reader.skip();
    }
  } finally {
    await reader.stop();
  }
}

class PartReader {
  /** Whether the boundary that was passed last is the closing one. */
  isClosed = false;
  readonly #chunks: AsyncIterator<Buffer>;
  /** A boundary with the line end before it, which belongs to it. */
  readonly #delimiter: Buffer;
  // A body may begin with a boundary.
  #rest: Buffer = LINE_END;
  #isInside = true;

  constructor(body: Readable, boundary: string) {
    // The connection must outlive a refusal: it carries the answer.
    this.#chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Reads the headers of the part that begins here. */
  async headers(): Promise<PartHeaders> {
    const lines: string[] = [];
    for (let size = 0; ; ) {
      const line = await this.#line(MAX_HEADER_BYTES - size);
      if (line === '') {
        this.#isInside = true;
        return parsePartHeaders(lines);
      }
      size += line.length + LINE_END.length;
      lines.push(line);
    }
  }

  /** Yields the content up to the boundary behind it, which is passed. */
  async *content(): AsyncGenerator<Uint8Array> {
    let from = 0;
    while (this.#isInside) {
      const at = this.#rest.indexOf(this.#delimiter, from);
      const end = at < 0 ? undefined : await this.#endOfDelimiter(at + this.#delimiter.length);
      if (end !== undefined) {
        if (at > 0) yield this.#take(at);
        this.#take(end - at);
        this.#isInside = false;
      } else if (at >= 0) from = at + LINE_END.length;
      else {
        const length = this.#rest.length - this.#begunDelimiter();
        if (length > 0) yield this.#take(length);
        else await this.#more();
        from = 0;
      }
    }
  }

  /** Passes over what is left of the content. */
  async skip(): Promise<void> {
    for await (const _ of this.content());
  }

  async stop(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Bytes at the end that a delimiter may begin with. */
  #begunDelimiter(): number {
    const rest = this.#rest;
    for (let at = Math.max(0, rest.length - this.#delimiter.length + 1); ; at += 1) {
      at = rest.indexOf(CARRIAGE_RETURN, at);
      if (at < 0) return 0;
      if (rest.subarray(at).equals(this.#delimiter.subarray(0, rest.length - at))) return rest.length - at;
    }
  }

  /** Where the delimiter line ends whose boundary ends at `from`; undefined when it is none, but content. */
  async #endOfDelimiter(from: number): Promise<number | undefined> {
    await this.#have(from + CLOSING.length);
    this.isClosed = this.#rest.subarray(from, from + CLOSING.length).equals(CLOSING);
    if (this.isClosed) return from + CLOSING.length;
    let end = from;
    while (isBlank(this.#rest[end]) && end - from < MAX_PADDING_BYTES) {
      end += 1;
      await this.#have(end + LINE_END.length);
    }
    const behind = end + LINE_END.length;
    return this.#rest.subarray(end, behind).equals(LINE_END) ? behind : undefined;
  }

  async #line(maxBytes: number): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(LINE_END);
      const length = end < 0 ? this.#rest.length : end;
      if (length > maxBytes) throw new Fault('too-costly', 'The headers of a part are too long');
      if (end < 0) await this.#more();
      else {
        const line = this.#take(end).toString('latin1');
        this.#take(LINE_END.length);
        return line;
      }
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async #have(length: number): Promise<void> {
    while (this.#rest.length < length) await this.#more();
  }

  /** Waits for more of the body. */
  async #more(): Promise<void> {
    const { done = false, value } = await this.#chunks.next().catch(endsTooEarly);
    if (done) endsTooEarly(undefined);
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

function endsTooEarly(cause: unknown): never {
  const fault = toFault(cause);
  if (fault.kind !== 'exception') throw fault;
  throw new Fault('invalid', 'The multipart body ends before its closing boundary', { cause });
}
