/**
 * The calls that make and fill a file, in two manners. A thread that has nothing else to do makes them itself: to hand
 * each to another thread costs as much as the call. Where others wait, they are handed over.
 */
import { close, closeSync, open, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** How files are made and filled. A result that is no promise is there already. */
export type FileCalls = {
  /** As many bytes are gathered for each write. */
  readonly gatheredBytes: number;
  /** Makes a file that must not exist; answers its descriptor. */
  readonly create: (path: string) => number | Promise<number>;
  /** Writes all bytes at a position. */
  readonly write: (descriptor: number, bytes: Uint8Array, position: number) => void | Promise<void>;
  readonly close: (descriptor: number) => void | Promise<void>;
};

const NEW_FILE = 'wx';
const OWNER_ONLY = 0o600;

/**
 * As much is written by one call. For a longer write the system takes memory in larger blocks, which are the ones that
 * nobody has used for longest: a virtual machine has given those back, and gets them again page by page.
 */
const WRITTEN_BYTES = 16 * 1024;

/** For a thread of its own. */
export const BLOCKING_CALLS: FileCalls = {
  gatheredBytes: 64 * 1024,
  create: (path) => openSync(path, NEW_FILE, OWNER_ONLY),
  // The system may take less at a time.
  write: (descriptor, bytes, position) => {
    for (let at = 0; at < bytes.length;)
      at += writeSync(descriptor, bytes, at, Math.min(WRITTEN_BYTES, bytes.length - at), position + at);
  },
  close: closeSync,
};

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

/** For a thread that serves others meanwhile. */
export const WAITING_CALLS: FileCalls = {
  gatheredBytes: 256 * 1024,
  create: async (path) => await openFile(path, NEW_FILE, OWNER_ONLY),
  write: async (descriptor, bytes, position) => {
    for (let at = 0; at < bytes.length;)
      at += (await writeFile(descriptor, bytes, at, bytes.length - at, position + at)).bytesWritten;
  },
  close: async (descriptor) => await closeFile(descriptor),
};
