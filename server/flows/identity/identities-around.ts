/** The identities that have to be looked at when some are said anew. */
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { identitiesOf, identitiesWith, identityAt, readAs, type StandingIdentity } from './identities.ts';
import type { IdentityChange, PlaceDeps } from './identity-change.ts';

/** Identities that are looked at around one: a number that more bear is no number of a person. */
const MOST_AROUND = 300;

/** The identities that were read. Where more bear the numbers than one person can have, some are missing. */
export type Around = { readonly identities: readonly StandingIdentity[]; readonly isPartial: boolean };

/** The identities that those of a change lead to by numbers and verdicts, with all of the persons that they are. */
export async function identitiesAround(
  { records, region }: PlaceDeps,
  changes: readonly IdentityChange[],
  now: number,
): Promise<Around> {
  const known = new Map<string, StandingIdentity>();
  const persons = new Set<PersonKey>();
  const asked = new Set<string>();
  let reached: readonly IdentityContent[] = changes.flatMap(({ content, standing }) => [
    content,
    ...(standing === undefined ? [] : [standing.content]),
  ]);
  for (const { standing } of changes) if (standing !== undefined) await addPerson(standing.person);
  while (reached.length > 0) {
    const numbers = reached.flatMap((one) => readAs(region, one).numbers.filter(({ isQualified }) => isQualified));
    const fresh = numbers.filter(({ system, value }) => !asked.has(`${system}|${value}`));
    for (const { system, value } of fresh) asked.add(`${system}|${value}`);
    const before = new Set(known.keys());
    for (const { person } of await identitiesWith(records, fresh, now)) await addPerson(person);
    for (const id of reached.flatMap(othersOf)) await addPersonOf(id);
    reached = [...known].flatMap(([id, one]) => (before.has(id) ? [] : [one.content]));
    if (known.size > MOST_AROUND) return { identities: [...known.values()], isPartial: true };
  }
  return { identities: [...known.values()], isPartial: false };

  async function addPersonOf(id: string): Promise<void> {
    const reading = systemReading('resolve-identity', now);
    const identity = known.has(id) ? undefined : await identityAt(records, reading, `Patient/${id}`);
    if (identity !== undefined) await addPerson(identity.person);
  }

  async function addPerson(person: PersonKey): Promise<void> {
    if (persons.has(person)) return;
    persons.add(person);
    for (const one of await identitiesOf(records, person, now)) known.set(one.content.id, one);
  }
}

/** The identities that one is said to be, or not to be, or was. */
function othersOf({ verdicts, replacedBy, formerly }: IdentityContent): readonly string[] {
  return [...verdicts.map(({ other }) => other), replacedBy, formerly].filter((id) => id !== undefined);
}
