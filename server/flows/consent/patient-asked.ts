/**
 * Of whom an operation on a record is: the patient speaks of herself, who represents her of her, an establishment of a
 * patient that it feeds.
 */
import { Fault } from '../../../profiles/fault.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import { speaksForPatient, type EstablishmentRequester, type SpeakingRequester } from '../../access/requester.ts';
import type { GuardDeps } from '../guard.ts';
import { filingPatient, subjectFacts } from '../identity/persons.ts';

/**
 * The Patient that an establishment names, or the patient's own; undefined when there is none.
 * @throws {Fault} required - an establishment names nobody
 */
export async function patientAsked(
  { records }: Pick<GuardDeps, 'records'>,
  reading: NarrowReading,
  requester: SpeakingRequester | EstablishmentRequester,
  asked: string | undefined,
  now: number,
): Promise<SubjectFacts | undefined> {
  const own = speaksForPatient(requester) ? requester.patient : undefined;
  const patient = asked ?? own;
  if (patient === undefined)
    throw new Fault('required', 'The parameter patient is missing', { expression: 'Parameters.parameter' });
  const known = await filingPatient(records, reading, requester, patient, now);
  return known && (await subjectFacts(records, reading, requester, known));
}
