/**
 * A study as ImagingStudy, from the header of one image of each series and what tells its other instances apart.
 *
 * DICOM                                             | ImagingStudy
 * StudyInstanceUID (0020,000D)                      | identifier (urn:dicom:uid)
 * AccessionNumber (0008,0050) and issuer (0008,0051), also of each request | identifier (ACSN), basedOn (ServiceRequest
 * by identifier) StudyID (0020,0010)                               | extension (an identifier without issuer would name
 * nothing elsewhere) StudyDate, StudyTime, TimezoneOffsetFromUTC       | started: with the offset of the image, else of
 * the region's zone AdmissionID (0038,0010) and issuer (0038,0014)    | encounter (by identifier, VN)
 * ReferringPhysicianName (0008,0090), -IdentificationSequence (0008,0096) | referrer NameOfPhysiciansReadingStudy
 * (0008,1060), -IdentificationSequence (0008,1062) | interpreter ProcedureCodeSequence (0008,1032), else
 * RequestedProcedureCodeSequence (0032,1064), -Description (0032,1060) | procedureCode InstitutionalDepartmentName
 * (0008,1040), else PerformedLocation (0040,0243) | location (display) ReasonForRequestedProcedureCodeSequence
 * (0040,100A), ReasonForPerformedProcedureCodeSequence (0040,1012),
 *   ReasonForTheRequestedProcedure (0040,1002)      | reasonCode
 * StudyDescription (0008,1030)                      | description
 * Modality of the series (0008,0060)                | modality
 * the series and instances that are here            | numberOfSeries, numberOfInstances
 * the establishment's WADO-RS service               | endpoint, series.endpoint
 * the page that shows the study                     | endpoint (contained: viewer-endpoint.ts)
 *
 * Not filled: procedureReference and reasonReference name resources that no image knows; note has no attribute; status
 * says what the server has. Series and instances: imaging-study-series.ts.
 * @see FHIR R4 ImagingStudy, DICOM mapping; IHE RAD MADO ImagingStudy
 */
