/** The data set of a stored instance: its header, and any range of its bytes, none of which is held whole. */
import { createInflateRaw } from 'node:zlib';
import { pipeline } from 'node:stream';
import type { DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { scanHeader, SCAN_LIMITS } from '../../../profiles/dicom/dataset.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { BlobRange, ImageStore, Piece } from '../../ports/image-store.ts';

/** Where the bytes of an instance lie. */
export type StoredInstance = Pick<InstanceRow, 'blob' | 'dataSetOffset' | 'transferSyntaxUID'>;

/**
 * The bytes between two offsets of the data set, as it is once inflated. The file is opened when they are first asked
 * for: a reader that leaves before would leave it open.
 */
export type ReadRange = (start: number, end: number) => AsyncIterable<Uint8Array>;

/** The bytes of a data set: to be read here, or as pieces that a door copies. */
export type DataSetBytes = {
  readonly read: ReadRange;
  readonly pieces: (start: number, end: number) => AsyncIterable<Piece> | Iterable<Piece>;
};

/** The largest piece that is read at a time. */
const READ_BYTES = 256 * 1024;
const FIRST_READ = 32 * 1024;
const MAX_ELEMENTS = 500_000;
/** As much of a deflated data set as is inflated for one range. */
const MAX_INFLATED_BYTES = 2 * 1024 * 1024 * 1024;

/**
 * Reads the header. A bulk value that runs past `maxBytes` ends it, and what follows is not read.
 * @throws {Fault} invalid, too-costly - it was received by other rules than those of now, or is longer than `maxBytes`
 */
export async function readHeader(
  images: ImageStore,
  { blob, dataSetOffset, transferSyntaxUID }: StoredInstance,
  maxBytes = SCAN_LIMITS.maxBytes,
): Promise<DicomHeader> {
  for (let length = FIRST_READ; ; length *= 8) {
    const end = Math.min(dataSetOffset + Math.min(length, maxBytes + 1), blob.size);
    const isWhole = end === blob.size;
    const bytes = await collect(readRange(images, { name: blob.name, start: dataSetOffset, end }));
    const header = scanHeader(bytes, transferSyntaxUID, { isWhole, maxElements: MAX_ELEMENTS, maxBytes });
    if (header !== 'incomplete') return header;
    if (isWhole || length > maxBytes) throw new Fault('invalid', 'The data set has no readable header');
  }
}

/**
 * Makes the reading of ranges. A range that ends too early breaks off with a Fault: its reader must not take it for
 * whole. One that no instance of this size has is the fault of the instance (invalid).
 */
export function bytesOf(images: ImageStore, instance: StoredInstance): DataSetBytes {
  if (encodingOf(instance.transferSyntaxUID).deflated) {
    const read: ReadRange = (start, end) => inflated(images, instance, start, end);
    return { read, pieces: read };
  }
  const { blob, dataSetOffset } = instance;
  const rangeOf = (start: number, end: number): BlobRange => {
    if (dataSetOffset + end > blob.size) throw new Fault('invalid', 'The instance names bytes beyond its end');
    return { name: blob.name, start: dataSetOffset + start, end: dataSetOffset + end };
  };
  return {
    read: (start, end) => readRange(images, rangeOf(start, end)),
    pieces: (start, end) => [rangeOf(start, end)],
  };
}

/** Collects a range that is known to be small. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

async function* readRange(images: ImageStore, { name, start, end }: BlobRange): AsyncGenerator<Uint8Array> {
  const reader = await images.reader(name);
  try {
    for (let position = start; position < end;) {
      const target = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
      const length = await reader.read(target, position);
      if (length === 0) throw cutShort();
      position += length;
      yield target.subarray(0, length);
    }
  } finally {
    await reader.close();
  }
}

async function* inflated(
  images: ImageStore,
  { blob, dataSetOffset }: StoredInstance,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  if (end > MAX_INFLATED_BYTES)
    throw new Fault('too-costly', `At most ${MAX_INFLATED_BYTES} bytes of a deflated data set are inflated`);
  const inflate = createInflateRaw();
  // The consumer sees the error: it reads the last stream of the pipeline.
  pipeline(await images.open(blob.name, dataSetOffset), inflate, () => undefined);
  let position = 0;
  for await (const chunk of inflate as AsyncIterable<Buffer>) {
    const [from, to] = [Math.max(start - position, 0), Math.min(end - position, chunk.length)];
    if (to > from) yield chunk.subarray(from, to);
    position += chunk.length;
    if (position >= end) return;
  }
  if (start < end) throw cutShort();
}

/** What a range that ends too early is: a fault of the server. */
export function cutShort(): Fault {
  return new Fault('exception', 'The stored instance ends too early');
}
