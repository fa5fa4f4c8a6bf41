import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  framesOfFragments,
  itemLengthAt,
  readOffsetTable,
  type Fragment,
} from '../../../profiles/dicom/file/encapsulated.ts';
import { alignBits, nativeRange } from '../../../profiles/dicom/file/native-frames.ts';
import { faultOf } from '../../support/thrown-fault.ts';

function basic(...offsets: readonly number[]): Buffer {
  const bytes = Buffer.alloc(offsets.length * 4);
  offsets.forEach((offset, at) => bytes.writeUInt32LE(offset, at * 4));
  return bytes;
}

function fragments(...beginnings: readonly boolean[]): readonly Fragment[] {
  return beginnings.map((isBeginning, at) => ({ start: at * 10, end: at * 10 + 2, isBeginning }));
}

describe('Encapsulated pixel data (PS3.5 A.4)', () => {
  it('reads an offset table only when it can be that of the frames', () => {
    expect(readOffsetTable(basic(0, 10, 30), 4, 3)).to.deep.equal([0, 10, 30]);
    for (const table of [
      basic(),
      basic(0),
      basic(0, 10),
      basic(4, 10, 30),
      basic(0, 30, 10),
      basic(0, 10, 10),
      basic(0, 1, 2, 3),
    ]) {
      expect(readOffsetTable(table, 4, 3)).to.equal(undefined);
    }
    const beyond = Buffer.alloc(16, 0xff);
    expect(readOffsetTable(beyond, 8, 2)).to.equal(undefined);
  });

  it('reads items and the delimiter, and nothing else', () => {
    expect(itemLengthAt(Buffer.from('feff00e010000000', 'hex'))).to.equal(16);
    expect(itemLengthAt(Buffer.from('feffdde000000000', 'hex'))).to.equal(undefined);
    for (const hex of ['feff00e0ffffffff', 'feff0de000000000', '0000000000000000', 'feff00e0']) {
      expect(faultOf(() => itemLengthAt(Buffer.from(hex, 'hex'))).kind).to.equal('invalid');
    }
  });

  it('groups fragments, or says that it cannot', () => {
    const counts = (count: number, ...beginnings: readonly boolean[]): number[] =>
      framesOfFragments(fragments(...beginnings), count).map((frame) => frame.length);
    expect(counts(1, true, false, false)).to.deep.equal([3]);
    expect(counts(2, false, false)).to.deep.equal([1, 1]);
    expect(counts(2, true, false, true)).to.deep.equal([2, 1]);
    for (const beginnings of [[], [true], [false, true, true], [true, true, true]]) {
      expect(faultOf(() => framesOfFragments(fragments(...beginnings), 2)).kind, String(beginnings)).to.equal(
        'not-supported',
      );
    }
  });
});

describe('Native frames (PS3.5 8.1.1)', () => {
  it('moves each frame of single bits to its own beginning', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        (bits, count) => {
          const all = Array.from({ length: count }, () => bits).flat();
          const value = new Uint8Array(Math.ceil(all.length / 8));
          all.forEach((bit, at) => (value[at >> 3] = (value[at >> 3] ?? 0) | (Number(bit) << (at % 8))));
          const expected = new Uint8Array(Math.ceil(bits.length / 8));
          bits.forEach((bit, at) => (expected[at >> 3] = (expected[at >> 3] ?? 0) | (Number(bit) << (at % 8))));
          for (let frame = 0; frame < count; frame += 1) {
            const { start, end, shift } = nativeRange({ count, bitsPerFrame: bits.length }, frame);
            expect(alignBits(value.subarray(start, end), shift, bits.length)).to.deep.equal(expected);
          }
        },
      ),
    );
  });
});
