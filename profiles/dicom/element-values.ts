/** The values of an element, decoded by its VR. @see DICOM PS3.5 6.2 and 6.4 */
import { decodeText } from './character-set.ts';
import type { DicomDataSet, DicomElement } from './data-element.ts';
import { VALUE_REPRESENTATION } from './value-representation.ts';
import type { VR } from './value-representation.ts';

/** Text VRs in which a backslash is text, and leading spaces count. */
const SINGLE_TEXT: ReadonlySet<VR> = new Set<VR>(['ST', 'LT', 'UT', 'UR']);
/** Whether a backslash separates values in a text VR. */
export function isMultiValued(vr: VR): boolean {
  return !SINGLE_TEXT.has(vr);
}

/** Text VRs whose bytes SpecificCharacterSet governs. */
const CHARACTER_SET_TEXT: ReadonlySet<VR> = new Set<VR>(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

/**
 * Returns the text values of an element, padding removed; an empty value between backslashes is an empty string. An
 * element whose VR is none of text has none.
 */
export function textValues({ vr, value }: DicomElement, dataSet: DicomDataSet): string[] {
  return value === undefined || VALUE_REPRESENTATION[vr].form !== 'text' ? [] : textsIn(vr, value, dataSet);
}

/** Returns the text values that a value field holds, as {@link textValues}. */
export function textsIn(vr: VR, value: Uint8Array, dataSet: DicomDataSet): string[] {
  if (value.length === 0) return [];
  const characterSet = CHARACTER_SET_TEXT.has(vr) ? dataSet.characterSet : [];
  const text = decodeText(value, characterSet);
  if (SINGLE_TEXT.has(vr)) return withoutEmpty([trimEnd(text)]);
  return withoutEmpty(text.split('\\').map((value) => (vr === 'UC' ? trimEnd(value) : trimEnd(value).trimStart())));
}

/** Returns the numbers of an AT, FD, FL, SL, SS, SV, UL, US or UV element; tags as unsigned 32-bit numbers. */
export function numericValues({ vr, value, littleEndian }: DicomElement): (number | bigint)[] {
  return value === undefined ? [] : numbersIn(vr, value, littleEndian);
}

/** Returns the numbers that a value field holds, as {@link numericValues}. */
export function numbersIn(vr: VR, value: Uint8Array, littleEndian: boolean): (number | bigint)[] {
  const read = READ[vr];
  if (read === undefined) return [];
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const values: (number | bigint)[] = [];
  for (let at = 0; at + read.width <= value.length; at += read.width) values.push(read.at(view, at, littleEndian));
  return values;
}

type NumericReader = {
  readonly width: number;
  readonly at: (view: DataView, at: number, littleEndian: boolean) => number | bigint;
};

const READ: Partial<Record<VR, NumericReader>> = {
  AT: { width: 4, at: (view, at, le) => ((view.getUint16(at, le) << 16) | view.getUint16(at + 2, le)) >>> 0 },
  FD: { width: 8, at: (view, at, le) => view.getFloat64(at, le) },
  FL: { width: 4, at: (view, at, le) => view.getFloat32(at, le) },
  SL: { width: 4, at: (view, at, le) => view.getInt32(at, le) },
  SS: { width: 2, at: (view, at, le) => view.getInt16(at, le) },
  SV: { width: 8, at: (view, at, le) => view.getBigInt64(at, le) },
  UL: { width: 4, at: (view, at, le) => view.getUint32(at, le) },
  US: { width: 2, at: (view, at, le) => view.getUint16(at, le) },
  UV: { width: 8, at: (view, at, le) => view.getBigUint64(at, le) },
};

function withoutEmpty(values: string[]): string[] {
  return values.every((value) => value === '') ? [] : values;
}

/** Padding is a space, or NUL in UIDs and from devices that pad everything with NUL. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0)) end--;
  return text.slice(0, end);
}
