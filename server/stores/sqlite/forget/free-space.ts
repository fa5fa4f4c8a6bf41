/**
 * Overwrites what SQLite leaves in free space. `secure_delete` zeroes what is deleted, but not where a row lay before
 * it was moved to another page of its index: that stays in the unallocated region of the page, and in the file, after
 * the row is gone. Nothing reads this region, so it may be overwritten at any moment; VACUUM would hold up every write
 * meanwhile.
 * @see https://www.sqlite.org/fileformat2.html sections 1.3 and 1.6
 */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';

/** Pages that are looked through while writes wait. */
const PAGES_AT_ONCE = 1_024;
const FILE_HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
/** First byte of a page of a B-tree, and the length of the header that it begins. */
const HEADER_BYTES: Readonly<Record<number, number>> = { 2: 12, 5: 12, 10: 8, 13: 8 };
/** Other pages begin with a page number: up to so many, its first byte is none of the above. */
const MAX_PAGES = 0x02000000;
const ZEROS = Buffer.alloc(0x10000);

/** The free space of one file. */
export class FreeSpace {
  readonly #path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Overwrites the free space of some pages from a number (from 1) on; answers the page to go on with, or undefined at
   * the end. The write-ahead log must be empty, and the connection that writes must not keep pages in memory.
   */
  overwrite(from: number): number | undefined {
    const file = (this.#file ??= openSync(this.#path, 'r+'));
    const pageBytes = pageBytesOf(file);
    const pages = Buffer.allocUnsafe(PAGES_AT_ONCE * pageBytes);
    const count = Math.floor(readSync(file, pages, 0, pages.length, (from - 1) * pageBytes) / pageBytes);
    let isChanged = false;
    for (let at = 0; at < count; at += 1) {
      const [number, page] = [from + at, pages.subarray(at * pageBytes, (at + 1) * pageBytes)];
      const { start, end } = unallocatedOf(page, number === 1 ? FILE_HEADER_BYTES : 0);
      if (ZEROS.compare(page, start, end, 0, end - start) === 0) continue;
      writeSync(file, ZEROS, 0, end - start, (number - 1) * pageBytes + start);
      isChanged = true;
    }
    if (isChanged) fdatasyncSync(file);
    return count < PAGES_AT_ONCE ? undefined : from + count;
  }

  /** Only after every connection of the process to the file: closing a file gives up the locks of all of them. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** Bytes of a page; a file of another kind than the store makes is not touched. */
function pageBytesOf(file: number): number {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  readSync(file, header, 0, FILE_HEADER_BYTES, 0);
  const [pageBytes, reserved, count, largestRoot] = [
    header.readUInt16BE(16),
    header.readUInt8(20),
    header.readUInt32BE(28),
    header.readUInt32BE(52),
  ];
  const isOurs =
    header.toString('latin1', 0, MAGIC.length) === MAGIC && pageBytes >= 512 && reserved === 0 && largestRoot === 0;
  if (!isOurs || count >= MAX_PAGES) throw new Error('Free space of such a file is not overwritten: it needs VACUUM');
  return pageBytes;
}

/** Between the cell pointers and the cells of a B-tree page; nothing of other pages. */
function unallocatedOf(page: Buffer, header: number): { readonly start: number; readonly end: number } {
  const headerBytes = HEADER_BYTES[page.readUInt8(header)];
  const nowhere = { start: 0, end: 0 };
  if (headerBytes === undefined) return nowhere;
  const start = header + headerBytes + 2 * page.readUInt16BE(header + 3);
  const end = page.readUInt16BE(header + 5);
  return start < end && end <= page.length ? { start, end } : nowhere;
}
