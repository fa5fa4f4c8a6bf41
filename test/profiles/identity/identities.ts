/** Identities of invented persons, made in few words. */
import { contradictionBetween, indexVerdicts } from '../../../profiles/identity/contradiction.ts';
import type { Identity, Verdict } from '../../../profiles/identity/identity.ts';
import { joiningNumbers } from '../../../profiles/identity/identity.ts';
import type { NationalNumber } from '../../../profiles/identity/national-numbers.ts';
import type { Traits } from '../../../profiles/identity/traits.ts';
import { settle, type Settled } from '../../../profiles/identity/who-is-who.ts';

/** Returns a qualified current number, `N:1`: a system and a value. */
export function number(text: string, more: Partial<NationalNumber> = {}): NationalNumber {
  const [system = '', value = ''] = text.split(':');
  return { system, value, isOld: false, isQualified: true, ...more };
}

/** Returns a number that its source calls old. */
export function oldNumber(text: string): NationalNumber {
  return number(text, { isOld: true });
}

/** Traits of one invented person, and what differs of them. */
export function traits(more: Partial<Traits> = {}): Traits {
  return {
    families: ['martin'],
    firstGivenNames: ['claude'],
    allGivenNames: ['claudejean'],
    birthDate: '1970-03-02',
    gender: 'male',
    birthPlace: undefined,
    isOneOfSeveral: false,
    ...more,
  };
}

let clock = 0;

/** Returns an identity, later than those before. */
export function identity(
  id: string,
  numbers: readonly (string | NationalNumber)[],
  more: Partial<Omit<Identity, 'traits'>> & { readonly traits?: Partial<Traits> } = {},
): Identity {
  clock += 1;
  return {
    id,
    since: clock,
    isBarred: false,
    ...more,
    numbers: numbers.map((one) => (typeof one === 'string' ? number(one) : one)),
    traits: traits(more.traits),
  };
}

/** Lets identities arrive one after the other. */
export function arrive(
  identities: readonly Identity[],
  verdicts: readonly Verdict[] = [],
  clusters: Settled['clusters'] = [],
): Settled {
  let settled: Settled = { clusters, reviews: [] };
  for (const one of identities) {
    const { reviews, ...next } = settle({ clusters: settled.clusters, changed: [one], verdicts });
    settled = { ...next, reviews: [...settled.reviews, ...reviews] };
  }
  return settled;
}

/** The ids of each cluster, as `a b`, in the order of the alphabet. */
export function idsOf(clusters: Settled['clusters']): string[] {
  return clusters.map(setOf).sort();
}

/** The ids of a cluster in the order of the alphabet. */
export function setOf(cluster: readonly Identity[]): string {
  return cluster
    .map(({ id }) => id)
    .sort()
    .join(' ');
}

/** What hangs together by numbers that join, or by verdicts, without a look at what contradicts. */
export function componentsOf(identities: readonly Identity[], verdicts: readonly Verdict[] = []): Identity[][] {
  const { sameAs } = indexVerdicts(verdicts);
  const isLinked = (one: Identity, other: Identity): boolean =>
    sameAs(one.id).includes(other.id) ||
    joiningNumbers(one).some(({ system, value }) =>
      joiningNumbers(other).some((further) => further.system === system && further.value === value),
    );
  const groups: Identity[][] = [];
  for (const one of identities) {
    const met = groups.filter((group) => group.some((other) => isLinked(one, other)));
    for (const group of met) groups.splice(groups.indexOf(group), 1);
    groups.push([...met.flat(), one]);
  }
  return groups;
}

/** Whether nothing contradicts among identities, were they one person. */
export function isConsistent(identities: readonly Identity[], verdicts: readonly Verdict[] = []): boolean {
  return (
    contradictionBetween(
      identities.map((one) => [one]),
      indexVerdicts(verdicts),
    ) === undefined
  );
}
