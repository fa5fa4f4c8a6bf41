/** Whether encapsulated pixel data is whole, told while its bytes pass by. @see DICOM PS3.5 A.4 */
import { Fault } from '../../fault.ts';
import { itemLengthAt, ITEM_HEADER_BYTES } from './encapsulated.ts';

/** Follows the items of encapsulated pixel data from its value on; it keeps the header of one item and no fragment. */
export class FragmentCheck {
  readonly #header = new Uint8Array(ITEM_HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the item at hand that are still to come. */
  #left = 0;
  #isEnded = false;

  /**
   * Takes the next bytes; those behind the delimiter are none of its business. @throws {Fault} invalid - something that
   * is no item
   */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isEnded;) {
      const count = Math.min(this.#left === 0 ? ITEM_HEADER_BYTES - this.#headerBytes : this.#left, bytes.length - at);
      if (this.#left === 0) this.#readHeader(bytes.subarray(at, at + count));
      else this.#left -= count;
      at += count;
    }
  }

  /**
   * Looks at the end of the bytes. @throws {Fault} invalid - no delimiter came: the object was cut, or its end was
   * never written
   */
  end(): void {
    if (!this.#isEnded)
      throw new Fault('invalid', 'The data set ends inside its encapsulated pixel data', { expression: 'PixelData' });
  }

  #readHeader(bytes: Uint8Array): void {
    this.#header.set(bytes, this.#headerBytes);
    this.#headerBytes += bytes.length;
    if (this.#headerBytes < ITEM_HEADER_BYTES) return;
    this.#headerBytes = 0;
    const length = itemLengthAt(this.#header);
    this.#left = length ?? 0;
    this.#isEnded = length === undefined;
  }
}
