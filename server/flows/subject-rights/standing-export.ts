/** An export that is under way, as its patient and nobody else finds it. */
import type { Task } from '@medplum/fhirtypes';
import { isOpenExport } from '../../../profiles/consent/record-export.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading } from '../../access/grant.ts';
import { requirePatient } from '../../access/may-attempt.ts';
import type { PatientRequester, PersonKey } from '../../access/requester.ts';
import { isRowSeen } from '../aside/seen.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import { findById, type Found } from '../internal-reads.ts';

/** The export, and who it is of. */
export type StandingExport = Found<Task> & { readonly requester: PatientRequester; readonly person: PersonKey };

/**
 * Reads an export (Task id) for who asks. It stands until it is cancelled or over, the record is to be erased or the
 * account is off; what stands is asked anew each time.
 * @throws {Fault} forbidden - no patient asks
 * @throws {Fault} not-found - no such export of hers, or it stands no more
 */
export async function standingExport(deps: GuardDeps, visit: Visit, id: string): Promise<StandingExport> {
  const requester = requirePatient(visit.requester, 'portability');
  const now = deps.clock.now();
  const reading = systemReading('export-record', now);
  const found = await findById<Task>(deps.records, reading, 'Task', id);
  const person = found?.row.person;
  if (found === undefined || person === undefined || person !== requester.person) throw absent();
  if (!isOpenExport(found.resource, now) || !(await isRowSeen(deps, visit, reading, found.row))) throw absent();
  const { erasurePending, accountOff } = await deps.records.stateOf(reading({ person }), person);
  if (erasurePending || accountOff) throw absent();
  return { ...found, requester, person };
}

/** The refusal of an export that is not there, another's, or over: it tells not which. */
export function absent(): Fault {
  return new Fault('not-found', 'No such resource');
}
