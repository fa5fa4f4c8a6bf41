import { expect } from 'chai';
import { offsetsOf } from '../../../profiles/dicom/date-time.ts';
import { parseDateRange, periodRange } from '../../../profiles/search/date-range.ts';

const paris = offsetsOf('Europe/Paris');

const told = (text: string, zone = paris): readonly (string | undefined)[] => {
  const { lo, hi } = parseDateRange(text, zone) ?? {};
  return [lo, hi].map((moment) => (moment === undefined ? undefined : new Date(moment).toISOString()));
};

describe('Dates without a zone, in the zone of the region (FHIR R4 datatypes.html#dateTime)', () => {
  const cases: readonly [what: string, text: string, lo: string, hi: string][] = [
    ['a day in winter', '2026-01-10', '2026-01-09T23:00:00.000Z', '2026-01-10T23:00:00.000Z'],
    ['a day in summer', '2026-07-10', '2026-07-09T22:00:00.000Z', '2026-07-10T22:00:00.000Z'],
    ['the day of 23 hours', '2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['the day of 25 hours', '2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['a month', '2026-03', '2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z'],
    ['a year', '2026', '2025-12-31T23:00:00.000Z', '2026-12-31T23:00:00.000Z'],
    ['the last year', '9999', '9998-12-31T23:00:00.000Z', '9999-12-31T23:00:00.000Z'],
    ['a time that says its zone', '2026-07-10T12:00:00Z', '2026-07-10T12:00:00.000Z', '2026-07-10T12:00:01.000Z'],
    ['a time that says none', '2026-07-10T12:00', '2026-07-10T10:00:00.000Z', '2026-07-10T10:01:00.000Z'],
  ];
  for (const [what, text, lo, hi] of cases) {
    it(`${what}: ${text}`, () => {
      expect(told(text)).to.deep.equal([lo, hi]);
    });
  }

  it('a day that does not exist is none', () => {
    expect(told('2026-02-30')).to.deep.equal([undefined, undefined]);
  });

  it('a Period ends with its last day there; without a zone with that of UTC', () => {
    const hi = (zone?: typeof paris): number | undefined => periodRange('2026-07-01', '2026-07-10', zone)?.hi;
    expect([hi(paris), hi()]).to.deep.equal([Date.parse('2026-07-10T22:00:00Z'), Date.parse('2026-07-11T00:00:00Z')]);
  });
});
