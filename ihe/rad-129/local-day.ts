/** Days of DICOM, which are local, as ranges of time. @see DICOM PS3.4 C.2.2.2.5.1 */
import { parseDate, type OffsetOf } from '../../profiles/dicom/date-time.ts';
import { Fault } from '../../profiles/fault.ts';

/** Epoch milliseconds, `from` inclusive, `to` exclusive; undefined where the range is open. */
export type DayRange = { readonly from: number | undefined; readonly to: number | undefined };

/**
 * Reads a date (`YYYYMMDD`) or a range of dates (`a-b`, `a-`, `-b`), whose last day is in it.
 * @throws {Fault} invalid - it is neither
 */
export function parseDays(text: string, offsetOf: OffsetOf): DayRange {
  const [first = '', last = first, ...others] = text.split('-').map((day) => day.trim());
  if (others.length > 0 || (first === '' && last === '')) throw badDate();
  return {
    from: first === '' ? undefined : startOf(dayOf(first), offsetOf),
    to: last === '' ? undefined : startOf(dayAfter(dayOf(last)), offsetOf),
  };
}

function dayOf(text: string): string {
  const day = parseDate(text);
  if (day === undefined) throw badDate();
  return day;
}

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}

function startOf(day: string, offsetOf: OffsetOf): number {
  const local = `${day}T00:00:00`;
  return Date.parse(`${local}${offsetOf(local)}`);
}

function badDate(): Fault {
  return new Fault('invalid', 'StudyDate must be YYYYMMDD or a range of two such dates', { expression: 'StudyDate' });
}
