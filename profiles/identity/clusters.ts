/** Clusters of identities, and what links them: a number that may join, or the desk's word that they are one person. */
import { connected } from './connected.ts';
import type { Verdicts } from './contradiction.ts';
import { joiningNumbers, type Identity } from './identity.ts';
import { numberKey } from './national-numbers.ts';

/** The identities of one person. */
export type Cluster = readonly Identity[];

/** Returns the clusters that bear one of the numbers of an identity, which stands in none of them. */
export function reachedBy(one: Identity, clusters: readonly Cluster[]): Cluster[] {
  const keys = new Set(joiningNumbers(one).map(numberKey));
  return clusters.filter((cluster) => cluster.some((other) => bears(other, keys)));
}

function bears(one: Identity, keys: ReadonlySet<string>): boolean {
  return keys.size > 0 && joiningNumbers(one).some((number) => keys.has(numberKey(number)));
}

/** Makes one cluster of several; those that are not named stay. */
export function joined(clusters: readonly Cluster[], parts: readonly Cluster[]): Cluster[] {
  return [...clusters.filter((cluster) => !parts.includes(cluster)), parts.flat()];
}

/** Whether the desk said that somebody of one cluster is not somebody of the other. */
export function isForbidden(one: Cluster, other: Cluster, verdicts: Verdicts): boolean {
  return one.some(({ id }) => other.some((further) => verdicts.about(id, further.id) === false));
}

/** Returns the groups in which clusters hang together, each by a number that two of them bear. */
export function groupsOf(clusters: readonly Cluster[]): Cluster[][] {
  return connected(clusters, (cluster) => cluster.flatMap((one) => joiningNumbers(one).map(numberKey)));
}

/**
 * Returns the clusters whose identities meet: those that bear a number of two clusters hang together by such numbers,
 * others of their clusters do not count.
 */
export function meetingsOf(clusters: readonly Cluster[]): Cluster[][] {
  const placesOf = new Map<string, Set<Cluster>>();
  for (const cluster of clusters) {
    for (const key of cluster.flatMap((one) => joiningNumbers(one).map(numberKey)))
      placesOf.set(key, (placesOf.get(key) ?? new Set<Cluster>()).add(cluster));
  }
  const meetingKeys = (one: Identity): string[] =>
    joiningNumbers(one)
      .map(numberKey)
      .filter((key) => (placesOf.get(key)?.size ?? 0) > 1);
  const clusterOf = new Map(clusters.flatMap((cluster) => cluster.map((one) => [one, cluster] as const)));
  return connected(clusters.flat(), meetingKeys).map((group) => [
    ...new Set(group.flatMap((one) => [clusterOf.get(one) ?? []])),
  ]);
}

/** Returns what of a cluster hangs together, by numbers or by the desk's word. */
export function partsOf(cluster: Cluster, verdicts: Verdicts): Identity[][] {
  return connected(cluster, (one) => [
    ...joiningNumbers(one).map(numberKey),
    ...verdicts.sameAs(one.id).map((other) => [one.id, other].sort().join(' ')),
  ]);
}
