/**
 * ImagingStudy and its Patient as one match of a study query.
 *
 * ImagingStudy, Patient             | attribute
 * started                           | StudyDate, StudyTime, TimezoneOffsetFromUTC
 * identifier, basedOn               | StudyInstanceUID, AccessionNumber
 * extension                         | StudyID
 * modality                          | ModalitiesInStudy
 * referrer                          | ReferringPhysicianName
 * description                       | StudyDescription
 * numberOfSeries, -OfInstances      | NumberOfStudyRelatedSeries, -Instances
 * Patient.name, birthDate, gender   | PatientName, PatientBirthDate, PatientSex
 * subject.identifier, else Patient.identifier | PatientID
 * @see DICOM PS3.18 table 10.6.3-3
 */
import type { Identifier, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from '../../profiles/codes.ts';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import type { DicomJson, JsonPersonName } from '../../profiles/dicom/json/json.ts';
import { Fault } from '../../profiles/fault.ts';
import { beginningOfTail, STUDY_TAIL } from '../../profiles/search/json-tail.ts';
import { isAccession, studyInstanceUIDOf } from '../../profiles/imaging/identifiers.ts';
import { toMatch, type Attribute } from './match-json.ts';
import { toJsonPersonName } from './person-name.ts';
import type { IncludedFields } from './query-options.ts';

const MODALITY = formatTag(TAG.Modality);

/** A resource that was found, in its JSON. */
export type FoundResource = { readonly type: string; readonly id: string; readonly json: string };

/** A study as a match, behind its Study Instance UID. */
export type StudyMatch = readonly [studyInstanceUID: string, match: DicomJson];

/** Makes matches of studies, whose patients are among `others` where they may be seen. */
export function studyMatching(
  others: readonly FoundResource[],
  { included, baseUrl }: StudyOptions,
): (row: FoundResource) => StudyMatch {
  const patients = new Map(others.map((row) => [`${row.type}/${row.id}`, row]));
  return (row) => {
    const study = withoutSeries(row.json);
    const patient = patients.get(study.subject.reference ?? '');
    return [
      requireStudyUID(study),
      toStudyJson(study, patient && (JSON.parse(patient.json) as Patient), included, baseUrl),
    ];
  };
}

/**
 * The study as lists need it. Its series come last (buildImagingStudy) and tell of each instance, so they may be a
 * hundred times as long as the rest. The store may have left them out.
 */
function withoutSeries(json: string): ImagingStudy {
  const end = json.indexOf(beginningOfTail(STUDY_TAIL));
  return JSON.parse(end === -1 ? json : `${json.slice(0, end)}}`) as ImagingStudy;
}

/** How studies are formatted. */
export type StudyOptions = { readonly included: IncludedFields; readonly baseUrl: string };

/** Formats a study; `patient` is its subject where that may be seen. `baseUrl` is the address of the DICOMweb door. */
function toStudyJson(
  study: ImagingStudy,
  patient: Patient | undefined,
  included: IncludedFields,
  baseUrl: string,
): DicomJson {
  const uid = requireStudyUID(study);
  const modalities = (study.modality ?? []).map(({ code }) => code);
  return toMatch([
    ['SpecificCharacterSet', 'CS', 'ISO_IR 192'],
    ...startedAttributes(study.started),
    ['AccessionNumber', 'SH', accessionOf(study)],
    ['InstanceAvailability', 'CS', 'ONLINE'],
    // Some viewers ask for the modality at this level.
    ...(included.isAll || included.tags.has(MODALITY) ? [['Modality', 'CS', ...modalities] as const] : []),
    ['ModalitiesInStudy', 'CS', ...modalities],
    ['ReferringPhysicianName', 'PN', referrerOf(study)],
    ['StudyDescription', 'LO', study.description],
    ['RetrieveURL', 'UR', `${baseUrl}/studies/${uid}`],
    ...patientAttributes(study, patient),
    ['StudyInstanceUID', 'UI', uid],
    ['StudyID', 'SH', study.extension?.find(({ url }) => url === EXTENSION.studyId)?.valueString],
    ['NumberOfStudyRelatedSeries', 'IS', study.numberOfSeries],
    ['NumberOfStudyRelatedInstances', 'IS', study.numberOfInstances],
  ]);
}

function requireStudyUID({ identifier = [] }: ImagingStudy): string {
  const uid = identifier.map(studyInstanceUIDOf).find((found) => found !== undefined);
  if (uid === undefined) throw new Fault('exception', 'A study has no Study Instance UID');
  return uid;
}

function accessionOf({ identifier = [], basedOn = [] }: ImagingStudy): string | undefined {
  const known: readonly (Identifier | undefined)[] = [...identifier, ...basedOn.map((order) => order.identifier)];
  return known.find((one) => one !== undefined && isAccession(one))?.value;
}

const STARTED = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d))?$/;

/** The local date and time as they are written, with their offset. */
function startedAttributes(started = ''): readonly Attribute[] {
  const [, year, month, day, hour, minute, second, fraction = '', zone] = STARTED.exec(started) ?? [];
  const date = year === undefined ? undefined : `${year}${month}${day}`;
  const time = hour === undefined ? undefined : `${hour}${minute}${second}${fraction}`;
  const offset = zone === 'Z' ? '+0000' : zone?.replace(':', '');
  return [
    ['StudyDate', 'DA', date],
    ['StudyTime', 'TM', time],
    ...(offset === undefined ? [] : [['TimezoneOffsetFromUTC', 'SH', offset] as const]),
  ];
}

/** The study keeps the name of the referrer as a reader writes it. */
function referrerOf({ referrer }: ImagingStudy): JsonPersonName | undefined {
  return referrer?.display === undefined ? undefined : toJsonPersonName([{ text: referrer.display }]);
}

const SEX: Readonly<Record<string, string>> = { male: 'M', female: 'F', other: 'O' };

function patientAttributes({ subject }: ImagingStudy, patient: Patient | undefined): readonly Attribute[] {
  return [
    ['PatientName', 'PN', toJsonPersonName(patient?.name)],
    ['PatientID', 'LO', subject.identifier?.value ?? patientIdOf(patient)],
    ['PatientBirthDate', 'DA', birthDateOf(patient)],
    ['PatientSex', 'CS', SEX[patient?.gender ?? '']],
  ];
}

/** Of a study that does not say it: the number by which the establishment knows the patient, else the first one. */
function patientIdOf(patient: Patient | undefined): string | undefined {
  const identifiers = patient?.identifier ?? [];
  const isOwn = ({ type }: Identifier): boolean =>
    type?.coding?.some(
      ({ system, code }) => system === CODE_SYSTEM.identifierType && (code === 'PI' || code === 'MR'),
    ) === true;
  return (identifiers.find(isOwn) ?? identifiers[0])?.value;
}

/** A birth date of less than a day cannot be written as DA. */
function birthDateOf(patient: Patient | undefined): string | undefined {
  const { birthDate = '' } = patient ?? {};
  return birthDate.length === 10 ? birthDate.replaceAll('-', '') : undefined;
}
