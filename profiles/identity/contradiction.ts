/**
 * What keeps identities from being one person: traits that do not agree, two current values of one qualified system, or
 * the desk. Identities that joined by a verdict alone bear no number that joins, and their traits are not compared.
 *
 * A verdict that two identities are one person says that what each of them says is true of her. So it excuses what
 * contradicts between these two, and between any two that agree with one of them each.
 */
import { joiningNumbers, type Identity, type Verdict } from './identity.ts';
import { readHistory, type NumberHistory } from './number-history.ts';
import { traitsAgree } from './traits.ts';

/** Why two identities stay apart though a number is theirs both. `two-persons`: numbers lead to two persons. */
export type Rule = 'verdict' | 'numbers' | 'traits' | 'two-persons';

/** Two identities (their ids) that stay apart. */
export type Contradiction = { readonly one: string; readonly other: string; readonly rule: Rule };

/** What the desk has said, by the ids of both. */
export type Verdicts = {
  /** Returns what is said of two identities; undefined when nothing is. */
  readonly about: (one: string, other: string) => boolean | undefined;
  /** The ids of those whom the desk called the same person as this one, in an order that says nothing of when. */
  readonly sameAs: (id: string) => readonly string[];
};

/** Indexes verdicts. Of several about the same two, the last counts. */
export function indexVerdicts(verdicts: readonly Verdict[]): Verdicts {
  const byOne = new Map<string, Map<string, boolean>>();
  for (const { one, other, same } of verdicts) {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const)
      byOne.set(from, (byOne.get(from) ?? new Map<string, boolean>()).set(to, same));
  }
  return {
    about: (one, other) => byOne.get(one)?.get(other),
    sameAs: (id) => [...(byOne.get(id) ?? [])].flatMap(([other, same]) => (same ? [other] : [])).sort(),
  };
}

/**
 * Returns the first contradiction between identities of different parts, were the parts one person; undefined when
 * there is none. Within a part nothing is compared.
 */
export function contradictionBetween(
  parts: readonly (readonly Identity[])[],
  verdicts: Verdicts,
): Contradiction | undefined {
  const judge = judgeOf(parts.flat(), verdicts);
  const before: Identity[] = [];
  for (const part of parts) {
    for (const one of part) {
      for (const other of before) {
        const rule = judge.ruleOf(one, other);
        if (rule !== undefined) return { one: one.id, other: other.id, rule };
      }
    }
    before.push(...part);
  }
  return undefined;
}

type Judge = { readonly ruleOf: (one: Identity, other: Identity) => Rule | undefined };

/** Judges pairs of a union by all that its members say. */
function judgeOf(union: readonly Identity[], verdicts: Verdicts): Judge {
  const history = readHistory(union);
  const sayings = sayingsOf(union);
  const known = new Map<number, Rule | undefined>();
  const plainRule = (one: Identity, other: Identity): Rule | undefined => {
    const key = (sayings.get(one) ?? 0) * union.length + (sayings.get(other) ?? 0);
    if (!known.has(key)) known.set(key, ruleBetween(one, other, history));
    return known.get(key);
  };
  // What is not compared agrees with nobody: else it would excuse everybody.
  const agree = (one: Identity, other: Identity): boolean =>
    [one, other].every((each) => joiningNumbers(each).length > 0) && plainRule(one, other) === undefined;
  const excuses = excusing(union, verdicts, agree);
  return {
    ruleOf: (one, other) => {
      if (verdicts.about(one.id, other.id) === false) return 'verdict';
      const rule = plainRule(one, other);
      return rule === undefined || excuses(one, other) ? undefined : rule;
    },
  };
}

/** Numbers what identities say: sources mostly say the same of a person, so each pair of sayings is judged once. */
function sayingsOf(union: readonly Identity[]): ReadonlyMap<Identity, number> {
  const places = new Map<string, number>();
  const texts = union.map((one) => JSON.stringify([joiningNumbers(one), one.traits]));
  for (const text of texts) if (!places.has(text)) places.set(text, places.size);
  return new Map(union.map((one, at) => [one, places.get(texts[at] ?? '') ?? 0]));
}

function ruleBetween(one: Identity, other: Identity, history: NumberHistory): Rule | undefined {
  const [some, others] = [joiningNumbers(one), joiningNumbers(other)];
  if (some.length === 0 || others.length === 0) return undefined;
  if (some.some((number) => others.some((further) => history.contradict(number, further)))) return 'numbers';
  const ignoresSex = history.isOfFormerTimes(some, others);
  return traitsAgree(one.traits, other.traits, { ignoresSex }) ? undefined : 'traits';
}

type Pair = (one: Identity, other: Identity) => boolean;

/**
 * Whether two identities are excused: verdicts, and what agrees with both ends of them, lead from one to the other. Who
 * hangs together by that is worked out once, for a source may have merged hundreds of its identities.
 */
function excusing(union: readonly Identity[], verdicts: Verdicts, agree: Pair): Pair {
  let groups: readonly Identity[][] | undefined;
  const known = new Map<Identity, readonly Identity[][]>();
  const groupsOf = (one: Identity): readonly Identity[][] => {
    groups ??= verdictGroups(union, verdicts, agree);
    const found = known.get(one) ?? groups.filter((group) => group.some((each) => each === one || agree(each, one)));
    known.set(one, found);
    return found;
  };
  return (one, other) => groupsOf(one).some((group) => groupsOf(other).includes(group));
}

/** The groups of those whom verdicts name beside one another, which hang together by verdicts and by agreement. */
function verdictGroups(union: readonly Identity[], verdicts: Verdicts, agree: Pair): Identity[][] {
  const ids = new Set(union.map(({ id }) => id));
  const left = new Set(union.filter(({ id }) => verdicts.sameAs(id).some((other) => ids.has(other))));
  const groups: Identity[][] = [];
  for (const first of left) {
    const group = new Set([first]);
    for (const one of group) {
      left.delete(one);
      for (const other of left) if (verdicts.about(one.id, other.id) === true || agree(one, other)) group.add(other);
    }
    groups.push([...group]);
  }
  return groups;
}
