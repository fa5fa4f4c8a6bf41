/** Lookup tables: descriptors and data. @see DICOM PS3.3 C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.5 */
import { Fault } from '../../fault.ts';
import type { DicomElement } from '../data-element.ts';
import { numericValues } from '../element-values.ts';

/** A table: inputs below the first take its first entry, those beyond its end the last. */
export type LookupTable = {
  /** The input that the first entry belongs to. */
  readonly first: number;
  readonly entries: Uint16Array;
  /** Bits of an entry, 1 to 16. */
  readonly bits: number;
};

/** What a descriptor says. */
export type TableDescriptor = { readonly length: number; readonly first: number; readonly bits: number };

const MOST_ENTRIES = 65_536;
const WORD_BYTES = 2;

/**
 * Reads a descriptor. Its second value is signed as the values are that the table is asked for.
 * @throws {Fault} not-supported - it has not three values
 */
export function tableDescriptorOf(element: DicomElement, isSignedInput: boolean): TableDescriptor {
  const [length, first, bits] = numericValues(element).map(Number);
  if (length === undefined || first === undefined || bits === undefined)
    throw new Fault('not-supported', 'A lookup table has no readable descriptor', { expression: 'LUTDescriptor' });
  return {
    length: length <= 0 ? length + MOST_ENTRIES : length,
    first: signedAs(first, isSignedInput),
    bits: Math.min(Math.max(bits, 1), 16),
  };
}

/**
 * Reads the entries of a table: words, or bytes where there are as many of them as entries.
 * @throws {Fault} not-supported - there are fewer entries than the descriptor says
 */
export function lookupTable({ length, first, bits }: TableDescriptor, data: Uint8Array, littleEndian: boolean) {
  const isBytes = bits <= 8 && data.length < length * WORD_BYTES;
  if (data.length < (isBytes ? length : length * WORD_BYTES) || length === 0)
    throw new Fault('not-supported', 'A lookup table is shorter than its descriptor says', { expression: 'LUTData' });
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const entries = Uint16Array.from({ length }, (_, at) =>
    isBytes ? (data[at] ?? 0) : view.getUint16(at * WORD_BYTES, littleEndian),
  );
  return { first, entries, bits: bitsOf(entries, bits) } satisfies LookupTable;
}

/** The entry for an input. */
export function lookUp({ first, entries }: LookupTable, input: number): number {
  const at = Math.min(Math.max(Math.round(input) - first, 0), entries.length - 1);
  return entries[at] ?? 0;
}

/** Some devices write more than they say: then the largest entry tells how many bits there are. */
function bitsOf(entries: Uint16Array, told: number): number {
  const largest = entries.reduce((most, entry) => Math.max(most, entry), 0);
  return largest < 2 ** told ? told : 16;
}

function signedAs(value: number, isSigned: boolean): number {
  if (isSigned) return value > 0x7f_ff ? value - 0x1_00_00 : value;
  return value < 0 ? value + 0x1_00_00 : value;
}
