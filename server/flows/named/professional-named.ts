/** Who of the directory is meant by a name with a number. */
import type { Practitioner, Reference } from '@medplum/fhirtypes';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import { numberToken } from '../../../profiles/search/criterion.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import { findAll } from '../internal-reads.ts';

/**
 * The only active professional who bears the number, in whatever form, as the directory writes the name. Undefined of a
 * name alone, and of a number that is nobody's or several people's.
 */
export async function professionalNamed(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  { identifier: { system, value } = {} }: Reference,
): Promise<Reference<Practitioner> | undefined> {
  if (system === undefined || value === undefined) return undefined;
  const values = formsOfNumber({ system, value }).map(numberToken);
  const found = await findAll<Practitioner>(records, reading({ person }), 'Practitioner', [
    { kind: 'token', param: 'identifier', values },
  ]);
  const [one, ...others] = found.filter(({ resource }) => resource.active !== false);
  if (one === undefined || others.length > 0) return undefined;
  const display = displayNameOf(one.resource);
  return { reference: `Practitioner/${one.row.id}`, ...(display === undefined ? {} : { display }) };
}
