/**
 * Whom a Consent names, found in the directory: by reference, or by a number alone (a logical reference), which gets
 * the reference that it stands for.
 */
import type { Consent, ConsentProvisionActor, Identifier, Resource } from '@medplum/fhirtypes';
import { ACTOR_TYPES, actorOf, isOfDirectory, type Actor } from '../../../profiles/consent/actors.ts';
import { Fault } from '../../../profiles/fault.ts';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import { numberToken } from '../../../profiles/search/criterion.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { PersonKey } from '../../access/requester.ts';
import { findAll, findById, type Found } from '../internal-reads.ts';
import type { Work } from '../write/work.ts';

/** What looks into the directory. */
type Looking = Pick<Work, 'reading'> & { readonly deps: Pick<Work['deps'], 'records'> };

/** Each is looked up. */
export const MOST_ACTORS = 100;

/**
 * The Consent of a person with the reference of each actor. A number that the directory gives to nobody, or to several,
 * stays as it was sent.
 * @throws {Fault} invalid - a reference to an actor who is not in the directory
 * @throws {Fault} too-costly - more than MOST_ACTORS
 */
export async function actorsNamed<C extends Consent>(
  work: Looking,
  person: PersonKey | undefined,
  consent: C,
): Promise<C> {
  const { provision } = consent;
  if (provision?.actor === undefined || person === undefined) return consent;
  if (provision.actor.length > MOST_ACTORS)
    throw new Fault('too-costly', `A Consent names at most ${MOST_ACTORS} actors`, {
      expression: 'Consent.provision.actor',
    });
  const actor: ConsentProvisionActor[] = [];
  for (const one of provision.actor) actor.push(await named(work, person, one));
  return { ...consent, provision: { ...provision, actor } };
}

async function named(work: Looking, person: PersonKey, actor: ConsentProvisionActor): Promise<ConsentProvisionActor> {
  const { reference, identifier, type } = actor.reference;
  if (reference !== undefined) {
    const known = actorOf(reference);
    // A team is of the patient: whoever declares must see it (care/named-teams.ts).
    if (known !== undefined && isOfDirectory(known) && !(await stands(work, known))) throw unknown();
    return actor;
  }
  const found = identifier === undefined ? undefined : await numbered(work, person, identifier, typesOf(type));
  return found === undefined ? actor : { ...actor, reference: { ...actor.reference, reference: found } };
}

/** A number that says of what it is, is of that alone. */
function typesOf(type: string | undefined): readonly StoredType[] {
  return ACTOR_TYPES.filter((one) => type === undefined || one === type);
}

/** Whether an actor is in the directory. */
export async function stands({ deps, reading }: Looking, { type, id }: Actor): Promise<boolean> {
  return (await findById(deps.records, reading, type, id)) !== undefined;
}

/** The only one who bears a number, in whatever form. */
async function numbered(
  looking: Looking,
  person: PersonKey,
  identifier: Identifier,
  types: readonly StoredType[],
): Promise<string | undefined> {
  const [one, ...others] = await bearersOf(looking, person, identifier, types);
  return one === undefined || others.length > 0 ? undefined : `${one.row.type}/${one.row.id}`;
}

/** All of the directory who bear a number, in whatever form. Who has left it (not active) bears none. */
export async function bearersOf(
  { deps, reading }: Looking,
  person: PersonKey,
  { system, value }: Identifier,
  types: readonly StoredType[],
): Promise<readonly Found<Resource>[]> {
  if (system === undefined || value === undefined) return [];
  const where = [
    { kind: 'token', param: 'identifier', values: formsOfNumber({ system, value }).map(numberToken) },
  ] as const;
  const found: Found<Resource>[] = [];
  for (const type of types) found.push(...(await findAll(deps.records, reading({ person }), type, where)));
  return found.filter(({ resource }) => (resource as { readonly active?: boolean }).active !== false);
}

function unknown(): Fault {
  return new Fault('invalid', 'The Consent names somebody who is not in the directory', {
    expression: 'Consent.provision.actor',
  });
}
