/** Pieces of an answer, made ready while those before them are sent: the next file is open when its turn comes. */
import type { Pieces } from '../../flows/retrieve/bulk-bytes.ts';
import type { BlobRange, BlobReader, ImageStore, Piece } from '../../ports/image-store.ts';
import { giveBack } from './spent-bytes.ts';

/**
 * A piece whose turn has come: what lies from `start` on and before `end` can be read until the next one is asked for.
 */
export type ReadyPiece = {
  readonly start: number;
  readonly end: number;
  /**
   * Fills a target with what lies from a position on, the one where the read before ended; gives the number of bytes, 0
   * at the end.
   */
  readonly read: (target: Uint8Array, position: number) => number | Promise<number>;
};

/** A blob that pieces share which follow each other. */
type Shared = { readonly name: string; readonly reader: Promise<BlobReader>; users: number };
type Ready = ReadyPiece | { readonly range: BlobRange; readonly shared: Shared } | undefined;

/** The head of the next part, and its file. */
const AHEAD = 2;

/** Yields pieces in order; leaves no file open, wherever its reader leaves. */
export async function* piecesAhead(images: Pick<ImageStore, 'reader'>, pieces: Pieces): AsyncGenerator<ReadyPiece> {
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  const blobs = new SharedBlobs(images);
  const queue: Promise<Ready>[] = [];
  const prepare = (): void => {
    const ready = Promise.resolve(iterator.next()).then(({ done, value }) =>
      done === true ? undefined : blobs.ready(value),
    );
    // It is thrown when its turn comes.
    ready.catch(() => undefined);
    queue.push(ready);
  };
  try {
    for (;;) {
      while (queue.length <= AHEAD) prepare();
      const ready = await queue.shift();
      if (ready === undefined) return;
      if ('shared' in ready) yield* blobs.opened(ready);
      else yield ready;
    }
  } finally {
    await iterator.return?.();
    for (const ready of await Promise.allSettled(queue))
      if (ready.status === 'fulfilled' && ready.value !== undefined && 'shared' in ready.value)
        await blobs.leave(ready.value.shared);
    await blobs.close();
  }
}

class SharedBlobs {
  readonly #images: Pick<ImageStore, 'reader'>;
  #last: Shared | undefined;

  constructor(images: Pick<ImageStore, 'reader'>) {
    this.#images = images;
  }

  async ready(piece: Piece): Promise<Ready> {
    if ('spent' in piece) return inMemory(piece.spent, giveBack);
    if (!('name' in piece)) return inMemory(piece instanceof Uint8Array ? [piece] : piece);
    if (this.#last?.name !== piece.name) {
      const before = this.#last;
      this.#last = { name: piece.name, reader: this.#images.reader(piece.name), users: 0 };
      this.#last.reader.catch(() => undefined);
      if (before?.users === 0) await closed(before);
    }
    this.#last.users += 1;
    return { range: piece, shared: this.#last };
  }

  async *opened({ range, shared }: { readonly range: BlobRange; readonly shared: Shared }): AsyncGenerator<ReadyPiece> {
    try {
      const reader = await shared.reader;
      yield { ...range, read: (target, position) => reader.read(target, position) };
    } finally {
      await this.leave(shared);
    }
  }

  async leave(shared: Shared): Promise<void> {
    shared.users -= 1;
    if (shared.users === 0 && shared !== this.#last) await closed(shared);
  }

  /** Ends the last one, which nobody uses any more. */
  async close(): Promise<void> {
    if (this.#last !== undefined) await closed(this.#last);
  }
}

/** Parts that are read from the first to the last; `done` is told of each once it was. */
function inMemory(parts: readonly Uint8Array[], done: (part: Uint8Array) => void = () => undefined): ReadyPiece {
  const end = parts.reduce((sum, part) => sum + part.length, 0);
  let [at, offset] = [0, 0];
  const read = (target: Uint8Array): number => {
    let length = 0;
    for (let part = parts[at]; part !== undefined && length < target.length; part = parts[at]) {
      const some = part.subarray(offset, offset + target.length - length);
      target.set(some, length);
      length += some.length;
      offset += some.length;
      if (offset < part.length) continue;
      [at, offset] = [at + 1, 0];
      done(part);
    }
    return length;
  };
  return { start: 0, end, read };
}

/** One that could not be opened needs no closing. */
async function closed({ reader }: Shared): Promise<void> {
  const opened = await reader.catch(() => undefined);
  await opened?.close();
}
