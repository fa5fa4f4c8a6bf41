/** Identities after they were settled, by the person that they are. */
import { oldestOf, type Identity, type Verdict } from '../../../profiles/identity/identity.ts';
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import type { Move } from '../../ports/commit-plan.ts';
import type { StandingIdentity } from './identities.ts';

/** A person as she is to be: her Patient, her identities, and which of them move to her. */
export type Group = {
  readonly person: PersonKey;
  readonly present: string;
  readonly members: readonly { readonly id: string; readonly content: IdentityContent; readonly isMoved: boolean }[];
  readonly moves: readonly Move[];
};

/** A person is her oldest identity. */
export function groupOf(
  members: readonly Identity[],
  contents: ReadonlyMap<string, IdentityContent>,
  standing: ReadonlyMap<string, StandingIdentity>,
): Group {
  const all = members.flatMap(({ id }) => contents.get(id) ?? []);
  const oldest = all.find(({ id }) => id === oldestOf(members)?.id);
  if (oldest === undefined) throw new Error('A person has no identity');
  const [person, present] = [personKey(oldest.home), `Patient/${oldest.id}`];
  const moved = all.flatMap((content): Move[] => {
    const home = personKey(content.home);
    const from = standing.get(content.id)?.person ?? home;
    return from === person ? [] : [{ identity: `Patient/${content.id}`, home, from, to: person, patient: present }];
  });
  const isMoved = (id: string): boolean => moved.some(({ identity }) => identity === `Patient/${id}`);
  return {
    person,
    present,
    members: all.map((content) => ({ id: content.id, content, isMoved: isMoved(content.id) })),
    moves: moved,
  };
}

/**
 * What a source says of two of its own, then what desks said of two identities: of the same two the last counts, in
 * whatever order identities were read.
 */
export function verdictsOf(contents: readonly IdentityContent[]): readonly Verdict[] {
  const merges = contents.flatMap(({ id, replacedBy }) =>
    replacedBy === undefined ? [] : [{ one: id, other: replacedBy, same: true }],
  );
  const decided = contents.flatMap(({ id, verdicts }) => verdicts.map(({ other, same }) => ({ one: id, other, same })));
  return [...merges, ...decided];
}

/** Whoever was a person before, or is one after, with her Patient; who is made by the plan is nobody yet. */
export function touchedOf(
  groups: readonly Group[],
  moves: readonly Move[],
  standing: ReadonlyMap<string, StandingIdentity>,
): ReadonlyMap<PersonKey, string> {
  const before = new Map([...standing.values()].map(({ person, present }) => [person, present]));
  const left = moves.flatMap(({ from }): [PersonKey, string][] => {
    const present = before.get(from);
    return present === undefined ? [] : [[from, present]];
  });
  return new Map([...left, ...groups.map(({ person, present }): [PersonKey, string] => [person, present])]);
}
