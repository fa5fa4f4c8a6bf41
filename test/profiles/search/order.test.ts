import { expect } from 'chai';
import {
  compareInList,
  compareSorted,
  firstOfValues,
  isOfItsOwn,
  isReversedList,
  sortValueOf,
  type SortKey,
  type Sorted,
} from '../../../profiles/search/order.ts';

const key = (by: SortKey['by'], descending = false, param = 'p'): SortKey => ({ by, param, descending });

describe('The order of a search (R4 3.1.1.5.1)', () => {
  const row = (id: string, ...keys: Sorted['keys']): Sorted => ({ id, sort: 0, keys });
  const idsIn = (order: readonly SortKey[], rows: readonly Sorted[]) =>
    rows.toSorted((a, b) => compareSorted(order, a, b)).map(({ id }) => id);

  it('goes key by key, each in its direction, and then as lists are', () => {
    const rows = [row('a', 'x', 1), row('b', 'x', 2), row('c', 'w', 1), { ...row('d', 'x', 1), sort: 9 }];
    expect(idsIn([key('token'), key('date')], rows)).to.deep.equal(['c', 'd', 'a', 'b']);
    expect(idsIn([key('token', true), key('date')], rows)).to.deep.equal(['d', 'a', 'b', 'c']);
    expect(idsIn([key('token', true), key('date', true)], rows)).to.deep.equal(['b', 'd', 'a', 'c']);
  });

  it('puts rows without a value last in both directions', () => {
    const rows = [row('none', null), row('a', 'a'), row('b', 'b'), row('empty', '')];
    expect(idsIn([key('string')], rows)).to.deep.equal(['empty', 'a', 'b', 'none']);
    expect(idsIn([key('string', true)], rows)).to.deep.equal(['b', 'a', 'empty', 'none']);
  });

  it('takes of several values the one that comes first in the direction', () => {
    expect(firstOfValues(['b', 'a', 'c'], false)).to.equal('a');
    expect(firstOfValues(['b', 'a', 'c'], true)).to.equal('c');
    expect(firstOfValues([3, -1], true)).to.equal(3);
    expect(firstOfValues([], true)).to.equal(null);
    const entries = {
      id: '7',
      sort: 5,
      tokens: [
        { param: 'p', system: 'b', value: 'z' },
        { param: 'p', system: 'c', value: 'y' },
        { param: 'p:exact', system: '', value: 'a' },
      ],
      references: [{ param: 'p', target: 'Patient/1' }],
      dates: [{ param: 'p', lo: 3, hi: 9 }],
      strings: [{ param: 'p.name', value: 'elan' }],
    };
    expect(sortValueOf(entries, key('token'))).to.equal('y');
    expect(sortValueOf(entries, key('reference', true))).to.equal('Patient/1');
    expect(sortValueOf(entries, key('date', true))).to.equal(3);
    expect(sortValueOf(entries, key('string'))).to.equal(null);
    expect([sortValueOf(entries, key('id')), sortValueOf(entries, key('moment'))]).to.deep.equal(['7', 5]);
  });

  it('knows the order of lists from its end', () => {
    expect(isReversedList([key('moment')])).to.equal(true);
    for (const order of [undefined, [], [key('moment', true)], [key('moment'), key('id')], [key('date')]])
      expect(isReversedList(order)).to.equal(false);
    expect([isOfItsOwn(), isOfItsOwn([key('moment')]), isOfItsOwn([key('id')])]).to.deep.equal([false, false, true]);
    const rows = [row('a'), row('b'), { ...row('c'), sort: 4 }];
    const listed = (isReversed: boolean) =>
      rows.toSorted((a, b) => compareInList(a, b, isReversed)).map(({ id }) => id);
    expect(listed(false)).to.deep.equal(['c', 'a', 'b']);
    expect(listed(true)).to.deep.equal(['b', 'a', 'c']);
  });
});
