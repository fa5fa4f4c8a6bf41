/**
 * The patient as an image names her.
 *
 * DICOM                              | Patient
 * PatientID and its issuer           | identifier, where it is there
 * OtherPatientIDsSequence            | identifier, where the issuer is an OID
 * PatientName, PatientBirthName      | name, name (maiden)
 * PatientBirthDate, PatientSex       | birthDate, gender
 * @see DICOM PS3.3 C.7.1.1
 */
import type { HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from './codes.ts';
import { TAG } from './dicom/attributes.ts';
import { parseDate } from './dicom/date-time.ts';
import type { DicomJson } from './dicom/json.ts';
import { issuerSystemOf, jsonItems, jsonPersonNames, jsonText, jsonUID } from './dicom/json-values.ts';
import { toHumanNames } from './dicom/person-name.ts';
import { toElements } from './elements.ts';
import { Fault } from './fault.ts';

/** The establishment that sent the image. */
export type PatientSource = {
  /** `Organization/id`. */
  readonly organization: string;
  /** System (URI) of its patient identifiers. */
  readonly patientIdSystem: string;
};

/**
 * A patient without id, and the identifier by which the source knows her. PatientID may be empty (type 2): the patient is
 * then known by the study, and is no other's until its images say more.
 */
export type DicomPatient = {
  readonly patient: Patient;
  readonly identity: { readonly system: string; readonly value: string };
};

/**
 * Builds the Patient of an image. An issuer that is an OID is the identifier's system, else the establishment is the
 * issuer. What an image cannot say in FHIR (a date that does not exist, another sex) is left out.
 * @throws {Fault} required - neither PatientID nor StudyInstanceUID is there
 */
export function patientFromDicom(json: DicomJson, source: PatientSource): DicomPatient {
  const own = ownIdentity(json, source);
  const patient = toElements<Patient>({
    resourceType: 'Patient',
    identifier: identifiersOf(json, source, own),
    active: true,
    name: namesOf(json),
    gender: GENDER[jsonText(json, TAG.PatientSex) ?? ''],
    birthDate: parseDate(jsonText(json, TAG.PatientBirthDate) ?? ''),
    managingOrganization: { reference: source.organization },
  });
  return { patient, identity: own ?? identityByStudy(json) };
}

type Identity = DicomPatient['identity'];

function ownIdentity(json: DicomJson, source: PatientSource): Identity | undefined {
  const value = jsonText(json, TAG.PatientID);
  if (value === undefined) return undefined;
  return { system: issuerSystemOf(json, TAG.IssuerOfPatientIDQualifiersSequence) ?? source.patientIdSystem, value };
}

function identityByStudy(json: DicomJson): Identity {
  const uid = jsonUID(json, TAG.StudyInstanceUID);
  if (uid === undefined) throw new Fault('required', 'The image names neither its patient (0010,0020) nor its study', { expression: 'PatientID' });
  return { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(uid) };
}

const GENDER: Readonly<Record<string, 'male' | 'female' | 'other'>> = { M: 'male', F: 'female', O: 'other' };

function identifiersOf(json: DicomJson, source: PatientSource, own: Identity | undefined): Identifier[] {
  const identifiers = own === undefined ? [] : [toIdentifier(own, source)];
  for (const item of jsonItems(json, TAG.OtherPatientIDsSequence)) {
    const system = issuerSystemOf(item, TAG.IssuerOfPatientIDQualifiersSequence);
    const value = jsonText(item, TAG.PatientID);
    if (system === undefined || value === undefined) continue;
    const isKnown = identifiers.some((known) => known.system === system && known.value === value);
    if (!isKnown) identifiers.push({ system, value });
  }
  return identifiers;
}

/** Only the establishment's own number is known to be of its kind (v2-0203 PI). */
function toIdentifier(identity: Identity, { organization, patientIdSystem }: PatientSource): Identifier {
  if (identity.system !== patientIdSystem) return identity;
  const type = { coding: [{ system: CODE_SYSTEM.identifierType, code: 'PI' }] };
  return { use: 'usual', type, ...identity, assigner: { reference: organization } };
}

function namesOf(json: DicomJson): HumanName[] {
  const names = jsonPersonNames(json, TAG.PatientName).flatMap(toHumanNames);
  const birthNames = jsonPersonNames(json, TAG.PatientBirthName).flatMap(toHumanNames);
  return [...names, ...birthNames.map((name): HumanName => ({ use: 'maiden', ...name }))];
}
