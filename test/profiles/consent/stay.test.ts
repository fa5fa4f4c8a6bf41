/** How long a stay is believed (access.md R-71). */
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { stayTime } from '../../../profiles/consent/stay.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 10);

describe('The time of a stay', () => {
  const stay = (end?: string): object => ({
    status: 'in-progress',
    class: { system: CODE_SYSTEM.actCode, code: 'IMP' },
    period: { start: '2026-01-10T00:00:00Z', ...(end === undefined ? {} : { end }) },
  });

  it('lasts to the end that is said, and the days of grace', () => {
    const end = Date.UTC(2026, 0, 20);
    expect(stayTime(stay('2026-01-20T00:00:00Z'), 8)?.to).to.be.within(end + 8 * DAY_MS, end + 8 * DAY_MS + 1_000);
  });

  it('is none where it takes no time: over at once, or before it began', () => {
    const over = { ...stay(), status: 'finished' };
    expect(stayTime(over, 0)).to.equal(undefined);
    expect(stayTime(stay('2026-01-01'), 0)).to.equal(undefined);
    expect(stayTime(over, 2)).to.deep.equal({ from: START, to: START + 2 * DAY_MS });
  });

  it('lasts a year at most, whatever end is said or none', () => {
    for (const end of ['9999-12-31', '2030-01-01T00:00:00Z', undefined])
      expect(stayTime(stay(end), 0), end).to.deep.equal({ from: START, to: START + 366 * DAY_MS });
  });
});
