/**
 * Whom a Consent names: by the file of each type, a person, a role, or an organization for its members; or a team of
 * the patient for those in it.
 */
import type { ConsentProvision } from '@medplum/fhirtypes';
import type { ActorKind } from '../types/fhir-type.ts';
import { fhirType, isStoredType, STORED_TYPES, type StoredType } from '../types/visibility.ts';

/** What an actor of the directory is: who is in a team is said elsewhere. */
export type DirectoryKind = Exclude<ActorKind, 'team'>;

/** The types of actors of the directory, whom a number may name, too. */
export const ACTOR_TYPES = STORED_TYPES.filter((type) => isDirectoryKind(fhirType(type).actor));

/** The types of teams, which a reference names alone. */
export const TEAM_TYPES = STORED_TYPES.filter((type) => fhirType(type).actor === 'team');

/** One that is named by its reference `Type/id`. */
export type Actor = {
  readonly kind: ActorKind;
  readonly type: StoredType;
  readonly id: string;
  readonly reference: string;
};

/** One of the directory. */
export type DirectoryActor = Actor & { readonly kind: DirectoryKind };

/** Whether an actor is of the directory. */
export function isOfDirectory(actor: Actor): actor is DirectoryActor {
  return isDirectoryKind(actor.kind);
}

function isDirectoryKind(kind: ActorKind | undefined): kind is DirectoryKind {
  return kind !== undefined && kind !== 'team';
}

/** Reads the reference of an actor; undefined of any other. */
export function actorOf(reference: string): Actor | undefined {
  const [, type = '', id = ''] = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(reference) ?? [];
  const kind = isStoredType(type) ? fhirType(type).actor : undefined;
  return !isStoredType(type) || kind === undefined ? undefined : { kind, type, id, reference };
}

/** The actors that a provision names by their reference, each once, in its order. */
export function actorsOf({ actor = [] }: Pick<ConsentProvision, 'actor'>): readonly Actor[] {
  const named = actor.flatMap(({ reference }) => actorOf(reference?.reference ?? '') ?? []);
  return [...new Map(named.map((one) => [one.reference, one])).values()];
}
