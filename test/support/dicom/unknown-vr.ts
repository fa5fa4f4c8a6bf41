/** A data set as some routers and toolkits write it on: standard attributes under UN. @see DICOM PS3.5 6.2.2 */

const LONG_VRS = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];
const UNDEFINED = 0xff_ff_ff_ff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xff_fe_e0_00, 0xff_fe_e0_0d, 0xff_fe_e0_dd];

/** How sequences are written: as UN of defined or of undefined length, or as SQ whose items hold UN. */
export type UnknownSequences = 'defined' | 'undefined' | 'kept';

/** An element of explicit VR little endian: where its value begins and ends, and whether a delimiter follows. */
type Found = {
  readonly tag: number;
  readonly vr: string;
  readonly start: number;
  readonly end: number;
  readonly isDelimited: boolean;
};

/**
 * Writes a data set of explicit VR little endian anew with UN in the place of every VR but that of encapsulated pixels.
 * Values stay the same bytes; sequences become implicit VR, as UN demands. `tags` are the attributes to change: all
 * when left out.
 */
export function asUnknownVR(
  dataSet: Uint8Array,
  sequences: UnknownSequences = 'defined',
  tags?: readonly number[],
): Buffer {
  const bytes = Buffer.from(dataSet);
  const all = elementsOf(bytes, 0, bytes.length);
  const isChanged = (found: Found): boolean => tags === undefined || tags.includes(found.tag);
  const asItIs = (at: number): Buffer => bytes.subarray(behind(all[at - 1]), behind(all[at]));
  const write = (found: Found, at: number): Buffer =>
    isChanged(found) ? unknownElement(bytes, found, sequences) : asItIs(at);
  return Buffer.concat(all.map(write));
}

function unknownElement(bytes: Buffer, found: Found, sequences: UnknownSequences): Buffer {
  const { tag, vr, start, end, isDelimited } = found;
  if (vr !== 'SQ' && isDelimited) return bytes.subarray(start - 12, end);
  if (vr !== 'SQ') return Buffer.concat([header(tag, 'UN', end - start), bytes.subarray(start, end)]);
  const write = (item: Found): Buffer =>
    sequences === 'kept' ? unknownElement(bytes, item, sequences) : implicitElement(bytes, item);
  const items = itemsOf(bytes, found).map((item) => Buffer.concat(elementsOf(bytes, item.start, item.end).map(write)));
  const value = Buffer.concat(items.flatMap((item) => [implicitHeader(ITEM, item.length), item]));
  if (sequences === 'kept') return Buffer.concat([header(tag, 'SQ', value.length), value]);
  if (sequences === 'defined') return Buffer.concat([header(tag, 'UN', value.length), value]);
  return Buffer.concat([header(tag, 'UN', UNDEFINED), value, implicitHeader(SEQUENCE_END, 0)]);
}

function implicitElement(bytes: Buffer, found: Found): Buffer {
  const { tag, vr, start, end } = found;
  if (vr !== 'SQ') return Buffer.concat([implicitHeader(tag, end - start), bytes.subarray(start, end)]);
  const items = itemsOf(bytes, found).map((item) => {
    const inner = Buffer.concat(elementsOf(bytes, item.start, item.end).map((one) => implicitElement(bytes, one)));
    return Buffer.concat([implicitHeader(ITEM, UNDEFINED), inner, implicitHeader(ITEM_END, 0)]);
  });
  return Buffer.concat([implicitHeader(tag, UNDEFINED), ...items, implicitHeader(SEQUENCE_END, 0)]);
}

/** Where what follows an element begins; 0 before the first. */
function behind(found: Found | undefined): number {
  if (found === undefined) return 0;
  return found.isDelimited ? found.end + 8 : found.end;
}

function elementsOf(bytes: Buffer, from: number, to: number): Found[] {
  const found: Found[] = [];
  for (let at = from; at < to;) {
    const one = elementAt(bytes, at);
    if (one.tag === ITEM_END) break;
    found.push(one);
    at = behind(one);
  }
  return found;
}

/** A value of undefined length ends before its delimiter; encapsulated pixels are taken to be the last element. */
function elementAt(bytes: Buffer, at: number): Found {
  const tag = tagAt(bytes, at);
  const vr = tag >>> 16 === 0xff_fe ? '' : bytes.toString('latin1', at + 4, at + 6);
  const start = LONG_VRS.includes(vr) ? at + 12 : at + 8;
  const length = vr !== '' && start === at + 8 ? bytes.readUInt16LE(at + 6) : bytes.readUInt32LE(start - 4);
  if (length !== UNDEFINED) return { tag, vr, start, end: start + length, isDelimited: false };
  if (vr !== 'SQ' && vr !== '') return { tag, vr, start, end: bytes.length - 8, isDelimited: true };
  let end = start;
  while (![ITEM_END, SEQUENCE_END].includes(tagAt(bytes, end))) {
    end = behind(elementAt(bytes, end));
  }
  return { tag, vr, start, end, isDelimited: true };
}

function itemsOf(bytes: Buffer, { start, end }: Found): Found[] {
  return elementsOf(bytes, start, end);
}

function tagAt(bytes: Buffer, at: number): number {
  return ((bytes.readUInt16LE(at) << 16) | bytes.readUInt16LE(at + 2)) >>> 0;
}

function header(tag: number, vr: string, length: number): Buffer {
  const long = Buffer.alloc(12);
  long.writeUInt16LE(tag >>> 16, 0);
  long.writeUInt16LE(tag & 0xff_ff, 2);
  long.write(vr, 4, 'latin1');
  long.writeUInt32LE(length, 8);
  return long;
}

function implicitHeader(tag: number, length: number): Buffer {
  const short = Buffer.alloc(8);
  short.writeUInt16LE(tag >>> 16, 0);
  short.writeUInt16LE(tag & 0xff_ff, 2);
  short.writeUInt32LE(length, 4);
  return short;
}
