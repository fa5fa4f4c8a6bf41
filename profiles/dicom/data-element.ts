/** The parts of a data set as it is scanned. @see DICOM PS3.5 section 7 */
import type { VR } from './value-representation.ts';

/** One data element. Of `value` and `items` at most one is there; neither means bulk data that was not kept. */
export type DicomElement = {
  readonly tag: number;
  /** The VR by which the value is read (vrToRead), not always the one that is written. */
  readonly vr: VR;
  /** Bytes of the value field as encoded; {@link UNDEFINED_LENGTH} when it ends with a delimiter. */
  readonly length: number;
  /** Where the value begins in the (inflated) data set. */
  readonly offset: number;
  /** Byte order of the value: that of the data set, but for what is written as UN. */
  readonly littleEndian: boolean;
  readonly value: Uint8Array | undefined;
  readonly items: readonly DicomDataSet[] | undefined;
};

/** A data set or an item of a sequence. */
export type DicomDataSet = {
  /** The defined terms of SpecificCharacterSet that hold here: the item's own, else those around it. */
  readonly characterSet: readonly string[];
  readonly elements: ReadonlyMap<number, DicomElement>;
};

/** A data set up to and with its first pixel data element, whose value is never kept. */
export type DicomHeader = DicomDataSet & {
  readonly transferSyntaxUID: string;
  /** Where the value of the pixel data begins in the (inflated) data set; undefined when there are no pixels. */
  readonly pixelDataOffset: number | undefined;
};

/** The length that says a delimiter ends the value. */
export const UNDEFINED_LENGTH = 0xff_ff_ff_ff;

/** Values of binary and numeric VRs longer than this, in bytes, are not kept. */
export const MAX_KEPT_BINARY_BYTES = 4096;

/** Texts longer than this, in bytes, are not kept: they are bulk data. @see DICOM PS3.18 F.2.2, which allows it of UC, UT and the like */
export const MAX_KEPT_TEXT_BYTES = 256 * 1024;

/** What a scan accepts. */
export type ScanLimits = {
  readonly maxDepth: number;
  readonly maxElements: number;
  /** Elements of one data set or item, those of its items left out. */
  readonly maxSiblings: number;
  readonly maxBytes: number;
};

/** Two hexadecimal digits of each byte. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));

/** Formats a tag as eight upper-case hexadecimal digits (PS3.18 F.2.2). */
export function formatTag(tag: number): string {
  return `${HEX[tag >>> 24]}${HEX[(tag >>> 16) & 0xff]}${HEX[(tag >>> 8) & 0xff]}${HEX[tag & 0xff]}`;
}
