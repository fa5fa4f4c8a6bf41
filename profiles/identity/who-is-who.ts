/**
 * Who is who: which identities are one person. It follows from the identities as they stand, from the desk's verdicts,
 * and from who was first.
 *
 * - An identity joins the clusters that its qualified numbers lead to, when all of them and it do not contradict one
 *   another (contradiction.ts); else it joins none of them, and each gives a review.
 * - One that changed is taken out first, and stays where it was as long as it still hangs together with that and agrees
 *   with it. So what one source says binds its own identity: others leave each other only where they had hung together
 *   by it alone, or where it alone had explained what contradicts between them.
 * - A verdict joins whatever the traits and numbers; only another verdict stands against it.
 * - What can join when all that is done joins: the order of arrival says nothing, unless identities contradict. Then
 *   the first stands.
 * - A change that is taken back leaves no trace: who was who is kept when it changes (former-persons.ts).
 */
import { isForbidden, joined, meetingsOf, type Cluster } from './clusters.ts';
import { contradictionBetween, indexVerdicts, type Contradiction, type Verdicts } from './contradiction.ts';
import {
  formerPersons,
  otherThan,
  sayingsOf,
  standingAgain,
  type FormerPersons,
  type Sayings,
} from './former-persons.ts';
import { byAge, oldestOf, type Identity, type Verdict } from './identity.ts';
import { fallApart, reviewsOf, place, type Before } from './place.ts';

/** What stands, and what changes. An id is in one cluster. */
export type Change = {
  /**
   * Every cluster that holds one of `changed` or `removed`, bears a number that one of them bore or bears, or is named
   * with one of them by a verdict; then those that bear another number of an identity that bears such a number, and so
   * on.
   */
  readonly clusters: readonly Cluster[];
  /** More clusters would have to be read than may be: nothing new joins, but by a verdict. */
  readonly isPartial?: boolean;
  /** Identities that are new or say something else than in `clusters`, and those of a verdict that is new or ended. */
  readonly changed: readonly Identity[];
  /** Ids of identities that end. */
  readonly removed?: readonly string[];
  /** Verdicts about all of these; of several about the same two, the last counts. */
  readonly verdicts: readonly Verdict[];
  /** Verdicts before the change; the same when absent. */
  readonly formerVerdicts?: readonly Verdict[];
  /** What was kept of `changed` when they changed before, the latest first. */
  readonly formerPersons?: readonly FormerPersons[];
};

/** Who is who after a change. */
export type Settled = {
  /** The persons, in the order of their oldest identities; each with its identities in the order of their age. */
  readonly clusters: readonly Cluster[];
  /** What the desk is to look at: an identity that changed, and one of each person that it could not join. */
  readonly reviews: readonly Contradiction[];
  /** Of what was kept, what is so again. */
  readonly again?: FormerPersons;
  /** Who was who, where persons are others than before, or others say something else: to be kept of `changed`. */
  readonly former?: FormerPersons;
};

/** Works out who is who after a change. */
export function settle(change: Change): Settled {
  const { was, is } = saidIn(change);
  const again = standingAgain(change.formerPersons ?? [], was, is);
  const { clusters, reviews } = settledAnew(again === undefined ? change : takenBack(change, again, is));
  const changed = change.changed.map(({ id }) => id);
  const former = formerPersons({ clusters: change.clusters, changed, said: was }, { clusters, said: is });
  return {
    clusters,
    reviews: again === undefined ? reviews : reviewsAgain(change, clusters),
    ...(again === undefined ? {} : { again }),
    ...(former === undefined ? {} : { former }),
  };
}

/** Reviews of those that change, and of others who are other persons again: of these the later one beside the first. */
function reviewsAgain(change: Change, clusters: readonly Cluster[]): readonly Contradiction[] {
  const verdicts = indexVerdicts(change.verdicts);
  const changed = new Set(change.changed.map(({ id }) => id));
  const others = new Set(otherThan(change.clusters, clusters).flat());
  const since = new Map(clusters.flat().map(({ id, ...one }) => [id, one.since]));
  return clusters.flat().flatMap((one) => {
    if (changed.has(one.id)) return reviewsOf(one, clusters, verdicts);
    const all = others.has(one) ? reviewsOf(one, clusters, verdicts) : [];
    return all.filter(({ other }) => (since.get(other) ?? Infinity) < one.since);
  });
}

function saidIn({ clusters, changed, verdicts, formerVerdicts = verdicts }: Change): Record<'was' | 'is', Sayings> {
  return {
    was: sayingsOf(clusters.flat(), formerVerdicts),
    is: sayingsOf([...clusters.flat(), ...changed], verdicts),
  };
}

