/** Patient as patientId, sourcePatientId and sourcePatientInfo. @see ITI TF-3 4.2.3.2.16, .22, .23 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { oidOf } from '../../profiles/codes.ts';
import { escapeHl7, formatCx, formatDtm } from './hl7-types.ts';

/** PID-8 of FHIR's gender (HL7 v2 table 0001). */
const PID_8 = { male: 'M', female: 'F', other: 'O', unknown: 'U' } as const;

/** Returns the CX of an identifier; undefined when it has no value, or its system is no OID. */
export function toPatientCx({ system, value }: Identifier): string | undefined {
  const assigningAuthority = oidOf(system);
  return value === undefined || assigningAuthority === undefined ? undefined : formatCx({ value, assigningAuthority });
}

/**
 * Returns the CX by which the source knows a patient: the first that is not the patient id of the affinity domain,
 * which the source may list, too; undefined when there is none.
 */
export function toSourcePatientId(identifiers: readonly Identifier[] = [], patientId: string): string | undefined {
  const known = identifiers.map(toPatientCx).filter((cx) => cx !== undefined);
  return known.find((cx) => cx !== patientId) ?? known[0];
}

/** Returns the PID lines of sourcePatientInfo: PID-3, 5, 7 and 8, each where known. */
export function toSourcePatientInfo(patient: Patient, patientId: string): string[] {
  const cx = toSourcePatientId(patient.identifier, patientId);
  const name = patient.name?.[0];
  const birthDate = patient.birthDate === undefined ? undefined : formatDtm(patient.birthDate);
  const fullName = [name?.family ?? name?.text ?? '', name?.given?.join(' ') ?? ''].map(escapeHl7).join('^');
  return [
    ...(cx === undefined ? [] : [`PID-3|${cx}`]),
    ...(fullName === '^' ? [] : [`PID-5|${fullName}^^^`]),
    ...(birthDate === undefined ? [] : [`PID-7|${birthDate}`]),
    ...(patient.gender === undefined ? [] : [`PID-8|${PID_8[patient.gender]}`]),
  ];
}
