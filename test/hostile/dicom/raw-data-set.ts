/** Data sets in explicit VR little endian that no honest writer makes: elements by their bytes, in ascending order. */
import { PATIENTS } from '../../../fixtures/people.ts';
import { uidOf } from '../../../fixtures/dicom/uid.ts';
import { CT_IMAGE } from '../../server/endpoints/dimse/door.ts';

/** Elements by tag, as `00100010`. Bytes of a value, or a whole element when it begins with its tag. */
export type RawElements = Readonly<Record<string, Buffer>>;

const LONG_VRS = ['OB', 'OW', 'SQ', 'UN', 'UT', 'UC', 'UR', 'OF', 'OD'];
const UNDEFINED = 0xffff_ffff;

/** One element; a `length` other than the value's is a lie. */
export function element(tag: string, vr: string, value: Buffer | string = '', length?: number): Buffer {
  const bytes = Buffer.from(value as string);
  const padded =
    bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')]);
  const isLong = LONG_VRS.includes(vr);
  const header = Buffer.alloc(isLong ? 12 : 8);
  header.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  header.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  header.write(vr, 4, 'latin1');
  if (isLong) header.writeUInt32LE(length ?? padded.length, 8);
  else header.writeUInt16LE(length ?? padded.length, 6);
  return Buffer.concat([header, padded]);
}

/** The beginning of an item; of undefined length when none is given. */
export function itemHeader(length = UNDEFINED): Buffer {
  const header = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  header.writeUInt32LE(length, 4);
  return header;
}

/** A sequence of items, both of defined length. */
export function sequence(tag: string, items: readonly Buffer[]): Buffer {
  return element(tag, 'SQ', Buffer.concat(items.flatMap((item) => [itemHeader(item.length), item])));
}

/** Sequences of undefined length, one in the other. */
export function nested(tag: string, depth: number): Buffer {
  return Buffer.concat(
    Array.from({ length: depth }, () => Buffer.concat([element(tag, 'SQ', '', UNDEFINED), itemHeader()])),
  );
}

/** The UIDs of an instance that is made from a name. */
export function hostileUids(name: string): {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
} {
  return {
    studyInstanceUID: uidOf(`${name}/study`),
    seriesInstanceUID: uidOf(`${name}/series`),
    sopInstanceUID: uidOf(`${name}/instance`),
  };
}

/** A small CT data set; `changes` add elements or put others in their place, an empty buffer leaves one out. */
export function hostileDataSet(name: string, changes: RawElements = {}): Buffer {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = hostileUids(name);
  const plain: RawElements = {
    '00080005': element('00080005', 'CS', 'ISO_IR 192'),
    '00080016': element('00080016', 'UI', CT_IMAGE),
    '00080018': element('00080018', 'UI', sopInstanceUID),
    '00080020': element('00080020', 'DA', '20260115'),
    '00080060': element('00080060', 'CS', 'CT'),
    '00100010': element('00100010', 'PN', `${PATIENTS.gaetan.familyName}^${PATIENTS.gaetan.givenName}`),
    '00100020': element('00100020', 'LO', 'HOSTILE-1'),
    '0020000D': element('0020000D', 'UI', studyInstanceUID),
    '0020000E': element('0020000E', 'UI', seriesInstanceUID),
    '00200013': element('00200013', 'IS', '1'),
  };
  const all = Object.entries({ ...plain, ...changes }).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.concat(all.map(([, bytes]) => bytes));
}
