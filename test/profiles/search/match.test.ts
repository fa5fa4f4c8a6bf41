import { expect } from 'chai';
import { assert, integer, property, tuple } from 'fast-check';
import { parseDateRange } from '../../../profiles/search/date-range.ts';
import type { Criterion, DatePrefix } from '../../../profiles/search/criterion.ts';
import { DATE_PREFIXES } from '../../../profiles/search/criterion.ts';
import { ALONE, matchesCriterion } from '../../../profiles/search/match.ts';
import type { IndexedResource } from '../../../profiles/search/match.ts';

const EMPTY: IndexedResource = {
  type: 'DocumentReference',
  id: 'a',
  tokens: [],
  references: [],
  dates: [],
  strings: [],
};

function range(text: string): { lo: number; hi: number } {
  const found = parseDateRange(text);
  if (found === undefined) throw new Error(text);
  return found;
}

function dateMatches(row: { lo: number; hi: number }, prefix: DatePrefix, asked: { lo: number; hi: number }): boolean {
  const index = { ...EMPTY, dates: [{ param: 'date', lo: row.lo, hi: row.hi }] };
  return matchesCriterion(index, { kind: 'date', param: 'date', values: [{ prefix, ...asked }] }, ALONE);
}

/** Prefixes of a search by `asked` that find a row dated `row`. */
function prefixesThatFind(row: string, asked: string): readonly DatePrefix[] {
  return DATE_PREFIXES.filter((prefix) => dateMatches(range(row), prefix, range(asked)));
}

describe('Date prefixes over ranges (R4 3.1.1.4.7)', () => {
  const cases: readonly [row: string, asked: string, prefixes: readonly DatePrefix[]][] = [
    ['2013-01-14', '2013-01-14', ['eq', 'ge', 'le']],
    ['2013-01-14T10:00:00Z', '2013-01-14', ['eq', 'ge', 'le']],
    ['2013-01', '2013-01-14', ['ne', 'gt', 'lt', 'ge', 'le']],
    ['2013-01-15', '2013-01-14', ['ne', 'gt', 'ge', 'sa']],
    ['2013-01-13', '2013-01-14', ['ne', 'lt', 'le', 'eb']],
    ['2013-01-15T00:00:00Z', '2013-01-14', ['ne', 'gt', 'ge', 'sa']],
  ];
  for (const [row, asked, prefixes] of cases) {
    it(`finds ${row} asked for ${asked} by ${prefixes.join(', ')}`, () => {
      expect(prefixesThatFind(row, asked)).to.deep.equal(prefixes);
    });
  }

  it('keeps eq and ne apart, sa within gt, eb within lt, and ge as gt or eq', () => {
    const anyRange = tuple(integer({ min: 0, max: 20 }), integer({ min: 1, max: 10 })).map(([lo, length]) => ({
      lo,
      hi: lo + length,
    }));
    assert(
      property(anyRange, anyRange, (row, asked) => {
        const finds = (prefix: DatePrefix) => dateMatches(row, prefix, asked);
        expect(finds('ne')).to.equal(!finds('eq'));
        expect(finds('ge')).to.equal(finds('gt') || finds('eq'));
        expect(finds('le')).to.equal(finds('lt') || finds('eq'));
        if (finds('sa')) expect(finds('gt')).to.equal(true);
        if (finds('eb')) expect(finds('lt')).to.equal(true);
        expect(finds('sa') && finds('eb')).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('Criteria against index entries', () => {
  const index: IndexedResource = {
    type: 'DocumentReference',
    id: 'd1',
    tokens: [
      { param: 'type', system: 'urn:s', value: 'a' },
      { param: 'status', system: '', value: 'current' },
      { param: 'author:identifier', system: 'urn:p', value: '9' },
    ],
    references: [{ param: 'patient', target: 'Patient/1' }],
    dates: [],
    strings: [{ param: 'author.family', value: 'elan' }],
  };
  const patient: IndexedResource = {
    ...EMPTY,
    type: 'Patient',
    id: '1',
    tokens: [{ param: 'identifier', system: 'urn:x', value: '7' }],
  };
  const list: IndexedResource = {
    ...EMPTY,
    type: 'List',
    id: '5',
    tokens: [{ param: 'status', system: '', value: 'current' }],
    references: [{ param: 'subject', target: 'Patient/1' }],
  };
  const matches = (criterion: Criterion) =>
    matchesCriterion(index, criterion, {
      targets: (target, references) => (target === 'Patient' && references.includes('Patient/1') ? [patient] : []),
      sources: (source, param, reference) =>
        source === 'List' && param === 'item' && reference === 'DocumentReference/d1' ? [list] : [],
    });

  it('compares tokens with any, no and one system', () => {
    const type = (system: string | undefined, code?: string) =>
      matches({
        kind: 'token',
        param: 'type',
        values: [{ ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { code }) }],
      });
    expect([type(undefined, 'a'), type('urn:s', 'a'), type('urn:s')]).to.deep.equal([true, true, true]);
    expect([type('', 'a'), type('urn:t', 'a'), type(undefined, 'A')]).to.deep.equal([false, false, false]);
  });

  it('finds rows without any value by :not', () => {
    const values = [{ code: 'a' }];
    expect(matches({ kind: 'token', param: 'type', values, negated: true })).to.equal(false);
    expect(matches({ kind: 'token', param: 'category', values, negated: true })).to.equal(true);
  });

  it('counts a logical reference as present', () => {
    expect(matches({ kind: 'missing', param: 'author', missing: false })).to.equal(true);
    expect(matches({ kind: 'missing', param: 'related', missing: true })).to.equal(true);
  });

  it('follows a chain to the target, or finds it on the row itself', () => {
    const identifier = (code: string): Criterion => ({
      kind: 'token',
      param: 'identifier',
      values: [{ system: 'urn:x', code }],
    });
    expect(matches({ kind: 'chain', param: 'patient', target: 'Patient', criterion: identifier('7') })).to.equal(true);
    expect(matches({ kind: 'chain', param: 'patient', target: 'Patient', criterion: identifier('8') })).to.equal(false);
    const family: Criterion = { kind: 'string', param: 'family', values: ['el'], match: 'starts' };
    expect(matches({ kind: 'chain', param: 'author', target: 'Practitioner', criterion: family })).to.equal(false);
    const own: Criterion = { ...family, param: 'author.family' };
    expect(matches({ kind: 'chain', param: 'author', target: 'Practitioner', criterion: family, own })).to.equal(true);
  });

  it('finds what others refer to by what they are, and by what these lead to', () => {
    const status = (code: string): Criterion => ({ kind: 'token', param: 'status', values: [{ code }] });
    const has = (criterion: Criterion, param = 'item'): Criterion => ({
      kind: 'has',
      source: 'List',
      param,
      criterion,
    });
    const identifier: Criterion = { kind: 'token', param: 'identifier', values: [{ code: '7' }] };
    const chain: Criterion = { kind: 'chain', param: 'subject', target: 'Patient', criterion: identifier };
    expect([matches(has(status('current'))), matches(has(status('retired')))]).to.deep.equal([true, false]);
    expect(matches(has(status('current'), 'source'))).to.equal(false);
    expect(matches(has(chain))).to.equal(true);
    expect(matches(has(has(status('current'))))).to.equal(false);
  });
});
