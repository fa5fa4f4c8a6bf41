/** Times of DICOM as ranges within a day. @see DICOM PS3.4 C.2.2.2.5, PS3.5 6.2 */
import { Fault } from '../../profiles/fault.ts';
import type { DayRange } from './local-day.ts';

const TIME = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d)(?:\.\d{1,6})?)?)?$/;
const SECOND = 1_000;
const [MINUTE, HOUR] = [60 * SECOND, 3_600 * SECOND];

/**
 * Reads a time or a range of times (`a-b`, `a-`, `-b`) as milliseconds from midnight. A time stands for as long as it
 * is precise: `10` for the hour, `101530` for the second; fractions of it are dropped.
 * @throws {Fault} invalid - it is neither
 */
export function parseTimes(text: string): DayRange {
  const [first = '', last = first, ...others] = text.split('-').map((time) => time.trim());
  if (others.length > 0 || (first === '' && last === '')) throw badTime();
  return { from: first === '' ? undefined : extentOf(first).start, to: last === '' ? undefined : extentOf(last).end };
}

function extentOf(text: string): { start: number; end: number } {
  const match = TIME.exec(text);
  if (match === null) throw badTime();
  const [, hour, minute, second] = match;
  const start = Number(hour) * HOUR + Number(minute ?? 0) * MINUTE + Number(second ?? 0) * SECOND;
  return { start, end: start + (minute === undefined ? HOUR : second === undefined ? MINUTE : SECOND) };
}

function badTime(): Fault {
  return new Fault('invalid', 'StudyTime must be HHMMSS or a range of two such times', { expression: 'StudyTime' });
}
