/** Patient as patientId, sourcePatientId and sourcePatientInfo. @see ITI TF-3 4.2.3.2.16, .22, .23 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { oidOf } from '../../profiles/codes.ts';
import { escapeHl7, formatCx, formatDtm } from './hl7-types.ts';

/** PID-8 of FHIR's gender (HL7 v2 table 0001). */
const PID_8 = { male: 'M', female: 'F', other: 'O', unknown: 'U' } as const;

/**
 * Returns the CX of a patient: of the domain asked for where the patient has one there, else the first one whose
 * system is an OID; undefined when there is none.
 */
export function toPatientCx(identifiers: readonly Identifier[] = [], domain?: string): string | undefined {
  const known = identifiers.filter(({ system, value }) => value !== undefined && oidOf(system) !== undefined);
  const chosen = known.find(({ system }) => oidOf(system) === domain) ?? known[0];
  const assigningAuthority = oidOf(chosen?.system);
  if (chosen?.value === undefined || assigningAuthority === undefined) return undefined;
  return formatCx({ value: chosen.value, assigningAuthority });
}

/** Returns the PID lines of sourcePatientInfo: PID-3, 5, 7 and 8, each where known. */
export function toSourcePatientInfo(patient: Patient): string[] {
  const cx = toPatientCx(patient.identifier);
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
