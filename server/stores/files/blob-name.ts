/** Names of blobs, and where a name lies: only a name that this store could have given leads to a path. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

const BLOB_NAME = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** So many names begin alike: their files share a folder, which is made and flushed for all of them. */
const NAMES_A_FOLDER = 256;

/** Makes names that nothing of a peer is in. */
export class BlobNames {
  #folder = '';
  #left = 0;

  /** A random name; its first four letters, which name its folder, stay the same for a while. */
  next(): string {
    const name = randomUUID();
    if (this.#left === 0) [this.#folder, this.#left] = [name.slice(0, 4), NAMES_A_FOLDER];
    this.#left -= 1;
    return this.#folder + name.slice(4);
  }
}

/** Tells whether a text is a name of a blob. */
export function isBlobName(name: string): boolean {
  return BLOB_NAME.test(name);
}

/** The path of a blob below the root: `ab/cd/abcd…`. */
export function pathOf(root: string, name: string): string {
  return join(root, name.slice(0, 2), name.slice(2, 4), name);
}
