/** Values by which rows are sorted: those of the key's own parameter, whatever else was read for other keys. */
import { expect } from 'chai';
import type { SortKey } from '../../../../../profiles/search/order.ts';
import { sortValuesOf } from '../../../../../server/stores/mongodb/read/sort-values.ts';
import { referenceKey, tokenKey } from '../../../../../server/stores/mongodb/write/index-arrays.ts';

const ROW = {
  sort: 7,
  id: 'a',
  str: [
    { p: 'given', v: 'adele' },
    { p: 'family', v: 'muller' },
    { p: 'family', v: 'meyer' },
  ],
  dates: [
    { p: 'issued', lo: 1, hi: 2 },
    { p: 'date', lo: 5, hi: 6 },
    { p: 'date', lo: 3, hi: 4 },
  ],
  tok: [tokenKey('code', undefined, 'a'), tokenKey('status', undefined, 'final')],
  ref: [referenceKey('subject', 'Patient/1'), referenceKey('performer', 'Organization/2')],
};

describe('Values that rows are sorted by (MongoDB)', () => {
  const valuesOf = (descending: boolean): readonly unknown[] =>
    sortValuesOf(
      ROW,
      [
        { by: 'moment', param: 'date' },
        { by: 'id', param: '_id' },
        { by: 'string', param: 'family' },
        { by: 'string', param: 'given' },
        { by: 'date', param: 'date' },
        { by: 'date', param: 'issued' },
        { by: 'token', param: 'status' },
        { by: 'reference', param: 'performer' },
        { by: 'string', param: 'address' },
      ].map((key) => ({ ...key, descending }) as SortKey),
    );

  it('are the least of each parameter on the way up', () => {
    const performer = 'Organization/2';
    expect(valuesOf(false)).to.deep.equal([7, 'a', 'meyer', 'adele', 3, 1, 'final', performer, null]);
  });

  it('are the greatest of each parameter on the way down', () => {
    const performer = 'Organization/2';
    expect(valuesOf(true)).to.deep.equal([7, 'a', 'muller', 'adele', 5, 1, 'final', performer, null]);
  });
});
