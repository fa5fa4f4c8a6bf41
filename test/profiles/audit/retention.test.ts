import { expect } from 'chai';
import { keptSince, LEAST_RETENTION_YEARS } from '../../../profiles/audit/retention.ts';

describe('How long events are kept', () => {
  it('is counted in years of the calendar, longer for more years on every day', () => {
    expect(keptSince(Date.UTC(2026, 6, 15, 9), 10)).to.equal(Date.UTC(2016, 6, 15, 9));
    for (const at of [Date.UTC(2028, 1, 28), Date.UTC(2028, 1, 29, 23), Date.UTC(2028, 2, 1), Date.UTC(2028, 11, 31)])
      for (let years = LEAST_RETENTION_YEARS; years < 10; years += 1)
        expect(keptSince(at, years + 1)).to.be.lessThan(keptSince(at, years));
  });
});
