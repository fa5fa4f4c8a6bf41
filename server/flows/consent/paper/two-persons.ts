/** What one person files another one decides. */
import type { Practitioner, Task } from '@medplum/fhirtypes';
import { Fault } from '../../../../profiles/fault.ts';
import { mayBeSameHuman } from '../../../../profiles/same-human.ts';
import type { NarrowReading } from '../../../access/grant.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { findById } from '../../internal-reads.ts';

/**
 * Requires that who decides a Task (`officer`, a reference) is another person than filed it: two accounts of one person
 * are one; of homonyms another colleague decides.
 * @throws {Fault} forbidden
 */
export async function requireTwo(
  records: RecordStore,
  reading: NarrowReading,
  { requester }: Task,
  officer: string,
): Promise<void> {
  const practitioner = async (reference = ''): Promise<Practitioner | undefined> => {
    const id = reference.replace(/^Practitioner\//, '');
    return (await findById<Practitioner>(records, reading, 'Practitioner', id))?.resource;
  };
  const [first, second] = [await practitioner(requester?.reference), await practitioner(officer)];
  if (second !== undefined && (first === undefined || !mayBeSameHuman(first, second))) return;
  throw new Fault('forbidden', 'It is confirmed by another person than recorded it: a colleague does');
}
