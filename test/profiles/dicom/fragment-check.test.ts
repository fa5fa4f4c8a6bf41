import { expect } from 'chai';
import * as fc from 'fast-check';
import { FragmentCheck } from '../../../profiles/dicom/file/fragment-check.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const DELIMITER = Buffer.from('feffdde000000000', 'hex');

function item(length: number): Buffer {
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, Buffer.alloc(length, 0xfe)]);
}

/** Takes bytes in pieces that end at some places, then looks at the end. */
function check(bytes: Uint8Array, ends: readonly number[] = []): void {
  const checking = new FragmentCheck();
  let from = 0;
  for (const end of [...ends.filter((at) => at < bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    checking.take(bytes.subarray(from, end));
    from = end;
  }
  checking.end();
}

describe('A check of encapsulated pixel data (PS3.5 A.4)', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 6 });
  const places = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 12 });

  it('takes whole pixel data, however its bytes are divided, and whatever is behind it', () => {
    fc.assert(
      fc.property(lengths, places, fc.uint8Array({ maxLength: 12 }), (items, ends, behind) => {
        check(Buffer.concat([...items.map(item), DELIMITER, behind]), ends);
      }),
    );
  });

  it('refuses it when it is cut, wherever it is', () => {
    fc.assert(
      fc.property(
        lengths,
        places,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (items, ends, part) => {
          const whole = Buffer.concat([...items.map(item), DELIMITER]);
          const cut = whole.subarray(0, Math.floor(whole.length * part));
          expect(faultOf(() => check(cut, ends)).kind).to.equal('invalid');
        },
      ),
    );
  });

  it('refuses what is no item, and an item of undefined length', () => {
    for (const hex of ['feff0de000000000', '0000000000000000', 'feff00e0ffffffff']) {
      expect(faultOf(() => check(Buffer.concat([item(3), Buffer.from(hex, 'hex'), DELIMITER]))).kind, hex).to.equal(
        'invalid',
      );
    }
  });
});
