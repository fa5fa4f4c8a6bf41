/** The time of a Period in a record's rights: bare days are those of a time zone. */
import type { Period } from '@medplum/fhirtypes';
import { offsetsOf, type OffsetOf } from '../dicom/date-time.ts';
import { parseDateRange, periodRange, TIME_BOUND } from '../search/date-range.ts';

/** Epoch milliseconds, `from` inclusive, `to` exclusive; 0 and 8.64e15 where an end is open. */
export type TimeSpan = { readonly from: number; readonly to: number };

/** The offsets of a zone (a name of the IANA database); undefined: those of UTC. */
export function offsetsIn(zone: string | undefined): OffsetOf | undefined {
  return zone === undefined ? undefined : offsetsOf(zone);
}

/** The span of a Period; undefined when an end is no date. */
export function spanOf(period: Period | undefined, zone: string | undefined): TimeSpan | undefined {
  const range = periodRange(period?.start, period?.end, offsetsIn(zone));
  return range && { from: Math.max(0, range.lo), to: Math.min(TIME_BOUND, range.hi) };
}

/** The span of a Period that ends at the very moment that it says, as those do that operations give. */
export function exactSpanOf(period: Period | undefined, zone: string | undefined): TimeSpan | undefined {
  const span = spanOf(period, zone);
  const last = period?.end === undefined ? undefined : parseDateRange(period.end, offsetsIn(zone))?.lo;
  return span && { from: span.from, to: last ?? span.to };
}
