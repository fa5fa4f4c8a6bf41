/**
 * What the identities of one person say of the numbers that she bore one after the other. Who says that a number is old
 * says which one followed it: without that, the word of one source sets no number of others aside.
 */
import { connected } from './connected.ts';
import { joiningNumbers, type Identity } from './identity.ts';
import { numberKey, type NationalNumber } from './national-numbers.ts';

/** The numbers of a union of identities, in time. */
export type NumberHistory = {
  /** Whether two numbers are current, of one system, and nobody says that one followed the other. */
  readonly contradict: (one: NationalNumber, other: NationalNumber) => boolean;
  /**
   * Whether the sex of one of two may be that of former times, by their numbers: one bears as current what another one
   * followed, or they meet in old numbers alone.
   */
  readonly isOfFormerTimes: (some: readonly NationalNumber[], others: readonly NationalNumber[]) => boolean;
};

/** Reads the history off all identities of a union. */
export function readHistory(union: readonly Identity[]): NumberHistory {
  const lines = union.flatMap((one) => linesOf(joiningNumbers(one)));
  const lineOf = new Map(
    connected(lines, (line) => line.map(numberKey)).flatMap((group, at) =>
      group.flat().map((number) => [numberKey(number), at] as const),
    ),
  );
  const followed = new Set(lines.flatMap((line) => line.filter(({ isOld }) => isOld).map(numberKey)));
  return {
    contradict: (one, other) => isRival(one, other) && !isSameLine(lineOf, one, other),
    isOfFormerTimes: (some, others) =>
      [...some, ...others].some((number) => !number.isOld && followed.has(numberKey(number))) ||
      meetInOld(some, others),
  };
}

/** For each system the numbers of an identity, where it knows an old and a current one. */
function linesOf(numbers: readonly NationalNumber[]): NationalNumber[][] {
  const bySystem = Map.groupBy(numbers, ({ system }) => system);
  return [...bySystem.values()].filter((line) => line.some(({ isOld }) => isOld) && line.some(({ isOld }) => !isOld));
}

function isRival(one: NationalNumber, other: NationalNumber): boolean {
  return one.system === other.system && one.value !== other.value && !one.isOld && !other.isOld;
}

function isSameLine(lineOf: ReadonlyMap<string, number>, one: NationalNumber, other: NationalNumber): boolean {
  const line = lineOf.get(numberKey(one));
  return line !== undefined && line === lineOf.get(numberKey(other));
}

function meetInOld(some: readonly NationalNumber[], others: readonly NationalNumber[]): boolean {
  const met = some.flatMap((one) =>
    others.filter((other) => numberKey(one) === numberKey(other)).map((other) => one.isOld || other.isOld),
  );
  return met.length > 0 && met.every(Boolean);
}
