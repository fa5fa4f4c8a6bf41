/** What notices call those who may read a record from now on. */
import type { PractitionerRole, Reference } from '@medplum/fhirtypes';
import type { Newcomers } from '../../../profiles/notices/news.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import type { NarrowReading } from '../../access/grant.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import { rowById } from '../internal-reads.ts';

/** Those whom the directory knows, by the names that it has of them. */
export async function newcomersOf(
  records: RecordStore,
  reading: NarrowReading,
  references: readonly (Reference | undefined)[],
): Promise<Newcomers> {
  const known: { readonly reference: string; readonly display: string }[] = [];
  for (const { reference = '' } of references.map((one) => one ?? {})) {
    const display = await nameOf(records, reading, reference);
    if (display !== undefined) known.push({ reference, display });
  }
  return known;
}

/** A role is called by whose it is, and where. */
async function nameOf(records: RecordStore, reading: NarrowReading, reference: string): Promise<string | undefined> {
  const [type = '', id = ''] = reference.split('/');
  const row = isStoredType(type) ? await rowById(records, reading, type, id) : undefined;
  if (row === undefined) return undefined;
  if (type !== 'PractitionerRole') return displayNameOf(openedResource(row));
  const { practitioner, organization } = openedResource<PractitionerRole>(row);
  const who = await nameOf(records, reading, practitioner?.reference ?? '');
  const where = await nameOf(records, reading, organization?.reference ?? '');
  return who === undefined ? where : [who, ...(where === undefined ? [] : [`(${where})`])].join(' ');
}
