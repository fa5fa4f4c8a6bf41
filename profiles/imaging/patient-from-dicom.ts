/**
 * The patient as an image names her.
 *
 * DICOM                                      | Patient
 * PatientID (0010,0020) and its issuer       | identifier, where it is there
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

/** A patient without id, and the identifier by which the source knows her. */
export type DicomPatient = {
  readonly patient: Patient;
  readonly identity: { readonly system: string; readonly value: string };
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
 * Builds the Patient of an image. An issuer that is known beyond the establishment is the identifier's system, else the
 * establishment is the issuer: also of what calls itself a national identifier and cannot be one. What an image cannot
 * say in FHIR (a date that does not exist, another sex) is left out.
 * @throws {Fault} required - neither a PatientID nor StudyInstanceUID is there
 */
export function patientFromDicom(json: DicomJson, source: PatientSource): DicomPatient {
  const value = jsonIdentifier(json, TAG.PatientID);
  const identifier = value === undefined ? undefined : identifierOf(json, value, source);
  const patient = toElements<Patient>({
    resourceType: 'Patient',
    identifier: [...(identifier === undefined ? [] : [identifier]), ...othersOf(json, identifier)],
    active: true,
    name: namesOf(json),
    gender: GENDER.get(jsonText(json, TAG.PatientSex) ?? ''),
    birthDate: parseDate(jsonText(json, TAG.PatientBirthDate) ?? ''),
    managingOrganization: { reference: source.organization },
  });
  return {
    patient,
    identity: identifier === undefined ? identityByStudy(json) : { system: identifier.system, value: identifier.value },
  };
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

/** The identifier that the image is filed by: the one of the establishment, unless another issuer is named. */
function identifierOf(json: DicomJson, value: string, { organization, patientIdSystem }: PatientSource): Issued {
  const issued = issuedIdentifier(json, value);
  if (issued !== undefined && issued.system !== patientIdSystem)
    return issued.type === undefined ? { ...typeOf(json), ...issued } : issued;
  const type = { coding: [{ system: CODE_SYSTEM.identifierType, code: 'PI' }] };
  return { use: 'usual', type, system: patientIdSystem, value, assigner: { reference: organization } };
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

function othersOf(json: DicomJson, first: Issued | undefined): Issued[] {
  const others: Issued[] = [];
  for (const item of jsonItems(json, TAG.OtherPatientIDsSequence)) {
    const value = jsonIdentifier(item, TAG.PatientID);
    const other = value === undefined ? undefined : issuedIdentifier(item, value);
    const isKnown = [...(first === undefined ? [] : [first]), ...others].some(
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
