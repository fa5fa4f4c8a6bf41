/** Encapsulated pixel data: items, offset tables, and which fragments make a frame. @see DICOM PS3.5 A.4 */
import { Fault } from '../../fault.ts';

/** A fragment: where its bytes lie in the data set, and whether a compressed image begins in it. */
export type Fragment = { readonly start: number; readonly end: number; readonly isBeginning: boolean };

/** Bytes before the value of an item: tag and length. */
export const ITEM_HEADER_BYTES = 8;
/** How much of a fragment tells whether a compressed image begins in it. */
export const SIGNATURE_BYTES = 4;

const ITEM = 0xe0_00_ff_fe;
const SEQUENCE_DELIMITATION = 0xe0_dd_ff_fe;
const UNDEFINED_LENGTH = 0xff_ff_ff_ff;

/**
 * Reads the header of an item: the length of its value, or undefined at the end of the pixel data.
 * @throws {Fault} invalid - neither an item nor the delimiter
 */
export function itemLengthAt(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = bytes.length < ITEM_HEADER_BYTES ? 0 : view.getUint32(0, true);
  if (tag === SEQUENCE_DELIMITATION) return undefined;
  const length = tag === ITEM ? view.getUint32(4, true) : UNDEFINED_LENGTH;
  if (length === UNDEFINED_LENGTH)
    throw new Fault('invalid', 'The encapsulated pixel data holds something that is not an item');
  return length;
}

/**
 * Reads an offset table: of 4 bytes (basic) or of 8 (extended) an entry. Undefined when it cannot be that of so many
 * frames: it is empty, of another length, or does not rise from 0.
 */
export function readOffsetTable(bytes: Uint8Array, entryBytes: 4 | 8, frames: number): readonly number[] | undefined {
  if (bytes.length !== frames * entryBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at += entryBytes) {
    const offset = entryBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
    const isRising = Number.isSafeInteger(offset) && offset > (offsets.at(-1) ?? -1);
    if (!isRising || (at === 0 && offset !== 0)) return undefined;
    offsets.push(offset);
  }
  return offsets;
}

/** Whether bytes begin a JPEG, JPEG-LS or JPEG 2000 codestream. */
export function isBeginningOfImage(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  if (first !== 0xff) return false;
  return (second === 0xd8 && third === 0xff) || (second === 0x4f && third === 0xff && fourth === 0x51);
}

/**
 * Groups fragments into frames without an offset table: all of them, one each, or by the images that begin in them.
 * @throws {Fault} not-supported - it cannot be told which fragments make a frame
 */
export function framesOfFragments(fragments: readonly Fragment[], count: number): readonly (readonly Fragment[])[] {
  if (count === 1 && fragments.length > 0) return [fragments];
  if (fragments.length === count) return fragments.map((fragment) => [fragment]);
  const frames: Fragment[][] = [];
  for (const fragment of fragments) {
    if (fragment.isBeginning) frames.push([]);
    frames.at(-1)?.push(fragment);
  }
  if (frames.length === count && fragments[0]?.isBeginning === true) return frames;
  throw new Fault(
    'not-supported',
    'The pixel data has no offset table, and its fragments do not tell its frames apart',
    { expression: 'PixelData' },
  );
}
