/** One blob on its way to the disk. */
import { fdatasync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Fault } from '../../../profiles/fault.ts';
import type { BlobRef, BlobWriter } from '../../ports/image-store.ts';
import type { FileCalls } from './file-calls.ts';
import type { NewFile } from './files-ahead.ts';

const datasync = promisify(fdatasync);

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
 * What is gathered goes to the disk while more comes, and is flushed there too, so that little is left to wait for at
 * the end; at most twice the gathered size and a chunk is held.
 */
export class FileBlobWriter implements BlobWriter {
  readonly name: string;
  readonly #file: NewFile;
  readonly #calls: FileCalls;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #size = 0;
  /** Set while chunks are being written. */
  #writing: Promise<void> | undefined;
  /** Set while what was written is being flushed. */
  #settling: Promise<void> | undefined;
  #failed: unknown;
  #ended = false;

  constructor(file: NewFile, calls: FileCalls) {
    this.name = file.name;
    this.#file = file;
    this.#calls = calls;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.#refuseWhenEnded();
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.byteLength;
    if (this.#gatheredBytes < GATHERED_BYTES) return;
    try {
      return this.#flush()?.catch(async (error: unknown) => await this.#giveUp(error));
    } catch (error) {
      return this.#giveUp(error);
    }
  }

  async finish(): Promise<BlobRef> {
    this.#refuseWhenEnded();
    this.#ended = true;
    try {
      await this.#flush();
      await this.#writing;
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
    await this.#remove();
  }

  async #giveUp(error: unknown): Promise<never> {
    await this.abort();
    throw error;
  }

  /** Writes what is gathered; a promise waits for what was gathered before. */
  #flush(): void | Promise<void> {
    this.#throwFailure();
    if (this.#writing !== undefined) return this.#writing.then(() => this.#flush());
    if (this.#gatheredBytes === 0) return;
    const [chunks, start] = [this.#gathered, this.#size];
    this.#size += this.#gatheredBytes;
    [this.#gathered, this.#gatheredBytes] = [[], 0];
    try {
      this.#writing = this.#calls
        .write(this.#file.descriptor, chunks, start)
        ?.then(() => this.#settle(), (error: unknown) => this.#fail(error))
        .finally(() => (this.#writing = undefined));
      if (this.#writing === undefined) this.#settle();
    } catch (error) {
      this.#fail(error);
      this.#throwFailure();
    }
  }

  #settle(): void {
    if (this.#ended) return;
    this.#settling ??= datasync(this.#file.descriptor)
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
