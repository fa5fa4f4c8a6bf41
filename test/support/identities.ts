/** Identities of tests, made of what a source says as the product makes them: the row of each, and her one Patient. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import type { PersonKey } from '../../server/access/requester.ts';
import { newIdentity } from '../../server/flows/identity/persons.ts';
import type { PlaceDeps } from '../../server/flows/identity/identity-change.ts';
import { placeIdentity } from '../../server/flows/identity/place-identity.ts';
import { joinParts } from '../../server/flows/write/plan-parts.ts';
import { NOW } from './plans.ts';
import { commitPlan } from './warrants.ts';

/** What a source (`Organization/id`) says of somebody under an identifier of its own; `said.id` names her Patient. */
export type SaidIdentity = {
  readonly source: string;
  readonly own: Required<Pick<Identifier, 'system' | 'value'>>;
  readonly said: Patient & { readonly id: string };
};

/** Writes a new identity, and answers who it is. */
export async function registerIdentity(deps: PlaceDeps, { source, own, said }: SaidIdentity): Promise<PersonKey> {
  const content = newIdentity({ id: said.id, said, source, own, fromImage: false }, NOW);
  const { parts, person } = await placeIdentity(deps, { content, standing: undefined }, NOW);
  await commitPlan(deps.records, joinParts(parts));
  return person;
}
