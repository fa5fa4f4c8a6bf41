/** Which part of the trail a search by date reads: events are in the order of their date, and each has one. */
import type { Criterion, DateValue } from '../search/criterion.ts';
import type { SortSpan } from '../search/query.ts';

/** The part outside of which no event satisfies the conditions on `date`; undefined where they bound nothing. */
export function spanOfEvents(where: readonly Criterion[]): SortSpan | undefined {
  const parts = where.flatMap((criterion) =>
    criterion.kind === 'date' && criterion.param === 'date' ? [endsOfAny(criterion.values)] : [],
  );
  const from = Math.max(...parts.map(([one]) => one));
  const before = Math.min(...parts.map(([, one]) => one));
  if (from === -Infinity && before === Infinity) return undefined;
  return { from: from === -Infinity ? undefined : from, before: before === Infinity ? undefined : before };
}

/** Epoch milliseconds, the first inclusive, the second exclusive; infinite where open. */
type Ends = readonly [from: number, before: number];

/** Values are alternatives: from the earliest beginning to the latest end. */
function endsOfAny(values: readonly DateValue[]): Ends {
  const all = values.map(endsOf);
  return [Math.min(...all.map(([from]) => from)), Math.max(...all.map(([, before]) => before))];
}

function endsOf({ lo, hi, prefix }: DateValue): Ends {
  switch (prefix) {
    case 'eq':
      return [lo, hi];
    case 'ge':
      return [lo, Infinity];
    case 'gt':
    case 'sa':
      return [hi, Infinity];
    case 'le':
      return [-Infinity, hi];
    case 'lt':
    case 'eb':
      return [-Infinity, lo];
    case 'ne':
      return [-Infinity, Infinity];
  }
}
