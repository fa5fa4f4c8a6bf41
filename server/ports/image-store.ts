/**
 * The store of bytes: instances, manifests, report files. Names are random; nothing of a peer or patient is in them.
 */
import type { Readable } from 'node:stream';

/** Bytes at rest. */
export type BlobRef = {
  readonly name: string;
  readonly size: number;
};

/** Bytes on their way in. Exactly one of `finish` and `abort` ends it; `abort` may be called at any time. */
export interface BlobWriter {
  readonly name: string;
  /**
   * Takes a chunk, which it may keep; a promise resolves when more may come.
   * @throws {Fault} no-store - the disk is full
   */
  write(chunk: Uint8Array): void | Promise<void>;
  /**
   * Resolves when bytes and name are on stable storage.
   * @throws {Fault} no-store - the disk is full
   */
  finish(): Promise<BlobRef>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

/** A part of a blob: from `start` on and before `end`. */
export type BlobRange = { readonly name: string; readonly start: number; readonly end: number };

/**
 * Bytes that nobody looks at once they are sent. Those that have a buffer of their own give its memory back then: until
 * the collector comes by, every answer would take memory that nobody has used for long.
 */
export type SpentBytes = { readonly spent: readonly Uint8Array[] };

/**
 * What an answer is put together from: bytes, which may lie in several parts, and ranges of blobs that its door copies.
 */
export type Piece = Uint8Array | readonly Uint8Array[] | SpentBytes | BlobRange;

/** A blob that is open for reading, one read at a time, until `close`. */
export interface BlobReader {
  /** Fills a target with what lies from a position on; gives the number of bytes, 0 at the end. */
  read(target: Uint8Array, position: number): number | Promise<number>;
  close(): Promise<void>;
}

/** The port. */
export interface ImageStore {
  create(): Promise<BlobWriter>;
  /**
   * Streams a blob, or what lies from `start` on and before `end`.
   * @throws {Fault} not-found - no such blob
   */
  open(name: string, start?: number, end?: number): Promise<Readable>;
  /**
   * Opens a blob to be read into buffers of the caller.
   * @throws {Fault} not-found - no such blob
   */
  reader(name: string): Promise<BlobReader>;
  /** Names of all blobs older than an age in milliseconds: the sweep asks for those that no row refers to. */
  names(olderThanMs: number): AsyncIterable<string>;
  /** Removes a blob; an absent one is no error. */
  remove(name: string): Promise<void>;
  /** Removes what was prepared for blobs to come. */
  close(): Promise<void>;
}
