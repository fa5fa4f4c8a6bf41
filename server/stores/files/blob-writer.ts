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

/** Writes under the final name from the first byte on: until a row names it, a file is one that the sweep removes. */
export class FileBlobWriter implements BlobWriter {
  readonly name: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #folders: Folders;
  readonly #hash: Hash = createHash('sha256');
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
    const start = this.#size;
    this.#size += chunk.byteLength;
    this.#hash.update(chunk);
    try {
      await writeAll(this.#handle, chunk, start);
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
      await this.#handle.datasync();
      await this.#handle.close();
      await Promise.all([syncFolder(folder), this.#folders.makeDurable(folder)]);
    } catch (error) {
      await this.#remove();
      throw withoutSpace(error);
    }
    return { name: this.name, size: this.#size, sha256: this.#hash.digest('hex') };
  }

  /** Never throws: what cannot be removed now is swept later. Does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await Promise.allSettled([this.#handle.close(), unlink(this.#path)]);
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw new Error('The blob is finished or aborted');
  }
}

/** Writes the whole chunk: the system may take less of it at a time. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, start: number): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, start + done);
    done += bytesWritten;
  }
}
