/** Under what else a patient may have spoken of somebody: by a number, a role, or an organization. */
import type { Identifier, Organization, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { actorOf, isOfDirectory } from '../../../profiles/consent/actors.ts';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { isHeld } from '../identity/held-roles.ts';
import { findAll, findById } from '../internal-reads.ts';

/** What some actors go by. */
export type NamesOfActors = {
  /** Theirs, of the roles that they hold, the organizations of these, and those of which they are parts. */
  readonly references: ReadonlySet<string>;
  /** The actor (a reference) by each form of each number, as {@link numberKey}. */
  readonly byNumber: ReadonlyMap<string, string>;
};

/** A number as a key; undefined of one that is not whole. */
export function numberKey({ system, value }: Identifier): string | undefined {
  return system === undefined || value === undefined ? undefined : `${system}|${value}`;
}

/** Departments within departments: more are not looked at. */
const MOST_WHOLES = 10;

/** Reads them from the directory, as it is now. */
export async function namesOfActors(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  actors: readonly string[],
): Promise<NamesOfActors> {
  const references = new Set(actors);
  const byNumber = new Map<string, string>();
  for (const reference of actors) {
    const actor = actorOf(reference);
    if (actor === undefined || !isOfDirectory(actor)) continue;
    const found = await findById<Resource>(records, reading, actor.type, actor.id);
    const { identifier = [] } = (found?.resource ?? {}) as { readonly identifier?: readonly Identifier[] };
    for (const { system, value } of identifier)
      if (system !== undefined && value !== undefined)
        for (const form of formsOfNumber({ system, value })) byNumber.set(numberKey(form) ?? '', reference);
    if (actor.type !== 'Practitioner') continue;
    for (const name of await rolesOf(records, reading, person, reference)) references.add(name);
  }
  return { references, byNumber };
}

async function rolesOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  practitioner: string,
): Promise<readonly string[]> {
  const grant = reading({ person });
  const where = [{ kind: 'reference', param: 'practitioner', values: [practitioner] }] as const;
  const names: string[] = [];
  for (const { row, resource } of await findAll<PractitionerRole>(records, grant, 'PractitionerRole', where)) {
    if (!isHeld(resource, grant.now)) continue;
    names.push(`PractitionerRole/${row.id}`);
    let part = resource.organization?.reference;
    for (let depth = 0; part !== undefined && depth < MOST_WHOLES; depth += 1) {
      names.push(part);
      const id = part.replace(/^Organization\//, '');
      part = (await findById<Organization>(records, reading, 'Organization', id))?.resource.partOf?.reference;
    }
  }
  return names;
}
