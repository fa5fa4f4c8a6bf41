/**
 * The digest of what a stored instance says, whichever way it is encoded (decoded-parts.ts). Its bytes are read once,
 * from the first to the last; none of its large values is held.
 */
import { createHash, type Hash } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createInflateRaw } from 'node:zlib';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { UNDEFINED_LENGTH, type DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { scanHeader, SCAN_LIMITS } from '../../../profiles/dicom/dataset.ts';
import { decodedParts, unknownParts, valueMark, type DecodedPart } from '../../../profiles/dicom/file/decoded-parts.ts';
import { itemLengthAt, ITEM_HEADER_BYTES } from '../../../profiles/dicom/file/encapsulated.ts';
import type { ValueRange } from '../../../profiles/dicom/file/rewrite.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { turned } from '../retrieve/bulk-bytes.ts';
import { collect, cutShort, readHeader, type StoredInstance } from '../study/stored-data-set.ts';

/** A value of an unknown VR is looked into for items up to this length. */
const MAX_LOOKED_INTO_BYTES = 1024 * 1024;
/** As much of a deflated data set is inflated. */
const MAX_INFLATED_BYTES = 2 * 1024 * 1024 * 1024;
/** Parts that are digested before others have their turn. */
const STEP = 2_000;

/**
 * Digests an instance (SHA-256, hexadecimal).
 * @throws {Fault} invalid, too-costly, exception - it cannot be read to its end, or within the bounds
 */
export async function decodedDigest(images: ImageStore, instance: StoredInstance): Promise<string> {
  const header = await readHeader(images, instance);
  const { deflated } = encodingOf(instance.transferSyntaxUID);
  const source = await openBytes(images, instance);
  const bytes = new ForwardBytes(source, deflated ? MAX_INFLATED_BYTES : Infinity);
  const hash = createHash('sha256');
  try {
    await digestParts(hash, bytes, decodedParts(header));
    await digestRest(hash, bytes, header);
    return hash.digest('hex');
  } finally {
    source.destroy();
  }
}

async function openBytes(
  images: ImageStore,
  { blob, dataSetOffset, transferSyntaxUID }: StoredInstance,
): Promise<Readable> {
  const stored = await images.open(blob.name, dataSetOffset);
  if (!encodingOf(transferSyntaxUID).deflated) return stored;
  const inflate = createInflateRaw();
  // The consumer sees the error: it reads the last stream of the pipeline.
  pipeline(stored, inflate, () => undefined);
  return inflate;
}

/**
 * A header ends with its pixels, or with a value that is longer than a header may be: elements may follow both. They
 * are as small as a header, or else are not looked into.
 */
async function digestRest(
  hash: Hash,
  bytes: ForwardBytes,
  { elements, transferSyntaxUID }: DicomHeader,
): Promise<void> {
  const last = [...elements.values()].at(-1);
  if (last === undefined || last.items !== undefined || last.value !== undefined) return;
  if (last.length !== UNDEFINED_LENGTH) await bytes.passTo(last.offset + last.length);
  const rest = await bytes.upTo(SCAN_LIMITS.maxBytes);
  const plain = encodingOf(transferSyntaxUID).deflated ? DICOM_UID.explicitLittleEndian : transferSyntaxUID;
  const header = rest.length < SCAN_LIMITS.maxBytes ? restOf(rest, plain) : undefined;
  if (header !== undefined) return await digestParts(hash, new ForwardBytes([rest]), decodedParts(header));
  hash.update(rest);
  for await (const chunk of bytes.rest()) hash.update(chunk);
}

function restOf(bytes: Uint8Array, transferSyntaxUID: string): DicomHeader | undefined {
  try {
    const header = scanHeader(bytes, transferSyntaxUID, { isWhole: true });
    return header === 'incomplete' || header.pixelDataOffset !== undefined ? undefined : header;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Digests parts, which come in the order of their bytes. */
async function digestParts(hash: Hash, bytes: ForwardBytes, parts: Iterable<DecodedPart>): Promise<void> {
  let taken = 0;
  for (const part of parts) {
    if (++taken % STEP === 0) await nextTurn();
    if (part instanceof Uint8Array) hash.update(part);
    else if ('fragments' in part) await digestFragments(hash, bytes, part.fragments);
    else if ('unknown' in part) await digestUnknown(hash, bytes, part.tag, part.unknown);
    else for await (const chunk of turned(bytes.range(part.start, part.end), part.wordBytes)) hash.update(chunk);
  }
}

/** The first item, an offset table, says nothing of the pixels and may be empty (PS3.5 A.4). */
async function digestFragments(hash: Hash, bytes: ForwardBytes, from: number): Promise<void> {
  for (let [at, isTable] = [from, true]; ; isTable = false) {
    const length = itemLengthAt(await bytes.collect(at, at + ITEM_HEADER_BYTES));
    if (length === undefined) return;
    const start = at + ITEM_HEADER_BYTES;
    at = start + length;
    if (isTable) continue;
    hash.update(valueMark(0, length));
    for await (const chunk of bytes.range(start, at)) hash.update(chunk);
  }
}

async function digestUnknown(hash: Hash, bytes: ForwardBytes, tag: number, { start, end }: ValueRange): Promise<void> {
  if (end - start <= MAX_LOOKED_INTO_BYTES)
    return await digestParts(hash, bytes, unknownParts(tag, await bytes.collect(start, end)));
  hash.update(valueMark(tag, end - start));
  for await (const chunk of bytes.range(start, end)) hash.update(chunk);
}

/** The bytes of a data set, read forward: what lies before a range is passed over, and not come back to. */
class ForwardBytes {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #most: number;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the chunk at hand begins, and how much of it was read. */
  #start = 0;
  #used = 0;

  /** @throws {Fault} too-costly - of any read: there are more bytes than `most` */
  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, most = Infinity) {
    this.#chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#most = most;
  }

  /** Passes over what lies before a position. @throws {Fault} exception - the bytes end before */
  async passTo(position: number): Promise<void> {
    while (this.#position < position) if ((await this.#next(position - this.#position)) === undefined) throw cutShort();
  }

  /** @throws {Fault} exception - the bytes end before */
  async *range(start: number, end: number): AsyncGenerator<Uint8Array> {
    await this.passTo(start);
    while (this.#position < end) {
      const part = await this.#next(end - this.#position);
      if (part === undefined) throw cutShort();
      yield part;
    }
  }

  /** A range that is known to be small. */
  async collect(start: number, end: number): Promise<Uint8Array> {
    return await collect(this.range(start, end));
  }

  /** What follows, so many bytes at most. */
  async upTo(most: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let left = most;
    for (let part = await this.#next(left); part !== undefined && left > 0; part = await this.#next(left)) {
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** All that follows. */
  async *rest(): AsyncGenerator<Uint8Array> {
    for (let part = await this.#next(Infinity); part !== undefined; part = await this.#next(Infinity)) yield part;
  }

  get #position(): number {
    return this.#start + this.#used;
  }

  async #next(most: number): Promise<Uint8Array | undefined> {
    while (this.#used === this.#chunk.length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#start += this.#chunk.length;
      [this.#chunk, this.#used] = [value, 0];
      if (this.#start + value.length > this.#most)
        throw new Fault('too-costly', `At most ${this.#most} bytes of a deflated data set are inflated`);
    }
    const part = this.#chunk.subarray(this.#used, Math.min(this.#used + most, this.#chunk.length));
    this.#used += part.length;
    return part;
  }
}
