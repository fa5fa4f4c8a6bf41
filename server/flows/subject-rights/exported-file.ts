/** Files of an export, and the list of their checksums. */
import { createHash } from 'node:crypto';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';

/** A file: its path, ASCII, with slashes; its size in bytes where it is known; its bytes, read when its turn comes. */
export type ExportedFile = {
  readonly path: string;
  readonly size?: number;
  readonly bytes: AsyncIterable<Uint8Array>;
};

/**
 * SHA-256 of files that were read, as `sha256sum -c` checks them: a line for each, hash, two spaces, path. They are
 * known when the bytes of a file have been read to their end.
 */
export class Checksums {
  readonly #lines: string[] = [];

  /** The same file, whose bytes are counted in as they are read. */
  of(file: ExportedFile): ExportedFile {
    const { path, bytes } = file;
    const lines = this.#lines;
    async function* counted(): AsyncGenerator<Uint8Array> {
      const hash = createHash('sha256');
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
      lines.push(`${hash.digest('hex')}  ${path}\n`);
    }
    return { ...file, bytes: counted() };
  }

  /** The list, as a file. */
  list(path: string): ExportedFile {
    const text = Buffer.from(this.#lines.join(''));
    return { path, size: text.length, bytes: once(text) };
  }
}

/** Bytes that are there, as a file's are read. */
export async function* once(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/**
 * A file whose first bytes are read; undefined when these failed, as it is not there any more (`isGone`). It is to be
 * read on at once.
 */
export async function begunFile(file: ExportedFile, isGone: () => boolean): Promise<ExportedFile | undefined> {
  const chunks = file.bytes[Symbol.asyncIterator]();
  const first = await chunks.next().catch((error: unknown) => {
    if (!isGone()) throw error;
  });
  return first === undefined ? undefined : { ...file, bytes: continued(first, chunks) };
}

async function* continued(
  first: IteratorResult<Uint8Array>,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let one = first; one.done !== true; one = await chunks.next()) yield one.value;
  } finally {
    await chunks.return?.();
  }
}

const EXTENSION: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.pdf]: 'pdf',
  [MEDIA_TYPE.html]: 'html',
  [MEDIA_TYPE.plainText]: 'txt',
  [MEDIA_TYPE.jpeg]: 'jpg',
  [MEDIA_TYPE.png]: 'png',
};

/** The ending of a document's name, by its media type; `bin` where none is known. */
export function extensionOf(contentType: string): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return EXTENSION[type] ?? (/(?:\/|\+)xml$/.test(type) ? 'xml' : 'bin');
}