import type { WithId } from '@medplum/core';
import type { Coding, Encounter, Extension, Identifier, ImagingStudy, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from '../codes.ts';
import { TAG } from '../dicom/attributes.ts';
import { offsetsOf, toDateTime } from '../dicom/date-time.ts';
import type { OffsetOf } from '../dicom/date-time.ts';
import { issuerSystemOf } from '../dicom/issuer.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { jsonIdentifier, jsonText } from '../dicom/json/values.ts';
import { toElements } from '../elements.ts';
import { Fault } from '../fault.ts';
import { studyIdentifier } from './identifiers.ts';
import { accessionsOf, proceduresOf, reasonsOf } from './orders.ts';
import { practitionersOf, REFERRING } from './persons.ts';
import { buildSeries, inCanonicalOrder, modalityOf } from './series.ts';
import type { StudySeries } from './series.ts';
import { viewerLinks } from './viewer-endpoint.ts';

/** What a study is built from. References are relative. */
export type ImagingStudyInput = {
  readonly id: string;
  /** As the instances were filed under it: a header is not asked again whose study it is. */
  readonly studyInstanceUID: string;
  /** `Patient/id`. */
  readonly patient: string;
  /** The number by which the images name her, where they do. */
  readonly patientIdentifier?: { readonly system: string; readonly value: string };
  /** `Endpoint/id` of the WADO-RS endpoint. */
  readonly endpoint: string;
  /** Absolute address of the page that shows the study. */
  readonly viewer: string;
  /** `Organization/id` of the establishment that sent it: it keeps the images. */
  readonly organization: string;
  /** System (URI) of the establishment's accession numbers, where the image names no issuer. */
  readonly accessionSystem: string;
  /** IANA name of the zone of times without offset. */
  readonly timeZone: string;
  /** 1..*, of one study, in any order. */
  readonly series: readonly StudySeries[];
};

/**
 * Builds the study. The same set of series and instances gives the same bytes, in whatever order they came: series
 * and instances stand by number, then by UID, and what is said of the study comes from the first series that says it.
 * @throws {Fault} required - no series
 */
export function buildImagingStudy(input: ImagingStudyInput): WithId<ImagingStudy> {
  if (input.series.length === 0) throw new Fault('required', 'A study needs a series');
  const series = inCanonicalOrder(input.series);
  const headers = series.map(({ attributes }) => attributes);
  const accessions = accessionsOf(headers, input);
  const zone = offsetsOf(input.timeZone);
  const viewer = viewerLinks([input.viewer]);
  return toElements<WithId<ImagingStudy>>({
    resourceType: 'ImagingStudy',
    id: input.id,
    extension: studyIdOf(headers),
    meta: { security: [{ system: CODE_SYSTEM.confidentiality, code: 'N' }] },
    contained: [...viewer.contained],
    identifier: [studyIdentifier(input.studyInstanceUID), ...accessions],
    status: 'available',
    modality: modalitiesOf(headers),
    subject: { reference: input.patient, ...(input.patientIdentifier && { identifier: input.patientIdentifier }) },
    encounter: encounterOf(headers, input),
    started: firstOf(headers, (header) => startedOf(header, zone)),
    basedOn: accessions.map((identifier) => ({ type: 'ServiceRequest', identifier })),
    referrer: firstOf(headers, (header) => practitionersOf(header, REFERRING)[0]),
    interpreter: firstOf(headers, interpretersOf),
    endpoint: [{ reference: input.endpoint }, ...viewer.references],
    numberOfSeries: series.length,
    numberOfInstances: series.reduce((sum, { instances }) => sum + instances.length, 0),
    procedureCode: firstOf(headers, proceduresOf),
    location: firstOf(headers, locationOf),
    reasonCode: firstOf(headers, reasonsOf),
    description: firstOf(headers, (header) => jsonText(header, TAG.StudyDescription)),
    series: series.map((one) => buildSeries(one, { ...input, zone })),
  });
}

function firstOf<T>(headers: readonly DicomJson[], read: (header: DicomJson) => T | undefined): T | undefined {
  for (const header of headers) {
    const found = read(header);
    if (found !== undefined) return found;
  }
  return undefined;
}

function studyIdOf(headers: readonly DicomJson[]): Extension[] {
  const valueString = firstOf(headers, (header) => jsonText(header, TAG.StudyID));
  return valueString === undefined ? [] : [{ url: EXTENSION.studyId, valueString }];
}

function startedOf(header: DicomJson, zone: OffsetOf): string | undefined {
  const [date, time] = [jsonText(header, TAG.StudyDate), jsonText(header, TAG.StudyTime)];
  return toDateTime({ date, time, offset: jsonText(header, TAG.TimezoneOffsetFromUTC) }, zone);
}

function modalitiesOf(headers: readonly DicomJson[]): Coding[] {
  return [...new Map(headers.map(modalityOf).map((coding) => [coding.code, coding])).values()];
}

/** An admission without issuer is numbered by the establishment, whose system of such numbers nobody here knows. */
function encounterOf(
  headers: readonly DicomJson[],
  { organization }: ImagingStudyInput,
): Reference<Encounter> | undefined {
  return firstOf(headers, (header) => {
    const value = jsonIdentifier(header, TAG.AdmissionID);
    if (value === undefined) return undefined;
    const type = { coding: [{ system: CODE_SYSTEM.identifierType, code: 'VN' }] };
    const system = issuerSystemOf(header, TAG.IssuerOfAdmissionIDSequence);
    const identifier: Identifier =
      system === undefined ? { type, value, assigner: { reference: organization } } : { type, system, value };
    return { type: 'Encounter', identifier };
  });
}

const READING = {
  names: TAG.NameOfPhysiciansReadingStudy,
  identification: TAG.PhysiciansReadingStudyIdentificationSequence,
};

function interpretersOf(header: DicomJson): ImagingStudy['interpreter'] {
  const readers = practitionersOf(header, READING);
  return readers.length === 0 ? undefined : readers;
}

function locationOf(header: DicomJson): ImagingStudy['location'] {
  const display = jsonText(header, TAG.InstitutionalDepartmentName) ?? jsonText(header, TAG.PerformedLocation);
  return display === undefined ? undefined : { type: 'Location', display };
}
