/** Where an identity belongs among clusters that stand. */
import { groupsOf, isForbidden, joined, partsOf, reachedBy, type Cluster } from './clusters.ts';
import { contradictionBetween, type Contradiction, type Verdicts } from './contradiction.ts';
import { byAge, joiningNumbers, oldestOf, type Identity } from './identity.ts';
import { numberKey } from './national-numbers.ts';

/** What stood before: what the identity said, and the ids of those it was one person with. */
export type Before = { readonly said: Identity | undefined; readonly mates: ReadonlySet<string> };

/** The clusters after an identity was placed, and those that it could not join. */
export type Placed = { readonly clusters: Cluster[]; readonly reviews: readonly Contradiction[] };

/** What a place depends on beside the clusters; `isPartial`: not all of them could be read, so nothing new joins. */
export type Circumstances = { readonly before: Before; readonly verdicts: Verdicts; readonly isPartial: boolean };

/** Places an identity that stands in none of the clusters. */
export function place(
  one: Identity,
  clusters: readonly Cluster[],
  { before, verdicts, isPartial }: Circumstances,
): Placed {
  const isFormer = (cluster: Cluster): boolean => cluster.some(({ id }) => before.mates.has(id));
  const own = namedWith(one, clusters, { isFormer, verdicts });
  const reached = reachedBy(one, clusters).filter((cluster) => !own.includes(cluster));
  const kept = hangingTogether(
    own.flat(),
    clusters.filter((cluster) => isFormer(cluster) && !own.includes(cluster)),
  );
  const news =
    !isPartial && isNews(one, [...own.slice(1), ...reached], before) ? [[...new Set([...reached, ...kept])]] : [];
  const choices = [...news, kept, reached.filter(isFormer)];
  const agree = (parts: readonly Cluster[]): boolean =>
    contradictionBetween([own.flat(), ...parts], verdicts) === undefined;
  const taken = choices.find(agree) ?? [];
  return {
    clusters: joined(clusters, [...own, ...taken]),
    reviews: reached.filter((cluster) => !taken.includes(cluster)).map((cluster) => reviewOf(one, cluster, verdicts)),
  };
}

/** The clusters that hang together with one, directly or by others of them. */
function hangingTogether(one: Cluster, clusters: readonly Cluster[]): Cluster[] {
  const group = groupsOf([one, ...clusters]).find((all) => all.includes(one)) ?? [];
  return group.filter((cluster) => cluster !== one);
}

/**
 * An identity, and the clusters that verdicts join it with, those first with which it stood: none that the desk keeps
 * from these, or from others with which it stood and bears a number.
 */
function namedWith(
  one: Identity,
  clusters: readonly Cluster[],
  { isFormer, verdicts }: { readonly isFormer: (cluster: Cluster) => boolean; readonly verdicts: Verdicts },
): Cluster[] {
  const same = verdicts.sameAs(one.id);
  const named = clusters.filter((each) => each.some(({ id }) => same.includes(id)));
  const stood = reachedBy(one, clusters).filter(isFormer);
  const own: Cluster[] = [[one]];
  for (const cluster of [...named.filter(isFormer), ...named.filter((each) => !isFormer(each))]) {
    const others = stood.filter((former) => former !== cluster).flat();
    if (!isForbidden([...own.flat(), ...others], cluster, verdicts)) own.push(cluster);
  }
  return own;
}

/**
 * Whether the numbers of an identity say of each cluster something that was not known. A number that two clusters bear
 * which stay apart joins nothing more, nor does one by which the identity stayed apart before.
 */
function isNews(one: Identity, parts: readonly Cluster[], { said, mates }: Before): boolean {
  const known = new Set(said === undefined ? [] : joiningNumbers(said).map(numberKey));
  const borne = { ...one, numbers: one.numbers.filter((number) => known.has(numberKey(number))) };
  const stoodApart = reachedBy(borne, parts).filter((cluster) => !cluster.some(({ id }) => mates.has(id)));
  return stoodApart.length === 0 && groupsOf(parts).length === parts.length;
}

/** What the desk is to look at: an identity that stands, and the first of each other person whom its numbers reach. */
export function reviewsOf(one: Identity, clusters: readonly Cluster[], verdicts: Verdicts): readonly Contradiction[] {
  const others = clusters.filter((cluster) => !cluster.includes(one));
  return reachedBy(one, others).map((cluster) => reviewOf(one, cluster, verdicts));
}

/** Why an identity did not join a cluster: what contradicts, or that its numbers lead to somebody else as well. */
function reviewOf(one: Identity, cluster: Cluster, verdicts: Verdicts): Contradiction {
  const found = contradictionBetween([cluster, [one]], verdicts);
  const bearers = cluster.filter((other) => reachedBy(one, [[other]]).length > 0);
  return { one: one.id, other: found?.other ?? oldestOf(bearers)?.id ?? one.id, rule: found?.rule ?? 'two-persons' };
}

/**
 * What is left of a cluster when identities were taken out of it: what still hangs together stays together. Where it
 * contradicts itself now, for one that was taken out had explained it, the older stand and the later stay apart.
 */
export function fallApart(rest: Cluster, verdicts: Verdicts): Cluster[] {
  return partsOf(rest, verdicts).flatMap((part) => {
    const singles = part.map((one) => [one]);
    return contradictionBetween(singles, verdicts) === undefined ? [part] : regrouped(part, verdicts);
  });
}

function regrouped(part: Cluster, verdicts: Verdicts): Cluster[] {
  let clusters: Cluster[] = [];
  const before: Before = { said: undefined, mates: new Set() };
  for (const one of [...part].sort(byAge))
    clusters = place(one, clusters, { before, verdicts, isPartial: false }).clusters;
  return clusters;
}
