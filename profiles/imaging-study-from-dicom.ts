/**
 * A study as ImagingStudy, from the header of one image of each series.
 *
 * DICOM                                    | ImagingStudy
 * StudyInstanceUID, AccessionNumber        | identifier; the accession number also basedOn
 * StudyDate, StudyTime                     | started
 * StudyID                                  | extension (an identifier without issuer would name nothing elsewhere)
 * StudyDescription, ProcedureCodeSequence  | description, procedureCode
 * ReferringPhysicianName                   | referrer (display)
 * Modality of the series                   | modality, series.modality
 * SeriesInstanceUID, -Number, -Description | series.uid, number, description
 * BodyPartExamined, Laterality             | series.bodySite, laterality
 * PerformingPhysicianName, InstitutionName | series.performer (display)
 * @see FHIR R4 ImagingStudy, DICOM mapping; IHE RAD MADO ImagingStudy
 */
import type { WithId } from '@medplum/core';
import type { CodeableConcept, Coding, Extension, Identifier, ImagingStudy } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from './codes.ts';
import { TAG } from './dicom/attributes.ts';
import { offsetsOf, toDateTime } from './dicom/date-time.ts';
import type { OffsetOf } from './dicom/date-time.ts';
import type { DicomJson } from './dicom/json.ts';
import { isFhirCode, issuerSystemOf, jsonItems, jsonPersonNames, jsonText, jsonUID } from './dicom/json-values.ts';
import { formatPersonName } from './dicom/person-name.ts';
import { toElements } from './elements.ts';
import { Fault } from './fault.ts';
import { accessionIdentifier, studyIdentifier } from './imaging-identifiers.ts';
import { buildSeries, inCanonicalOrder, modalityOf } from './imaging-study-series.ts';
import type { StudySeries } from './imaging-study-series.ts';

/** What a study is built from. References are relative. */
export type ImagingStudyInput = {
  readonly id: string;
  /** `Patient/id`. */
  readonly patient: string;
  /** `Endpoint/id` of the WADO-RS endpoint. */
  readonly endpoint: string;
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
 * @throws {Fault} required - no series, or one without StudyInstanceUID or SeriesInstanceUID
 * @throws {Fault} invalid - the series are of several studies
 */
export function buildImagingStudy(input: ImagingStudyInput): WithId<ImagingStudy> {
  const series = inCanonicalOrder(input.series);
  const headers = series.map(({ attributes }) => attributes);
  const accessions = accessionsOf(headers, input);
  const zone = offsetsOf(input.timeZone);
  return toElements<WithId<ImagingStudy>>({
    resourceType: 'ImagingStudy',
    id: input.id,
    extension: studyIdOf(headers),
    meta: { security: [{ system: CODE_SYSTEM.confidentiality, code: 'N' }] },
    identifier: [studyIdentifier(studyInstanceUIDOf(headers)), ...accessions],
    status: 'available',
    modality: modalitiesOf(headers),
    subject: { reference: input.patient },
    started: firstOf(headers, (header) => startedOf(header, zone)),
    basedOn: accessions.map((identifier) => ({ type: 'ServiceRequest', identifier })),
    referrer: referrerOf(headers),
    endpoint: [{ reference: input.endpoint }],
    numberOfSeries: series.length,
    numberOfInstances: series.reduce((sum, { instances }) => sum + instances.length, 0),
    procedureCode: firstOf(headers, proceduresOf),
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

function studyInstanceUIDOf(headers: readonly DicomJson[]): string {
  const [uid, ...others] = new Set(headers.map((header) => jsonUID(header, TAG.StudyInstanceUID)));
  if (others.length > 0) throw new Fault('invalid', 'The series are not of one study', { expression: 'StudyInstanceUID' });
  if (uid !== undefined) return uid;
  throw new Fault('required', 'A study needs a series with a StudyInstanceUID (0020,000D)', { expression: 'StudyInstanceUID' });
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

/** A study of several orders names each in RequestAttributesSequence (PS3.3 table 10-9). */
function accessionsOf(headers: readonly DicomJson[], { accessionSystem, organization }: ImagingStudyInput): Identifier[] {
  const found = new Map<string, Identifier>();
  for (const item of headers.flatMap((header) => [header, ...jsonItems(header, TAG.RequestAttributesSequence)])) {
    const value = jsonText(item, TAG.AccessionNumber);
    if (value === undefined) continue;
    const system = issuerSystemOf(item, TAG.IssuerOfAccessionNumberSequence) ?? accessionSystem;
    const isOwn = system === accessionSystem;
    const identifier = accessionIdentifier({ system, value });
    found.set(`${system}|${value}`, isOwn ? { ...identifier, assigner: { reference: organization } } : identifier);
  }
  return [...found.values()];
}

function referrerOf(headers: readonly DicomJson[]): ImagingStudy['referrer'] {
  const display = firstOf(headers, (header) => {
    const [name] = jsonPersonNames(header, TAG.ReferringPhysicianName);
    return name === undefined ? undefined : formatPersonName(name);
  });
  return display === undefined ? undefined : { type: 'Practitioner', display };
}

/** Code systems by their DICOM designator (PS3.16 table 8-1). */
const DESIGNATED: Readonly<Record<string, string>> = {
  DCM: CODE_SYSTEM.dcm,
  LN: CODE_SYSTEM.loinc,
  SCT: CODE_SYSTEM.snomed,
};

function proceduresOf(header: DicomJson): CodeableConcept[] | undefined {
  const concepts = jsonItems(header, TAG.ProcedureCodeSequence).map(toConcept).filter((concept) => concept !== undefined);
  return concepts.length === 0 ? undefined : concepts;
}

/** A code of a scheme without URI keeps its code, so that it can still be searched for. */
function toConcept(item: DicomJson): CodeableConcept | undefined {
  const code = jsonText(item, TAG.CodeValue);
  const text = jsonText(item, TAG.CodeMeaning);
  const system = DESIGNATED[jsonText(item, TAG.CodingSchemeDesignator) ?? ''];
  const coding = code === undefined || !isFhirCode(code) ? [] : [toElements<Coding>({ system, code, display: text })];
  return coding.length === 0 && text === undefined ? undefined : toElements<CodeableConcept>({ coding, text });
}
