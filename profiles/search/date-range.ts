/** FHIR dates as ranges of time, by their precision. */
import type { OffsetOf } from '../dicom/date-time.ts';

/** Epoch milliseconds, `lo` inclusive and `hi` exclusive. */
export type DateRange = { readonly lo: number; readonly hi: number };

/** The farthest moments that a Date can hold: the ends of an open period. */
export const TIME_BOUND = 8.64e15;

const DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * Reads a date, dateTime or instant of any precision from year to millisecond; undefined when it is none or names a
 * day that does not exist. Minutes without seconds are taken (search allows them). A value without a time zone is of
 * the zone whose offsets are given: a bare day begins and ends there at midnight. Without them it is UTC. Digits beyond
 * the millisecond are dropped; a leap second counts as the second before it.
 * @see https://hl7.org/fhir/R4/datatypes.html#dateTime
 */
export function parseDateRange(text: string, offsetOf: OffsetOf = UTC): DateRange | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction, zone] = match;
  const midnight = Date.parse(`${year}-${month ?? '01'}-${day ?? '01'}T00:00:00Z`);
  if (Number.isNaN(midnight) || !isSameDay(midnight, day)) return undefined;
  if (hour === undefined)
    return { lo: momentOf(midnight, offsetOf), hi: momentOf(endOfDays(midnight, month, day), offsetOf) };
  const clock = second === '60' ? '59' : (second ?? '00');
  const millis = (fraction ?? '').slice(0, 3).padEnd(3, '0');
  const local = `${year}-${month}-${day}T${hour}:${minute}:${clock}`;
  const lo = Date.parse(`${local}.${millis}${zone ?? offsetOf(local)}`);
  if (Number.isNaN(lo)) return undefined;
  return { lo, hi: lo + lengthOf(second, fraction) };
}

/** The range of a Period; an absent end is open. Undefined when an end is no date. Zone as {@link parseDateRange}. */
export function periodRange(
  start: string | undefined,
  end: string | undefined,
  offsetOf: OffsetOf = UTC,
): DateRange | undefined {
  const from = start === undefined ? undefined : parseDateRange(start, offsetOf);
  const to = end === undefined ? undefined : parseDateRange(end, offsetOf);
  if ((start !== undefined && from === undefined) || (end !== undefined && to === undefined)) return undefined;
  return { lo: from?.lo ?? -TIME_BOUND, hi: to?.hi ?? TIME_BOUND };
}

const UTC: OffsetOf = () => '+00:00';

/** When a clock of the zone shows what one of UTC shows at `wall` (epoch milliseconds). */
function momentOf(wall: number, offsetOf: OffsetOf): number {
  const local = new Date(wall).toISOString().slice(0, -'.000Z'.length);
  return Date.parse(`${local}${offsetOf(local)}`);
}

// Date.parse rolls 02-30 over to March; the day then differs from the one written.
function isSameDay(midnight: number, day: string | undefined): boolean {
  return day === undefined || new Date(midnight).getUTCDate() === Number(day);
}

function endOfDays(midnight: number, month: string | undefined, day: string | undefined): number {
  if (day !== undefined) return midnight + DAY;
  const end = new Date(midnight);
  if (month === undefined) end.setUTCFullYear(end.getUTCFullYear() + 1);
  else end.setUTCMonth(end.getUTCMonth() + 1);
  return end.getTime();
}

function lengthOf(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return MINUTE;
  if (fraction === undefined) return 1000;
  return 10 ** Math.max(0, 3 - fraction.length);
}
