/**
 * Who represents a person before the law: a RelatedPerson by its relationship. How long depends on her 18th birthday,
 * which her Patient tells: it is asked when somebody acts, as a birth date may be corrected.
 * @see https://terminology.hl7.org/CodeSystem-v3-RoleCode.html
 */
import type { RelatedPerson } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { periodRange } from '../search/date-range.ts';
import { offsetsIn, spanOf, type TimeSpan } from './time-span.ts';

/** A parent represents a child, a guardian a child or an adult, who has a mandate an adult. */
export type Representation = 'parent' | 'guardian' | 'mandate';

/** By code. Step-parents and foster parents are none of them: a court names them guardians. */
const KINDS: Readonly<Record<Representation, readonly unknown[]>> = {
  parent: ['PRN', 'NPRN', 'MTH', 'NMTH', 'FTH', 'NFTH', 'ADOPTP', 'ADOPTM', 'ADOPTF'],
  guardian: ['GUARD'],
  mandate: ['POWATT', 'DPOWATT', 'HPOWATT'],
};

/** What a RelatedPerson is by the relationship: nothing of one that is not active. */
export function representationsOf({ active, relationship = [] }: Partial<RelatedPerson>): readonly Representation[] {
  if (active === false) return [];
  const codes = relationship
    .flatMap(({ coding = [] }) => coding)
    .flatMap(({ system, code }) => (system === CODE_SYSTEM.roleCode ? [code] : []));
  const kinds = Object.keys(KINDS) as Representation[];
  return kinds.filter((kind) => codes.some((code) => KINDS[kind].includes(code)));
}

/** The time that a representative is named for, whatever her age. Bare days are those of `zone` (IANA), or of UTC. */
export function namedTime(related: Partial<RelatedPerson>, zone?: string): TimeSpan | undefined {
  const span = representationsOf(related).length === 0 ? undefined : spanOf(related.period, zone);
  return span !== undefined && span.from < span.to ? span : undefined;
}

/** Whether a version opens a record to whom, or when, the one before did not. Bare days are those of `zone` (IANA). */
export function opensFurther(said: RelatedPerson, former: Partial<RelatedPerson>, zone: string): boolean {
  const [named, before] = [namedTime(said, zone), namedTime(former, zone)];
  if (named === undefined) return false;
  if (before === undefined || named.from !== before.from || named.to > before.to) return true;
  const kinds = representationsOf(former);
  return representationsOf(said).some((kind) => !kinds.includes(kind));
}

/** What a region lets representatives do beyond what every one does: nothing where a member is left out. */
export type RepresentativeSettings = {
  /** Of a child below this age, in years, private items are reached, too. */
  readonly reachPrivateBelowAge?: number;
};

const MAJORITY_YEARS = 18;

/** The highest age below which a region may let private items be reached: representatives of children end at 18. */
export const MOST_PRIVATE_AGE = MAJORITY_YEARS - 1;

/** When a person comes of age: 00:00 of the 18th birthday ({@link birthdayOf}). */
export function majorityOf(birthDate: string | undefined, zone: string): number | undefined {
  return birthdayOf(birthDate, MAJORITY_YEARS, zone);
}

/**
 * When a person is so many years old: 00:00 of that birthday in a zone (IANA), epoch milliseconds. Who was born on a
 * 29th of February is on the 1st of March. Undefined where the whole date is not known.
 */
export function birthdayOf(birthDate: string | undefined, years: number, zone: string): number | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(birthDate ?? '') ?? [];
  if (year === undefined) return undefined;
  const birthday = new Date(Date.UTC(Number(year) + years, Number(month) - 1, Number(day)));
  return periodRange(birthday.toISOString().slice(0, 10), undefined, offsetsIn(zone))?.lo;
}

/**
 * What of the time that a representative is named for counts. A parent's ends when she comes of age, and so does a
 * guardian's, unless it begins then or later: an adult is represented by who is named for her as an adult. So a
 * mandate that begins before, or of which nobody says when it begins, is none. Of whom the birth date is not known
 * nobody is a representative.
 */
export function representedTime(
  kinds: readonly Representation[],
  named: TimeSpan,
  majority: number | undefined,
): TimeSpan | undefined {
  if (majority === undefined) return undefined;
  const isOfAdult = named.from >= majority;
  if (!kinds.some((kind) => kind === 'guardian' || kind === (isOfAdult ? 'mandate' : 'parent'))) return undefined;
  return isOfAdult ? named : { from: named.from, to: Math.min(named.to, majority) };
}
