import { expect } from 'chai';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { spanOfEvents } from '../../../profiles/audit/event-span.ts';
import { parseCriterion } from '../../../profiles/search/parse-criterion.ts';

const [MARCH, APRIL] = [Date.UTC(2026, 2), Date.UTC(2026, 3)] as const;

const asked = (...dates: readonly string[]): readonly Criterion[] =>
  dates.flatMap((date) => parseCriterion('AuditEvent', 'date', date) ?? []);

describe('The part of the trail that a search reads', () => {
  const open = undefined;
  for (const [dates, span] of [
    [['2026-03'], { from: MARCH, before: APRIL }],
    [['ge2026-03'], { from: MARCH, before: open }],
    [['gt2026-03'], { from: APRIL, before: open }],
    [['sa2026-03'], { from: APRIL, before: open }],
    [['le2026-03'], { from: open, before: APRIL }],
    [['lt2026-03'], { from: open, before: MARCH }],
    [['eb2026-03'], { from: open, before: MARCH }],
    // Several are all true at once, and of one parameter one value suffices.
    [['ge2020', 'ge2026-03', 'lt2026-04', 'ne2026-03-02'], { from: MARCH, before: APRIL }],
    [['2026-03-31,2026-03-01'], { from: MARCH, before: APRIL }],
    [['ge2026-03,lt2020'], open],
    [['ne2026'], open],
    [[], open],
  ] as const)
    it(`is, by ${dates.join(' and ') || 'no date'}, where such events can be`, () => {
      expect(spanOfEvents(asked(...dates))).to.deep.equal(span);
    });
});
