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

/** What is said at one time: identities by id, and all that is said of one (an id) as a text, the same of the same. */
export type Sayings = { readonly identities: ReadonlyMap<string, Identity>; readonly textOf: (id: string) => string };

/** Gathers what is said: of identities that are named twice, the later counts. Each text is made once. */
export function sayingsOf(all: readonly Identity[], verdicts: readonly Verdict[]): Sayings {
  const identities = new Map(all.map((one) => [one.id, one]));
  const about = verdictsById(verdicts);
  const texts = new Map<string, string>();
  const made = (id: string): string => {
    const { numbers, traits, isBarred } = identities.get(id) ?? {};
    return canonicalText([id, numbers, traits, isBarred, [...(about.get(id) ?? [])].sort()]);
  };
  const textOf = (id: string): string => {
    const text = texts.get(id) ?? made(id);
    texts.set(id, text);
    return text;
  };
  return { identities, textOf };
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

function digestOf(ids: readonly string[], { textOf }: Sayings): string {
  const said = [...ids].sort().map(textOf);
  return createHash('sha256').update(said.join('\n')).digest('base64url');
}

/** What is said of each identity (id) and others, each once. */
function verdictsById(verdicts: readonly Verdict[]): ReadonlyMap<string, ReadonlySet<string>> {
  const about = new Map<string, Set<string>>();
  for (const { one, other, same } of verdicts) {
    about.set(one, (about.get(one) ?? new Set<string>()).add(`${other} ${same}`));
    about.set(other, (about.get(other) ?? new Set<string>()).add(`${one} ${same}`));
  }
  return about;
}
