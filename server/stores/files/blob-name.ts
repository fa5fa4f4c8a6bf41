/** Names of blobs, and where a name lies: only a name that this store could have given leads to a path. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

const BLOB_NAME = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Makes a name that nothing of a peer is in. */
export function newBlobName(): string {
  return randomUUID();
}

/** Tells whether a text is a name of a blob. */
export function isBlobName(name: string): boolean {
  return BLOB_NAME.test(name);
}

/** The path of a blob below the root: `ab/cd/abcd…`. */
export function pathOf(root: string, name: string): string {
  return join(root, name.slice(0, 2), name.slice(2, 4), name);
}
