/**
 * A ZIP that is written as it is sent: each file as it is, its size and CRC behind it, what is beyond 32 bits by Zip64.
 * Node's CRC and a directory of packed records let neither time nor memory grow beyond what the files need.
 * @see PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5
 */
import { crc32 } from 'node:zlib';
import { Fault } from '../../../profiles/fault.ts';

/** A file of the archive; `size` in bytes where it is known before. */
export type ZipEntry = {
  /** ASCII, its folders divided by slashes. */
  readonly path: string;
  readonly size?: number;
  readonly bytes: AsyncIterable<Uint8Array>;
};

const VERSION = 45;
/** Sizes and CRC follow the data; the name is UTF-8. */
const FLAGS = 0x08_08;
const REGULAR_FILE = 0o100_644;
const MADE_ON_UNIX = 3;
/** What does not fit stands in the Zip64 fields. */
const MAX_32 = 0xff_ff_ff_ff;
const MAX_16 = 0xff_ff;
/** Records of the directory lie in pages of so many bytes. */
const PAGE_BYTES = 64 * 1024;

type Written = { readonly path: string; readonly offset: number; readonly size: number; readonly crc: number };

/**
 * Writes the archive; each file is read when its turn comes, and begun with its first bytes: until there are some, what
 * yields it may leave it out. `modified` is the time of all of them, told in UTC.
 * @throws {Fault} exception - a file is not as long as was said
 */
export async function* zipArchive(entries: AsyncIterable<ZipEntry>, modified: Date): AsyncGenerator<Uint8Array> {
  const directory = new Directory(dosTime(modified));
  let offset = 0;
  for await (const { path, size, bytes } of entries) {
    // What is of unknown length may be of any.
    const isLong = size === undefined || size >= MAX_32;
    const header = localHeader(path, directory.time, isLong);
    let [length, crc, isBegun] = [0, 0, false];
    for await (const chunk of bytes) {
      crc = crc32(chunk, crc);
      length += chunk.length;
      yield isBegun ? chunk : Buffer.concat([header, chunk]);
      isBegun = true;
    }
    if (!isBegun) yield header;
    if (size !== undefined && size !== length) throw new Fault('exception', 'A file of the archive has another length');
    const descriptor = dataDescriptor(crc, length, isLong);
    yield descriptor;
    directory.add({ path, offset, size: length, crc });
    offset += header.length + length + descriptor.length;
  }
  yield* directory.written(offset);
}

/** The central directory. */
class Directory {
  readonly time: number;
  readonly #pages: Buffer[] = [];
  #page: Buffer = Buffer.alloc(PAGE_BYTES);
  #used = 0;
  #count = 0;
  #size = 0;

  constructor(time: number) {
    this.time = time;
  }

  add(entry: Written): void {
    const record = centralRecord(entry, this.time);
    if (this.#used + record.length > PAGE_BYTES) {
      this.#full();
      this.#page = Buffer.alloc(PAGE_BYTES);
      this.#used = 0;
    }
    this.#page.set(record, this.#used);
    this.#used += record.length;
    this.#size += record.length;
    this.#count += 1;
  }

  *written(start: number): Generator<Uint8Array> {
    this.#full();
    yield* this.#pages;
    yield endOfDirectory(this.#count, this.#size, start);
  }

  #full(): void {
    this.#pages.push(this.#page.subarray(0, this.#used));
  }
}

function localHeader(path: string, time: number, isLong: boolean): Buffer {
  const name = Buffer.from(path);
  // Twice eight bytes that say nothing yet: that they are there tells how long the sizes behind the data are.
  const extra = isLong ? zip64Extra([0, 0]) : Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04_03_4b_50, 0);
  header.writeUInt16LE(isLong ? VERSION : 20, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt32LE(time, 10);
  if (isLong) header.fill(0xff, 18, 26);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function dataDescriptor(crc: number, size: number, isLong: boolean): Buffer {
  const descriptor = Buffer.alloc(isLong ? 24 : 16);
  descriptor.writeUInt32LE(0x08_07_4b_50, 0);
  descriptor.writeUInt32LE(crc, 4);
  if (isLong) {
    descriptor.writeBigUInt64LE(BigInt(size), 8);
    descriptor.writeBigUInt64LE(BigInt(size), 16);
  } else {
    descriptor.writeUInt32LE(size, 8);
    descriptor.writeUInt32LE(size, 12);
  }
  return descriptor;
}

function centralRecord({ path, offset, size, crc }: Written, time: number): Buffer {
  const name = Buffer.from(path);
  const large = [...(size >= MAX_32 ? [size, size] : []), ...(offset >= MAX_32 ? [offset] : [])];
  const extra = large.length === 0 ? Buffer.alloc(0) : zip64Extra(large);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02_01_4b_50, 0);
  record.writeUInt16LE((MADE_ON_UNIX << 8) | VERSION, 4);
  record.writeUInt16LE(large.length === 0 ? 20 : VERSION, 6);
  record.writeUInt16LE(FLAGS, 8);
  record.writeUInt32LE(time, 12);
  record.writeUInt32LE(crc, 16);
  record.writeUInt32LE(Math.min(size, MAX_32), 20);
  record.writeUInt32LE(Math.min(size, MAX_32), 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(REGULAR_FILE * 0x1_00_00, 38);
  record.writeUInt32LE(Math.min(offset, MAX_32), 42);
  return Buffer.concat([record, name, extra]);
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [at, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + at * 8);
  return extra;
}

/** The end, before it that of Zip64 where a count, a size or a place does not fit. */
function endOfDirectory(count: number, size: number, start: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06_05_4b_50, 0);
  end.writeUInt16LE(Math.min(count, MAX_16), 8);
  end.writeUInt16LE(Math.min(count, MAX_16), 10);
  end.writeUInt32LE(Math.min(size, MAX_32), 12);
  end.writeUInt32LE(Math.min(start, MAX_32), 16);
  if (count < MAX_16 && size < MAX_32 && start < MAX_32) return end;
  const long = Buffer.alloc(76);
  long.writeUInt32LE(0x06_06_4b_50, 0);
  long.writeBigUInt64LE(44n, 4);
  long.writeUInt16LE((MADE_ON_UNIX << 8) | VERSION, 12);
  long.writeUInt16LE(VERSION, 14);
  long.writeBigUInt64LE(BigInt(count), 24);
  long.writeBigUInt64LE(BigInt(count), 32);
  long.writeBigUInt64LE(BigInt(size), 40);
  long.writeBigUInt64LE(BigInt(start), 48);
  long.writeUInt32LE(0x07_06_4b_50, 56);
  long.writeBigUInt64LE(BigInt(start + size), 64);
  long.writeUInt32LE(1, 72);
  return Buffer.concat([long, end]);
}

/** Date and time as MS-DOS has them, to two seconds. */
function dosTime(at: Date): number {
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const date = (Math.max(0, at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return date * 0x1_00_00 + time;
}
