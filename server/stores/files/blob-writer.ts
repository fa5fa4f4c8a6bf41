/** One blob on its way to the disk. */
import { fdatasync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Fault } from '../../../profiles/fault.ts';
import type { BlobRef, BlobWriter } from '../../ports/image-store.ts';
import type { FileCalls } from './file-calls.ts';
import type { NewFile } from './files-ahead.ts';
import type { GatherBuffers } from './gather-buffers.ts';

const datasync = promisify(fdatasync);

// The disk, the quota or the largest size of a file is used up.
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Turns the error of a full disk into its Fault; every other error stays what it is. */
export function withoutSpace(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!FULL.includes(code)) return error;
  return new Fault('no-store', 'The disk of the images is full', { cause: error });
}

/** Once the first buffer is written, a flush is begun each time that so much more is: each is work for the disk. */
const SETTLED_BYTES = 2 * 1024 * 1024;

/**
 * Writes under the final name from the first bytes on: until a row names it, a file is one that the sweep removes.
 * What fills a buffer goes to the disk while more comes, and is flushed there too, so that little is left to wait for
 * at the end; two buffers at most are held.
 */
export class FileBlobWriter implements BlobWriter {
  readonly name: string;
  readonly #file: NewFile;
  readonly #calls: FileCalls;
  readonly #buffers: GatherBuffers;
  #buffer: Uint8Array | undefined;
  #gatheredBytes = 0;
  #size = 0;
  #nextSettled = 0;
  /** Set while a buffer is being written. */
  #writing: Promise<void> | undefined;
  /** Set while what was written is being flushed. */
  #settling: Promise<void> | undefined;
  #failed: unknown;
  #ended = false;

  constructor(file: NewFile, calls: FileCalls, buffers: GatherBuffers) {
    this.name = file.name;
    this.#file = file;
    this.#calls = calls;
    this.#buffers = buffers;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.#refuseWhenEnded();
    try {
      return this.#gather(chunk)?.catch(async (error: unknown) => await this.#giveUp(error));
    } catch (error) {
      return this.#giveUp(error);
    }
  }

  async finish(): Promise<BlobRef> {
    this.#refuseWhenEnded();
    this.#ended = true;
    try {
      // Without a pause where none is needed: the caller works while the disk does.
      const flushing = this.#flush();
      if (flushing !== undefined) await flushing;
      if (this.#writing !== undefined) await this.#writing;
      // The system tells of a failed flush once: to whoever waited for it, not to the next one.
      await Promise.all([datasync(this.#file.descriptor), this.#settling]);
      this.#throwFailure();
    } catch (error) {
      await this.#remove();
      throw withoutSpace(error);
    }
    // Nobody need wait for it: the bytes are on the disk whatever closing says.
    void this.#close().catch(() => undefined);
    return { name: this.name, size: this.#size };
  }

  /** Never throws: what cannot be removed now is swept later. Does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    // A chunk that waits for room must not be written any more.
    this.#failed ??= new Error('The blob is aborted');
    await this.#remove();
  }

  async #giveUp(error: unknown): Promise<never> {
    await this.abort();
    throw error;
  }

  /** Copies a chunk, and writes each time that a buffer is full; a promise waits for room. */
  #gather(chunk: Uint8Array): void | Promise<void> {
    if (chunk.length === 0) return undefined;
    const buffer = (this.#buffer ??= this.#buffers.take());
    const part = chunk.subarray(0, buffer.length - this.#gatheredBytes);
    buffer.set(part, this.#gatheredBytes);
    this.#gatheredBytes += part.length;
    if (this.#gatheredBytes < buffer.length) return undefined;
    const rest = chunk.subarray(part.length);
    const flushing = this.#flush();
    return flushing === undefined ? this.#gather(rest) : flushing.then(() => this.#gather(rest));
  }

  /** Writes what is gathered; a promise waits for what was gathered before. */
  #flush(): void | Promise<void> {
    this.#throwFailure();
    if (this.#writing !== undefined) return this.#writing.then(() => this.#flush());
    const [buffer, length, start] = [this.#buffer, this.#gatheredBytes, this.#size];
    if (buffer === undefined) return;
    this.#size += length;
    [this.#buffer, this.#gatheredBytes] = [undefined, 0];
    try {
      this.#writing = this.#calls
        .write(this.#file.descriptor, buffer.subarray(0, length), start)
        ?.then(
          () => this.#written(buffer),
          (error: unknown) => this.#fail(error),
        )
        .finally(() => (this.#writing = undefined));
      if (this.#writing === undefined) this.#written(buffer);
    } catch (error) {
      this.#fail(error);
      this.#throwFailure();
    }
  }

  #written(buffer: Uint8Array): void {
    this.#buffers.giveBack(buffer);
    if (this.#ended || this.#settling !== undefined || this.#size < this.#nextSettled) return;
    this.#nextSettled = this.#size + SETTLED_BYTES;
    this.#settling = datasync(this.#file.descriptor)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#settling = undefined));
  }

  #fail(error: unknown): void {
    this.#failed ??= withoutSpace(error);
  }

  #throwFailure(): void {
    if (this.#failed !== undefined) throw this.#failed;
  }

  async #remove(): Promise<void> {
    if (this.#buffer !== undefined) this.#buffers.giveBack(this.#buffer);
    this.#buffer = undefined;
    await Promise.allSettled([this.#writing, this.#settling]);
    await Promise.allSettled([this.#close(), unlink(this.#file.path)]);
  }

  async #close(): Promise<void> {
    await this.#calls.close(this.#file.descriptor);
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw new Error('The blob is finished or aborted');
  }
}