/** A change that takes another back: the persons of then, to whom those come who came to them since. */
function takenBack(change: Change, former: FormerPersons, is: Sayings): Change {
  const { clusters, changed, verdicts } = change;
  const ids = new Set(former.persons.flat());
  const isTheirs = (cluster: Cluster): boolean => cluster.some(({ id }) => ids.has(id));
  const now = sayingsOf([...clusters.filter(isTheirs).flat(), ...changed], verdicts).identities;
  const said = indexVerdicts(verdicts);
  const persons = former.persons.map((all) => all.flatMap((id) => is.identities.get(id) ?? []));
  return {
    ...change,
    clusters: [
      ...clusters.filter((cluster) => !isTheirs(cluster)),
      ...persons.flatMap((cluster) => fallApart(cluster, said)),
    ],
    changed: [...now.values()].filter(({ id }) => !ids.has(id)),
  };
}

function settledAnew({ clusters, changed, removed = [], verdicts, isPartial = false }: Change) {
  const said = indexVerdicts(verdicts);
  const out = new Set([...changed.map(({ id }) => id), ...removed]);
  let state = inOrder(clusters).flatMap((cluster) => takenOut(cluster, out, said));
  const reviews: Contradiction[] = [];
  for (const one of [...changed].sort(byAge)) {
    const placed = place(one, state, { before: beforeOf(one, clusters, said), verdicts: said, isPartial });
    state = placed.clusters;
    reviews.push(...placed.reviews);
  }
  const settled = inOrder(ripened(state, { verdicts: said, isPartial }));
  return { clusters: settled, reviews: stillOpen(reviews, settled) };
}

function takenOut(cluster: Cluster, out: ReadonlySet<string>, verdicts: Verdicts): Cluster[] {
  const rest = cluster.filter(({ id }) => !out.has(id));
  return rest.length === cluster.length ? [cluster] : fallApart(rest, verdicts);
}

/** Whom a verdict alone had made one with it is none of those whom it stays with when that ends. */
function beforeOf({ id }: Identity, clusters: readonly Cluster[], verdicts: Verdicts): Before {
  const holds = (cluster: Cluster): boolean => cluster.some((one) => one.id === id);
  const former = clusters.find(holds) ?? [];
  const mates = fallApart(former, verdicts).find(holds) ?? [];
  return { said: former.find((one) => one.id === id), mates: new Set(mates.map((one) => one.id)) };
}

/** In whatever order they are named, the same follows. */
function inOrder(clusters: readonly Cluster[]): Cluster[] {
  return clusters.map((cluster) => [...cluster].sort(byAge)).sort(byOldest);
}

function byOldest(one: Cluster, other: Cluster): number {
  const [first, second] = [oldestOf(one), oldestOf(other)];
  return first === undefined || second === undefined ? 0 : byAge(first, second);
}

type Rules = { readonly verdicts: Verdicts; readonly isPartial: boolean };

/** Joins what can join, until nothing can. */
function ripened(clusters: readonly Cluster[], rules: Rules): Cluster[] {
  let state = [...clusters];
  for (let parts = nextJoin(state, rules); parts !== undefined; parts = nextJoin(state, rules))
    state = joined(state, parts);
  return state;
}

/**
 * The next clusters that become one: by a verdict, or as all that identities of different clusters lead to whose
 * numbers meet. One that leads to somebody else as well joins neither, from both sides.
 */
function nextJoin(clusters: readonly Cluster[], { verdicts, isPartial }: Rules): readonly Cluster[] | undefined {
  const areOne = (parts: readonly Cluster[]): boolean =>
    parts.length > 1 && contradictionBetween(parts, verdicts) === undefined;
  return pairOfVerdict(clusters, verdicts) ?? (isPartial ? undefined : meetingsOf(clusters).find(areOne));
}

function pairOfVerdict(clusters: readonly Cluster[], verdicts: Verdicts): readonly Cluster[] | undefined {
  const clusterOf = new Map(clusters.flatMap((cluster) => cluster.map(({ id }) => [id, cluster] as const)));
  for (const { id } of clusters.flat().sort(byAge)) {
    const own = clusterOf.get(id);
    for (const named of verdicts.sameAs(id)) {
      const other = clusterOf.get(named);
      if (own && other && own !== other && !isForbidden(own, other, verdicts)) return [own, other];
    }
  }
  return undefined;
}

/** Reviews of identities that did not become one person after all, each once. */
function stillOpen(reviews: readonly Contradiction[], clusters: readonly Cluster[]): readonly Contradiction[] {
  const placeOf = new Map(clusters.flatMap((cluster, at) => cluster.map(({ id }) => [id, at] as const)));
  const open = reviews.filter(({ one, other }) => placeOf.get(one) !== placeOf.get(other));
  return [...new Map(open.map((review) => [[review.one, review.other].sort().join(' '), review])).values()];
}
