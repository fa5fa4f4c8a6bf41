/**
 * A data set of Explicit VR Little Endian as other systems write it on: what it says is the same, its bytes are not.
 * Written apart from the product's own code. @see DICOM PS3.5 7.2, 7.3, 7.5, A.1, A.3, A.5
 */
import { deflateRawSync } from 'node:zlib';
import { DICOM_UID } from '../../../profiles/codes.ts';

/** How a data set is written. */
export type Encoding = {
  readonly explicitVR: boolean;
  readonly littleEndian: boolean;
  /** Sequences and items end with delimiters. */
  readonly undefinedLengths?: true;
  /** Every group begins with its length. */
  readonly groupLengths?: true;
  readonly trailingPadding?: true;
  readonly deflated?: true;
};

/** Each way in which the same may be said, by name, and its transfer syntax. */
export const ENCODINGS = {
  'explicit, lengths known': [DICOM_UID.explicitLittleEndian, { explicitVR: true, littleEndian: true }],
  'explicit, lengths undefined': [
    DICOM_UID.explicitLittleEndian,
    { explicitVR: true, littleEndian: true, undefinedLengths: true },
  ],
  'explicit, group lengths': [
    DICOM_UID.explicitLittleEndian,
    { explicitVR: true, littleEndian: true, groupLengths: true },
  ],
  'explicit, trailing padding': [
    DICOM_UID.explicitLittleEndian,
    { explicitVR: true, littleEndian: true, trailingPadding: true },
  ],
  implicit: [DICOM_UID.implicitLittleEndian, { explicitVR: false, littleEndian: true }],
  'implicit, lengths undefined, group lengths': [
    DICOM_UID.implicitLittleEndian,
    { explicitVR: false, littleEndian: true, undefinedLengths: true, groupLengths: true },
  ],
  'big endian': [DICOM_UID.explicitBigEndian, { explicitVR: true, littleEndian: false }],
  deflated: [DICOM_UID.deflatedExplicitLittleEndian, { explicitVR: true, littleEndian: true, deflated: true }],
} as const satisfies Record<string, readonly [string, Encoding]>;

type Element = { readonly tag: number; readonly vr: string; readonly value: Buffer | readonly (readonly Element[])[] };

const LONG_VRS = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];
const WORDS: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  AT: 2,
  OW: 2,
  UL: 4,
  SL: 4,
  FL: 4,
  OF: 4,
  OL: 4,
  FD: 8,
  OD: 8,
};
const UNDEFINED = 0xff_ff_ff_ff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xff_fe_e0_00, 0xff_fe_e0_0d, 0xff_fe_e0_dd];

/** Writes a data set anew. Its sequences have known lengths, and it has no encapsulated pixels. */
export function encodedAs(dataSet: Uint8Array, encoding: Encoding): Buffer {
  const written = writeAll(elementsOf(Buffer.from(dataSet)), encoding);
  const padding =
    encoding.trailingPadding === undefined
      ? []
      : [writeOne({ tag: 0xff_fc_ff_fc, vr: 'OB', value: Buffer.alloc(6000) }, encoding)];
  const all = Buffer.concat([written, ...padding]);
  return encoding.deflated === undefined ? all : deflateRawSync(all);
}

function elementsOf(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = ((bytes.readUInt16LE(at) << 16) | bytes.readUInt16LE(at + 2)) >>> 0;
    const vr = bytes.toString('latin1', at + 4, at + 6);
    const isLong = LONG_VRS.includes(vr);
    const start = at + (isLong ? 12 : 8);
    const end = start + (isLong ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6));
    const value = bytes.subarray(start, end);
    found.push({ tag, vr, value: vr === 'SQ' ? itemsOf(value) : value });
    at = end;
  }
  return found;
}

function itemsOf(bytes: Buffer): Element[][] {
  const items: Element[][] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    items.push(elementsOf(bytes.subarray(at + 8, end)));
    at = end;
  }
  return items;
}

function writeAll(elements: readonly Element[], encoding: Encoding): Buffer {
  const written = elements.map((one) => ({ group: one.tag >>> 16, bytes: writeOne(one, encoding) }));
  if (encoding.groupLengths === undefined) return Buffer.concat(written.map(({ bytes }) => bytes));
  const groups = [...Map.groupBy(written, ({ group }) => group)].map(([group, of]) => {
    const bytes = Buffer.concat(of.map((one) => one.bytes));
    const value = Buffer.alloc(4);
    value.writeUInt32LE(bytes.length);
    return Buffer.concat([writeOne({ tag: (group << 16) >>> 0, vr: 'UL', value }, encoding), bytes]);
  });
  return Buffer.concat(groups);
}

function writeOne({ tag, vr, value }: Element, encoding: Encoding): Buffer {
  if (Buffer.isBuffer(value)) {
    const turned = encoding.littleEndian ? value : turnedRound(value, WORDS[vr] ?? 1);
    return Buffer.concat([header(tag, vr, turned.length, encoding), turned]);
  }
  const items = Buffer.concat(value.map((item) => delimited(ITEM, ITEM_END, writeAll(item, encoding), encoding)));
  const isOpen = encoding.undefinedLengths === true;
  const end = isOpen ? [mark(SEQUENCE_END, 0, encoding)] : [];
  return Buffer.concat([header(tag, vr, isOpen ? UNDEFINED : items.length, encoding), items, ...end]);
}

function delimited(start: number, end: number, bytes: Buffer, encoding: Encoding): Buffer {
  if (encoding.undefinedLengths !== true) return Buffer.concat([mark(start, bytes.length, encoding), bytes]);
  return Buffer.concat([mark(start, UNDEFINED, encoding), bytes, mark(end, 0, encoding)]);
}

function header(tag: number, vr: string, length: number, encoding: Encoding): Buffer {
  if (!encoding.explicitVR) return mark(tag, length, encoding);
  const bytes = Buffer.concat([mark(tag, 0, encoding).subarray(0, 4), Buffer.from(vr, 'latin1')]);
  const isLong = LONG_VRS.includes(vr);
  const lengthBytes = Buffer.alloc(isLong ? 6 : 2);
  if (isLong && encoding.littleEndian) lengthBytes.writeUInt32LE(length, 2);
  else if (isLong) lengthBytes.writeUInt32BE(length, 2);
  else if (encoding.littleEndian) lengthBytes.writeUInt16LE(length);
  else lengthBytes.writeUInt16BE(length);
  return Buffer.concat([bytes, lengthBytes]);
}

function mark(tag: number, length: number, { littleEndian }: Encoding): Buffer {
  const bytes = Buffer.alloc(8);
  if (littleEndian) {
    bytes.writeUInt16LE(tag >>> 16, 0);
    bytes.writeUInt16LE(tag & 0xff_ff, 2);
    bytes.writeUInt32LE(length, 4);
  } else {
    bytes.writeUInt32BE(tag, 0);
    bytes.writeUInt32BE(length, 4);
  }
  return bytes;
}

function turnedRound(value: Buffer, width: number): Buffer {
  const bytes = Buffer.from(value);
  if (width === 1) return bytes;
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}
