/** One blob that is read piece by piece, without a stream around it. */
import { closeSync, open, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { BlobReader } from '../../ports/image-store.ts';
import { hereOrHandedOver } from './system-cache.ts';

const openFile = promisify(open);

/** Opens the file of a blob; the system's error tells why it cannot be opened. */
export async function openBlobReader(path: string): Promise<BlobReader> {
  return new FileBlobReader(
    await hereOrHandedOver(
      () => openSync(path, 'r'),
      async () => await openFile(path, 'r'),
    ),
  );
}

class FileBlobReader implements BlobReader {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(target: Uint8Array, position: number): number | Promise<number> {
    return hereOrHandedOver(
      () => readSync(this.#descriptor, target, 0, target.byteLength, position),
      async () => await this.#readElsewhere(target, position),
    );
  }

  async close(): Promise<void> {
    // Nothing was written: it takes no longer here than on another thread, to which handing it would cost as much
    // again.
    closeSync(this.#descriptor);
  }

  async #readElsewhere(target: Uint8Array, position: number): Promise<number> {
    return await new Promise((resolve, reject) => {
      read(this.#descriptor, target, 0, target.byteLength, position, (error, bytesRead) =>
        error === null ? resolve(bytesRead) : reject(error),
      );
    });
  }
}
