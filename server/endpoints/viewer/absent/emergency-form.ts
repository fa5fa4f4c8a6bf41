/** The form by which a professional declares an emergency: what was typed, and what is wrong with it. */
import { EMERGENCY_REASONS, isJustification } from '../../../flows/consent/break-glass.ts';
import type { Emergency } from '../../../flows/consent/emergency-parts.ts';
import type { PatientIdentifier } from './patient-identifiers.ts';

/** The fields, in the order of the page. */
export const EMERGENCY_FIELDS = ['system', 'identifier', 'reason', 'justification', 'confirmed'] as const;

/** One of them. */
export type EmergencyField = (typeof EMERGENCY_FIELDS)[number];

/** What was typed, by field; empty where nothing was. */
export type TypedEmergency = Readonly<Record<EmergencyField, string>>;

/** A form that nobody has filled in. */
export const NOTHING_TYPED: TypedEmergency = {
  system: '',
  identifier: '',
  reason: '',
  justification: '',
  confirmed: '',
};

/** Longest number of a patient. @see PS3.5 section 6.2, LO */
export const MAX_IDENTIFIER = 64;

/** What FHIR takes into no string. @see https://hl7.org/fhir/R4/datatypes.html#string */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/;

/** Takes the fields from a posted form. Browsers send the ends of lines as CR LF. */
export function typedEmergency(form: URLSearchParams): TypedEmergency {
  const typed = EMERGENCY_FIELDS.map((field) => [field, (form.get(field) ?? '').replaceAll('\r\n', '\n').trim()]);
  return Object.fromEntries(typed) as TypedEmergency;
}

/** The fields that have to be put right, in the order of the page. */
export function wrongFields(typed: TypedEmergency, known: readonly PatientIdentifier[]): readonly EmergencyField[] {
  const { system, reason, justification, confirmed } = typed;
  const identifier = identifierOf(typed, known);
  const isRight: Readonly<Record<EmergencyField, boolean>> = {
    system: known.some((one) => one.system === system),
    identifier: identifier !== '' && identifier.length <= MAX_IDENTIFIER,
    reason: (EMERGENCY_REASONS as readonly string[]).includes(reason),
    justification: isJustification(justification),
    confirmed: confirmed === 'yes',
  };
  return EMERGENCY_FIELDS.filter((field) => !isRight[field] || CONTROL.test(typed[field]));
}

/** The emergency that a form without wrong fields declares. */
export function emergencyOf(typed: TypedEmergency, known: readonly PatientIdentifier[]): Emergency {
  const { system, reason, justification } = typed;
  return { sought: { identifier: { system, value: identifierOf(typed, known) } }, reason, justification };
}

/** National numbers are written in groups, and stored without spaces. */
function identifierOf({ system, identifier }: TypedEmergency, known: readonly PatientIdentifier[]): string {
  const isNational = known.some((one) => one.system === system && one.establishment === undefined);
  return isNational ? identifier.replaceAll(/\s/g, '') : identifier;
}
