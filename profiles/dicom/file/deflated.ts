/** Deflated data sets, inflated within bounds. @see DICOM PS3.5 A.5, RFC 1951 */
import { constants, inflateRawSync } from 'node:zlib';
import { Fault } from '../../fault.ts';

/** Inflated bytes of a prefix; `isAll` when nothing of the input was left out. */
export type InflatedPrefix = { readonly bytes: Uint8Array; readonly isAll: boolean };

/** Deflate yields at most 1032 bytes for one, so the first step stays under the usual limit of 16 MiB. */
const FIRST_STEP_BYTES = 8 * 1024;

/**
 * Yields the inflated form of growing prefixes, so that a header is read without inflating the pixels behind it.
 * @throws {Fault} invalid - not a raw deflate stream
 * @throws {Fault} too-costly - a prefix inflates to more than `maxBytes`
 */
export function* inflatedPrefixes(bytes: Uint8Array, maxBytes: number): Generator<InflatedPrefix> {
  for (let step = FIRST_STEP_BYTES; ; step *= 4) {
    const isAll = step >= bytes.length;
    yield { bytes: inflate(isAll ? bytes : bytes.subarray(0, step), maxBytes), isAll };
    if (isAll) return;
  }
}

function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new Fault('too-costly', `The deflated data set inflates to more than ${maxBytes} bytes`, { cause });
    }
    throw new Fault('invalid', 'The deflated data set is not a deflate stream', { cause });
  }
}
