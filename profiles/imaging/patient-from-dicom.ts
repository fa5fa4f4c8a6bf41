/**
 * The patient as an image names her.
 *
 * DICOM                                      | Patient
 * PatientID (0010,0020) and its issuer       | identifier, where it is there; a national one beside the establishment's
 * OtherPatientIDsSequence (0010,1002)        | identifier, where the issuer is known beyond the establishment
 * issuer: IssuerOfPatientIDQualifiersSequence (0010,0024) by OID, UUID or URI; else IssuerOfPatientID (0010,0021) by an
 *   OID or a national namespace            | identifier.system
 * IdentifierTypeCode (0040,0035) of PatientID | identifier.type
 * PatientName, PatientBirthName, OtherPatientNames | name, name (maiden), name: each component group
 * PatientBirthDate, PatientSex               | birthDate, gender
 *
 * Addresses, telephone numbers, comments and the like stay in the image: a register of patients needs none of them.
 * @see DICOM PS3.3 C.7.1.1, table 10-18
 */
import type { HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../codes.ts';
import { TAG } from '../dicom/attributes.ts';
import { parseDate } from '../dicom/date-time.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { issuerOfPatientID, issuerSystemOf } from '../dicom/issuer.ts';
import { isFhirCode, jsonIdentifier, jsonItems, jsonPersonNames, jsonText, jsonUID } from '../dicom/json/values.ts';
import { toHumanNames } from '../dicom/person-name.ts';
import { toElements } from '../elements.ts';
import { Fault } from '../fault.ts';
import { isNationalSystem, nationalIdentifier, nationalSystemOf } from '../national-identifiers.ts';

/** The establishment that sent the image. */
export type PatientSource = {
  /** `Organization/id`. */
  readonly organization: string;
  /** System (URI) of its patient identifiers. */
  readonly patientIdSystem: string;
};

/**
 * A patient without id, and the identifier by which the source knows her. `foreignIssuer` is there when PatientID is
 * numbered by somebody else: the identity is then none of the source's.
 */
export type DicomPatient = {
  readonly patient: Patient;
  readonly identity: { readonly system: string; readonly value: string };
  readonly foreignIssuer?: string;
};

/** The top-level attributes that {@link patientFromDicom} reads. */
export const PATIENT_TAGS: ReadonlySet<number> = new Set([
  TAG.PatientID,
  TAG.IssuerOfPatientID,
  TAG.IssuerOfPatientIDQualifiersSequence,
  TAG.OtherPatientIDsSequence,
  TAG.PatientName,
  TAG.PatientBirthName,
  TAG.OtherPatientNames,
  TAG.PatientBirthDate,
  TAG.PatientSex,
  TAG.StudyInstanceUID,
]);

/**
 * Builds the Patient of an image. A number whose issuer is not known beyond the establishment is its own: also of what
 * calls itself a national identifier and cannot be one. A national number is no establishment's: the establishment
 * knows the patient by it as by a number of its own, and it is a further identifier. What an image cannot say in FHIR
 * (a date that does not exist, another sex) is left out.
 * @throws {Fault} required - neither a PatientID nor StudyInstanceUID is there
 */
export function patientFromDicom(json: DicomJson, source: PatientSource): DicomPatient {
  const value = jsonIdentifier(json, TAG.PatientID);
  const named = value === undefined ? [] : identifiersOf(json, value, source);
  const [identifier] = named;
  const patient = toElements<Patient>({
    resourceType: 'Patient',
    identifier: [...named, ...othersOf(json, named)],
    active: true,
    name: namesOf(json),
    gender: GENDER.get(jsonText(json, TAG.PatientSex) ?? ''),
    birthDate: parseDate(jsonText(json, TAG.PatientBirthDate) ?? ''),
    managingOrganization: { reference: source.organization },
  });
  if (identifier === undefined) return { patient, identity: identityByStudy(json) };
  const { system, value: number } = identifier;
  const identity = { system, value: number };
  return system === source.patientIdSystem ? { patient, identity } : { patient, identity, foreignIssuer: system };
}

function identityByStudy(json: DicomJson): DicomPatient['identity'] {
  const uid = jsonUID(json, TAG.StudyInstanceUID);
  if (uid === undefined)
    throw new Fault('required', 'The image names neither its patient (0010,0020) nor its study', {
      expression: 'PatientID',
    });
  return { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(uid) };
}

const GENDER = new Map<string, 'male' | 'female' | 'other'>([
  ['M', 'male'],
  ['F', 'female'],
  ['O', 'other'],
]);

/** An identifier that is qualified by its system. */
type Issued = Identifier & { readonly system: string; readonly value: string };

/** What PatientID says, the identifier that names the identity first. */
function identifiersOf(
  json: DicomJson,
  value: string,
  { organization, patientIdSystem }: PatientSource,
): readonly [Issued, ...Issued[]] {
  const issued = issuedIdentifier(json, value);
  const isOthers = issued !== undefined && issued.system !== patientIdSystem;
  const isNational = isOthers && isNationalSystem(issued.system);
  if (isOthers && !isNational) return [issued.type === undefined ? { ...typeOf(json), ...issued } : issued];
  const type = { coding: [{ system: CODE_SYSTEM.identifierType, code: 'PI' }] };
  const number = isNational ? issued.value : value;
  const own: Issued = {
    use: 'usual',
    type,
    system: patientIdSystem,
    value: number,
    assigner: { reference: organization },
  };
  return isNational ? [own, issued] : [own];
}

/**
 * An identifier as an issuer that is known beyond the establishment gave it; undefined when none is named, or none that
 * can be believed.
 */
function issuedIdentifier(json: DicomJson, value: string): Issued | undefined {
  const { namespace, system: named } = issuerOfPatientID(json);
  const system = issuerSystemOf(json, TAG.IssuerOfPatientIDQualifiersSequence) ?? named ?? nationalSystemOf(namespace);
  if (system === undefined) return undefined;
  return isNationalSystem(system) ? nationalIdentifier({ system, value }) : { system, value };
}

function typeOf(json: DicomJson): Pick<Identifier, 'type'> {
  const [qualifiers] = jsonItems(json, TAG.IssuerOfPatientIDQualifiersSequence);
  const code = qualifiers === undefined ? undefined : jsonIdentifier(qualifiers, TAG.IdentifierTypeCode);
  return code === undefined || !isFhirCode(code)
    ? {}
    : { type: { coding: [{ system: CODE_SYSTEM.identifierType, code }] } };
}

function othersOf(json: DicomJson, named: readonly Issued[]): Issued[] {
  const others: Issued[] = [];
  for (const item of jsonItems(json, TAG.OtherPatientIDsSequence)) {
    const value = jsonIdentifier(item, TAG.PatientID);
    const other = value === undefined ? undefined : issuedIdentifier(item, value);
    const isKnown = [...named, ...others].some(
      ({ system, value: known }) => other?.system === system && other.value === known,
    );
    if (other !== undefined && !isKnown) others.push(other);
  }
  return others;
}

function namesOf(json: DicomJson): HumanName[] {
  const named = (tag: number): HumanName[] => jsonPersonNames(json, tag).flatMap(toHumanNames);
  const birthNames = named(TAG.PatientBirthName).map((name): HumanName => ({ use: 'maiden', ...name }));
  return [...named(TAG.PatientName), ...birthNames, ...named(TAG.OtherPatientNames)];
}
