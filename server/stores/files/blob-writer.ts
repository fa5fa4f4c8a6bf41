/** One blob on its way to the disk. */
import { createHash, type Hash } from 'node:crypto';
import { unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../../profiles/fault.ts';
import type { BlobRef, BlobWriter } from '../../ports/image-store.ts';
import { syncFolder, type Folders } from './folders.ts';

// The disk, the quota or the largest size of a file is used up.
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Turns the error of a full disk into its Fault; every other error stays what it is. */
export function withoutSpace(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!FULL.includes(code)) return error;
  return new Fault('no-store', 'The disk of the images is full', { cause: error });
}

/** Chunks are gathered up to this size: a write to the disk for each PDU would be most of the work. */
const GATHERED_BYTES = 256 * 1024;

/**
 * Writes under the final name from the first bytes on: until a row names it, a file is one that the sweep removes.
 * Gathered chunks go to the disk while the next ones come; at most twice the gathered size and a chunk is held.
 */
export class FileBlobWriter implements BlobWriter {
  readonly name: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #folders: Folders;
  readonly #hash: Hash = createHash('sha256');
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #size = 0;
  #ended = false;

  constructor(name: string, path: string, handle: FileHandle, folders: Folders) {
    this.name = name;
    this.#path = path;
    this.#handle = handle;
    this.#folders = folders;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#refuseWhenEnded();
    this.#hash.update(chunk);
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.byteLength;
    if (this.#gatheredBytes < GATHERED_BYTES) return;
    try {
      await this.#flush();
    } catch (error) {
      await this.abort();
      throw withoutSpace(error);
    }
  }

  async finish(): Promise<BlobRef> {
    this.#refuseWhenEnded();
    this.#ended = true;
    const folder = dirname(this.#path);
    try {
      await this.#flush();
      await this.#writing;
      await Promise.all([this.#handle.datasync(), syncFolder(folder), this.#folders.makeDurable(folder)]);
      // Nobody need wait for it: the bytes are on the disk whatever closing says.
      void this.#handle.close().catch(() => undefined);
    } catch (error) {
      await this.#remove();
      throw withoutSpace(error);
    }
    return { name: this.name, size: this.#size, sha256: this.#hash.digest('hex') };
  }

  /** Starts to write what is gathered, once what was gathered before is written. */
  #flush(): Promise<void> {
    const [chunks, start, before] = [this.#gathered, this.#size, this.#writing];
    this.#gathered = [];
    this.#size += this.#gatheredBytes;
    this.#gatheredBytes = 0;
    this.#writing = before.then(async () => await writeAll(this.#handle, chunks, start));
    // Whoever waits for it next is told of its failure.
    this.#writing.catch(() => undefined);
    return before;
  }

  /** Never throws: what cannot be removed now is swept later. Does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await Promise.allSettled([this.#handle.close(), unlink(this.#path)]);
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw new Error('The blob is finished or aborted');
  }
}

/** Writes all chunks: the system may take less of them at a time. */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], start: number): Promise<void> {
  const bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  if (bytes === undefined) return;
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, start + done);
    done += bytesWritten;
  }
}
