/** Whom a Consent names: by the file of each type, a person, a role, or an organization for its members. */
import type { ConsentProvision } from '@medplum/fhirtypes';
import type { ActorKind } from '../types/fhir-type.ts';
import { fhirType, isStoredType, STORED_TYPES, type StoredType } from '../types/visibility.ts';

/** The types of actors. */
export const ACTOR_TYPES = STORED_TYPES.filter((type) => fhirType(type).actor !== undefined);

/** One that is named by its reference `Type/id`. */
export type Actor = {
  readonly kind: ActorKind;
  readonly type: StoredType;
  readonly id: string;
  readonly reference: string;
};

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
