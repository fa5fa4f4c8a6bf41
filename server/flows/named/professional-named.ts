/** Who of the directory is meant by a name with a number. */
import type { Practitioner, Reference } from '@medplum/fhirtypes';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { bearersOf } from '../consent/named-actors.ts';
import { displayNameOf } from '../directory/directory-changes.ts';

/**
 * The only active professional who bears the number, in whatever form, as the directory writes the name. Undefined of a
 * name alone, and of a number that is nobody's or several people's.
 */
export async function professionalNamed(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  { identifier = {} }: Reference,
): Promise<Reference<Practitioner> | undefined> {
  const [one, ...others] = await bearersOf({ deps: { records }, reading }, person, identifier, ['Practitioner']);
  if (one === undefined || others.length > 0) return undefined;
  const display = displayNameOf(one.resource);
  return { reference: `Practitioner/${one.row.id}`, ...(display === undefined ? {} : { display }) };
}
