/**
 * The calls that make and fill a file, in two manners. A thread that has nothing else to do makes them itself: to hand
 * each to another thread costs as much as the call. Where others wait, they are handed over.
 */
import { close, closeSync, open, openSync, writev, writevSync } from 'node:fs';
import { promisify } from 'node:util';

/** How files are made and filled. A result that is no promise is there already. */
export type FileCalls = {
  /** Makes a file that must not exist; answers its descriptor. */
  readonly create: (path: string) => number | Promise<number>;
  /** Writes all chunks at a position. */
  readonly write: (descriptor: number, chunks: readonly Uint8Array[], position: number) => void | Promise<void>;
  readonly close: (descriptor: number) => void | Promise<void>;
};

const NEW_FILE = 'wx';
const OWNER_ONLY = 0o600;

/** For a thread of its own. */
export const BLOCKING_CALLS: FileCalls = {
  create: (path) => openSync(path, NEW_FILE, OWNER_ONLY),
  write: (descriptor, chunks, position) => {
    for (let left = chunks, at = position; left.length > 0; ) {
      const written = writevSync(descriptor, left, at);
      at += written;
      left = without(left, written);
    }
  },
  close: closeSync,
};

const openFile = promisify(open);
const closeFile = promisify(close);

/** For a thread that serves others meanwhile. */
export const WAITING_CALLS: FileCalls = {
  create: async (path) => await openFile(path, NEW_FILE, OWNER_ONLY),
  write: async (descriptor, chunks, position) => {
    for (let left = chunks, at = position; left.length > 0; ) {
      const written = await writeSome(descriptor, left, at);
      at += written;
      left = without(left, written);
    }
  },
  close: async (descriptor) => await closeFile(descriptor),
};

async function writeSome(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    writev(descriptor, chunks, position, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

/** What is left of chunks after so many bytes: the system may take less of them at a time. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let [at, left] = [0, count];
  for (let chunk = chunks[at]; chunk !== undefined && left >= chunk.byteLength; chunk = chunks[at]) {
    left -= chunk.byteLength;
    at += 1;
  }
  const rest = chunks.slice(at);
  return left === 0 ? rest : rest.map((chunk, index) => (index === 0 ? chunk.subarray(left) : chunk));
}
