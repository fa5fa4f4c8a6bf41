/** When the people of an establishment care for a patient: during her stay, and some days after it. */
import type { Encounter } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { TIME_BOUND } from '../search/date-range.ts';
import { spanOf, type TimeSpan } from './time-span.ts';

/** Statuses in which she is there, and that in which she was. */
const PRESENT: readonly unknown[] = ['arrived', 'triaged', 'in-progress', 'onleave'];

/** Classes of a stay: a visit opens nothing. @see https://terminology.hl7.org/ValueSet-v3-ActEncounterCode.html */
const STAYS: readonly unknown[] = ['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'SS'];

const DAY_MS = 86_400_000;

/** A stay of which nobody says an end, or one that is no date of this world, is believed so long. */
const LONGEST_MS = 366 * DAY_MS;

/**
 * The time of a stay that is on or over, `graceDays` after its end included; undefined of a visit, and of one that is
 * planned, was cancelled or was an error, has no beginning or takes no time. Bare days are those of `zone` (IANA), or
 * of UTC.
 */
export function stayTime(encounter: object, graceDays: number, zone?: string): TimeSpan | undefined {
  const { status, period, class: kind } = encounter as Partial<Encounter>;
  if (kind?.system !== CODE_SYSTEM.actCode || !STAYS.includes(kind.code)) return undefined;
  const isOver = status === 'finished';
  if (period?.start === undefined || !(isOver || PRESENT.includes(status))) return undefined;
  const span = spanOf(period, zone);
  if (span === undefined) return undefined;
  const { from } = span;
  const open = isOver ? from : from + LONGEST_MS;
  const end = period.end === undefined ? open : Math.min(span.to, from + LONGEST_MS);
  const to = Math.min(TIME_BOUND, end + graceDays * DAY_MS);
  return from < to ? { from, to } : undefined;
}
