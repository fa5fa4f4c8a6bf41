/**
 * Who was who before a change. Where identities contradict one another it rests on who was first, and on what was said
 * meanwhile: the rules alone do not always bring it back when the change is taken back. So it is kept then, with a
 * digest of all that was said.
 */
import { createHash } from 'node:crypto';
import { canonicalText } from '../canonical-text.ts';
import type { Cluster } from './clusters.ts';
import type { Identity, Verdict } from './identity.ts';

/**
 * Persons who became others by a change, and those of whom it says something else, by the ids of their identities; a
 * digest of what was said of all of these.
 */
export type FormerPersons = { readonly persons: readonly (readonly string[])[]; readonly digest: string };

/** Identities (by id) and the verdicts about them at one time. */
export type Sayings = { readonly identities: ReadonlyMap<string, Identity>; readonly verdicts: readonly Verdict[] };

/** Gathers what is said: of identities that are named twice, the later counts. */
export function sayingsOf(identities: readonly Identity[], verdicts: readonly Verdict[]): Sayings {
  return { identities: new Map(identities.map((one) => [one.id, one])), verdicts };
}

/** Who is who, and what was said of these; `changed`: ids of those that change. */
type Around = { readonly clusters: readonly Cluster[]; readonly changed: readonly string[]; readonly said: Sayings };

/** What is to be kept of who was who; undefined when all stand, and nothing else is said of them. */
export function formerPersons(
  { clusters, changed, said }: Around,
  after: Pick<Around, 'clusters' | 'said'>,
): FormerPersons | undefined {
  const gone = otherThan(after.clusters, clusters);
  const all = clusters.filter((one) => gone.includes(one) || one.some(({ id }) => changed.includes(id)));
  const persons = all.map((cluster) => cluster.map(({ id }) => id));
  const digest = digestOf(persons.flat(), said);
  return gone.length === 0 && digestOf(persons.flat(), after.said) === digest ? undefined : { persons, digest };
}

/** Three changes of an identity in a row can be taken back so that it leaves no trace: each way keeps as many. */
const MOST_KEPT = 6;

/** What is kept of an identity that changed, the latest first. Of the same said twice the later counts. */
export function keptOf(kept: readonly FormerPersons[], former: FormerPersons): readonly FormerPersons[] {
  return [former, ...kept.filter(({ digest }) => digest !== former.digest)].slice(0, MOST_KEPT);
}

/**
 * Who was who when just this was said of them as it is now, and was not before the change that is being made: of
 * several what tells of most identities, of such the latest.
 */
export function standingAgain(kept: readonly FormerPersons[], was: Sayings, is: Sayings): FormerPersons | undefined {
  const again = kept.filter(({ persons, digest }) => {
    const ids = persons.flat();
    return digestOf(ids, is) === digest && digestOf(ids, was) !== digest;
  });
  const sizeOf = ({ persons }: FormerPersons): number => persons.flat().length;
  return again.toSorted((one, other) => sizeOf(other) - sizeOf(one))[0];
}

/** The persons who are none of those that stood. */
export function otherThan(stood: readonly Cluster[], clusters: readonly Cluster[]): readonly Cluster[] {
  const keys = new Set(stood.map(keyOf));
  return clusters.filter((cluster) => !keys.has(keyOf(cluster)));
}

/** The ids of a person, the same in whatever order they are named. */
function keyOf(cluster: Cluster): string {
  return cluster
    .map(({ id }) => id)
    .sort()
    .join(' ');
}

function digestOf(ids: readonly string[], { identities, verdicts }: Sayings): string {
  const said = [...ids].sort().map((id) => {
    const { numbers, traits, isBarred } = identities.get(id) ?? {};
    return [id, numbers, traits, isBarred, verdictsAbout(id, verdicts)];
  });
  return createHash('sha256').update(canonicalText(said)).digest('base64url');
}

/** What is said of one and others, each once. */
function verdictsAbout(id: string, verdicts: readonly Verdict[]): readonly string[] {
  const about = verdicts.flatMap(({ one, other, same }) => {
    if (one !== id && other !== id) return [];
    return [`${one === id ? other : one} ${same}`];
  });
  return [...new Set(about)].sort();
}
