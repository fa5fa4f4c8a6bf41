/**
 * A multipart body read part by part while it arrives, no faster than its reader takes it. @see RFC 2046 section 5.1
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import { Fault, toFault } from '../../../../profiles/fault.ts';

/** One part: header names in lower case. Its content is read to its end, or left, before the next part is asked for. */
export type IncomingPart = {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: AsyncIterable<Uint8Array>;
};

/** What one body may hold. */
export type ReaderLimits = { readonly maxParts: number };

const MAX_BOUNDARY_LENGTH = 70;

type Announced = { readonly headers: ReadonlyMap<string, string>; readonly stream: Readable };

/**
 * Yields the parts of a body.
 * @throws {Fault} invalid - no boundary, no part, a part without header, or an end before the closing boundary
 * @throws {Fault} too-costly - more parts than the limit
 */
export async function* readParts(body: Readable, boundary: string, limits: ReaderLimits): AsyncGenerator<IncomingPart> {
  if (boundary === '' || boundary.length > MAX_BOUNDARY_LENGTH)
    throw new Fault('invalid', 'The Content-Type names no boundary', { expression: 'Content-Type' });
  const reader = new PartReader(boundary, limits);
  const pumping = reader.pump(body);
  try {
    for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
      const content = contentOf(part.stream);
      yield { headers: part.headers, content };
      // What its reader left of the part is passed over.
      await content.return();
      part.stream.resume();
    }
  } finally {
    reader.stop();
    await pumping;
  }
}

/** The part's bytes. A reader that stops early must not destroy the stream: the parser goes on behind it. */
async function* contentOf(stream: Readable): AsyncGenerator<Uint8Array, void> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw endsTooEarly(cause);
  }
}

class PartReader {
  readonly #dicer: Dicer;
  readonly #stopped = new AbortController();
  readonly #queue: Announced[] = [];
  #begun = 0;
  #announced = 0;
  #ended = false;
  #fault: Fault | undefined;
  #wake: () => void = () => undefined;

  constructor(boundary: string, { maxParts }: ReaderLimits) {
    this.#dicer = new Dicer({ boundary, maxHeaderPairs: 32 });
    this.#dicer.on('part', (stream) => {
      this.#begun += 1;
      if (this.#begun > maxParts) this.#end(new Fault('too-costly', `A request has at most ${maxParts} parts`));
      // Its reader hears of the error; without a reader it must not end the process.
      stream.on('error', () => undefined);
      stream.once('header', (header) => this.#announce({ headers: headersOf(header), stream }));
    });
    this.#dicer.on('error', (error) => this.#end(endsTooEarly(error)));
    this.#dicer.on('finish', () =>
      this.#end(this.#begun === this.#announced && this.#begun > 0 ? undefined : noPart()),
    );
  }

  /** Passes the body on to the parser, which holds it back while nobody reads. */
  async pump(body: Readable): Promise<void> {
    const { signal } = this.#stopped;
    try {
      // The connection must outlive a refusal: it carries the answer.
      for await (const chunk of body.iterator({ destroyOnReturn: false })) {
        if (!this.#dicer.write(chunk)) await once(this.#dicer, 'drain', { signal });
        if (signal.aborted) return;
      }
      this.#dicer.end();
    } catch (error) {
      if (signal.aborted) return;
      this.#end(endsTooEarly(error));
      // The part that is being read ends with an error, too.
      this.#dicer.end();
    }
  }

  /** The next part; undefined after the last. */
  async next(): Promise<Announced | undefined> {
    while (this.#queue.length === 0 && !this.#ended) await new Promise<void>((wake) => (this.#wake = wake));
    const part = this.#fault?.kind === 'too-costly' ? undefined : this.#queue.shift();
    if (part === undefined && this.#fault !== undefined) throw this.#fault;
    return part;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #announce(part: Announced): void {
    this.#announced += 1;
    this.#queue.push(part);
    this.#wake();
  }

  #end(fault: Fault | undefined): void {
    if (!this.#ended) this.#fault = fault;
    this.#ended = true;
    this.#wake();
  }
}

function headersOf(header: object): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(header as Readonly<Record<string, readonly string[]>>).map(([name, values]) => [
      name,
      values.join(', '),
    ]),
  );
}

function noPart(): Fault {
  return new Fault('invalid', 'The multipart body holds no part, or one without the blank line after its headers');
}

function endsTooEarly(cause: unknown): Fault {
  const fault = toFault(cause);
  return fault.kind === 'exception'
    ? new Fault('invalid', 'The multipart body ends before its closing boundary', { cause })
    : fault;
}
