/**
 * A Consent that names a CareTeam of the patient: those who are in it have what is declared, as long as they are and
 * the Consent stands.
 * @see access.md
 */
import type { Consent } from '@medplum/fhirtypes';
import { actorOf, actorsOf, isOfDirectory, type DirectoryActor } from '../actors.ts';
import { membersOf } from '../record-circle.ts';
import type { TimeSpan } from '../time-span.ts';

/** Who is in a team, by a reference, and when. */
export type TeamMember = TimeSpan & { readonly reference: string };

/** A team (`CareTeam/id`), and who is in it. */
export type NamedTeam = { readonly team: string; readonly members: readonly TeamMember[] };

/** The team (`CareTeam/id`) that a Consent names; undefined of none. One that is read names one at most. */
export function teamNamed({ provision = {} }: Pick<Consent, 'provision'>): string | undefined {
  return actorsOf(provision).find(({ kind }) => kind === 'team')?.reference;
}

/** A CareTeam (`id`) as it is named. Bare days are those of `zone` (IANA), or of UTC. */
export function namedTeam(id: string, careTeam: object, zone?: string): NamedTeam {
  const members = membersOf(careTeam, zone).map(({ actor: { reference }, from, to }) => ({ reference, from, to }));
  return { team: `CareTeam/${id}`, members };
}

/** Whether a team has somebody, or for longer, whom the one before it did not. Teams of any size may be compared. */
export function takesInFurther({ members }: NamedTeam, before: NamedTeam): boolean {
  const had = before.members.map((member) => ({ member, isHad: true }));
  const all = [...had, ...members.map((member) => ({ member, isHad: false }))];
  // Of each the last end of those times that began by then: of one moment those that it had come first.
  const ends = new Map<string, number>();
  for (const { member, isHad } of all.toSorted((one, other) => one.member.from - other.member.from)) {
    const { reference, to } = member;
    const end = ends.get(reference) ?? -Infinity;
    if (isHad) ends.set(reference, Math.max(end, to));
    else if (end < to) return true;
  }
  return false;
}

/** Those of a team who are in it in a time, each in what both leave. */
export function membersWithin(
  { members }: NamedTeam,
  time: TimeSpan,
): readonly (TimeSpan & { readonly actor: DirectoryActor })[] {
  return members.flatMap(({ reference, ...own }) => {
    const actor = actorOf(reference);
    const [from, to] = [Math.max(time.from, own.from), Math.min(time.to, own.to)];
    return actor === undefined || !isOfDirectory(actor) || from >= to ? [] : [{ actor, from, to }];
  });
}
