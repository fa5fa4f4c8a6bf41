/**
 * The series of a study and their order.
 *
 * DICOM                                             | ImagingStudy.series
 * SeriesInstanceUID, SeriesNumber, SeriesDescription | uid, number, description
 * Modality (0008,0060)                              | modality; OT where the image names none
 * AnatomicRegionSequence (0008,2218), else BodyPartExamined (0018,0015) | bodySite
 * Laterality (0020,0060), else ImageLaterality (0020,0062) of the instances together | laterality
 * SpecimenDescriptionSequence (0040,0560): SpecimenIdentifier and issuer, else SpecimenUID | specimen (by identifier)
 * SeriesDate, SeriesTime, TimezoneOffsetFromUTC     | started
 * PerformingPhysicianName (0008,1050), -IdentificationSequence (0008,1052) | performer PRF
 * OperatorsName (0008,1070), OperatorIdentificationSequence (0008,1072)    | performer SPRF
 * InstitutionName (0008,0080), InstitutionCodeSequence (0008,0082)         | performer PRF (Organization)
 * Manufacturer, ManufacturerModelName, StationName, DeviceSerialNumber     | performer DEV
 * the establishment that sent it                    | performer CST
 * SOPInstanceUID, SOPClassUID, InstanceNumber       | instance.uid, sopClass, number
 * title of an object that has one: imaging-instance.ts | instance.title
 * @see FHIR R4 ImagingStudy.series, DICOM mapping
 */
import type { Coding, ImagingStudySeries, ImagingStudySeriesInstance, ImagingStudySeriesPerformer, Reference, Specimen } from '@medplum/fhirtypes';
import { anatomyOf, lateralityOf } from './body-site.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from './codes.ts';
import { TAG } from './dicom/attributes.ts';
import { toDateTime } from './dicom/date-time.ts';
import type { OffsetOf } from './dicom/date-time.ts';
import { withoutRepeats } from './dicom/coded-entry.ts';
import { issuerSystemOf } from './dicom/issuer.ts';
import type { DicomJson } from './dicom/json.ts';
import { isFhirCode, isUnsignedInt, jsonIdentifier, jsonItems, jsonText, jsonUID, jsonUnsignedInt } from './dicom/json-values.ts';
import { toElements } from './elements.ts';
import { sideOf, type InstanceDescription } from './imaging-instance.ts';
import { deviceOf, institutionOf, practitionersOf } from './imaging-persons.ts';

/** An instance of a series, with what describes it where its kind of object says that of itself. */
export type StudyInstance = InstanceDescription & {
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly instanceNumber?: number | undefined;
};

/** A series: its UID as its instances were filed, them, and the header of the first of them by number, then by UID. */
export type StudySeries = {
  readonly seriesInstanceUID: string;
  readonly attributes: DicomJson;
  readonly instances: readonly StudyInstance[];
};

/** Returns the series by number, then by UID; a series without number is after those that have one. */
export function inCanonicalOrder(series: readonly StudySeries[]): StudySeries[] {
  return series.toSorted((one, other) => compare(seriesKeyOf(one), seriesKeyOf(other)));
}

function seriesKeyOf({ seriesInstanceUID, attributes }: StudySeries): OrderKey {
  return [jsonUnsignedInt(attributes, TAG.SeriesNumber), seriesInstanceUID];
}

/** Returns the instances of a series by number, then by UID; one without number is after those that have one. */
export function instancesInOrder<T extends Pick<StudyInstance, 'sopInstanceUID' | 'instanceNumber'>>(instances: readonly T[]): T[] {
  return instances.toSorted((a, b) => compare([a.instanceNumber, a.sopInstanceUID], [b.instanceNumber, b.sopInstanceUID]));
}

/** Returns the modality of a series; OT (other) when the image names none. */
export function modalityOf(header: DicomJson): Coding {
  const code = jsonText(header, TAG.Modality);
  return { system: CODE_SYSTEM.dcm, code: code !== undefined && isFhirCode(code) ? code : 'OT' };
}

/** What a series takes from its study. */
export type SeriesPlace = { readonly endpoint: string; readonly organization: string; readonly zone: OffsetOf };

/** Builds a series with its instances in canonical order. */
export function buildSeries(series: StudySeries, place: SeriesPlace): ImagingStudySeries {
  const { seriesInstanceUID, attributes, instances } = series;
  return toElements<ImagingStudySeries>({
    uid: seriesInstanceUID,
    number: jsonUnsignedInt(attributes, TAG.SeriesNumber),
    modality: modalityOf(attributes),
    description: jsonText(attributes, TAG.SeriesDescription),
    numberOfInstances: instances.length,
    endpoint: [{ reference: place.endpoint }],
    bodySite: anatomyOf(attributes),
    laterality: lateralityOf(jsonText(attributes, TAG.Laterality) ?? sideOf(instances)),
    specimen: specimensOf(attributes, place.organization),
    started: startedOf(attributes, place.zone),
    performer: performersOf(attributes, place.organization),
    instance: instancesInOrder(instances).map(toInstance),
  });
}

function startedOf(header: DicomJson, zone: OffsetOf): string | undefined {
  const [date, time] = [jsonText(header, TAG.SeriesDate), jsonText(header, TAG.SeriesTime)];
  return toDateTime({ date, time, offset: jsonText(header, TAG.TimezoneOffsetFromUTC) }, zone);
}

/** Issuers and identifiers of specimens: without issuer the UID says more, and else the establishment numbered it. */
function specimensOf(header: DicomJson, organization: string): Reference<Specimen>[] {
  const specimens = jsonItems(header, TAG.SpecimenDescriptionSequence).map((item): Reference<Specimen> | undefined => {
    const value = jsonIdentifier(item, TAG.SpecimenIdentifier);
    const system = issuerSystemOf(item, TAG.IssuerOfTheSpecimenIdentifierSequence);
    const uid = jsonUID(item, TAG.SpecimenUID);
    const display = jsonText(item, TAG.SpecimenShortDescription);
    if (value !== undefined && system !== undefined) return toElements<Reference<Specimen>>({ type: 'Specimen', identifier: { system, value }, display });
    if (uid !== undefined) return toElements<Reference<Specimen>>({ type: 'Specimen', identifier: { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(uid) }, display: value ?? display });
    if (value !== undefined) return toElements<Reference<Specimen>>({ type: 'Specimen', identifier: { value, assigner: { reference: organization } }, display });
    return display === undefined ? undefined : { type: 'Specimen', display };
  });
  return withoutRepeats(specimens.filter((specimen) => specimen !== undefined));
}

const PERFORMING = { names: TAG.PerformingPhysicianName, identification: TAG.PerformingPhysicianIdentificationSequence };
const OPERATING = { names: TAG.OperatorsName, identification: TAG.OperatorIdentificationSequence };

/** Who performed it and on what, as the image says, and the establishment that keeps it (CST). */
function performersOf(header: DicomJson, organization: string): ImagingStudySeriesPerformer[] {
  const [institution, device] = [institutionOf(header), deviceOf(header)];
  return [
    ...practitionersOf(header, PERFORMING).map((actor) => ({ function: participation('PRF'), actor })),
    ...practitionersOf(header, OPERATING).map((actor) => ({ function: participation('SPRF'), actor })),
    ...(institution === undefined ? [] : [{ function: participation('PRF'), actor: institution }]),
    ...(device === undefined ? [] : [{ function: participation('DEV'), actor: device }]),
    { function: participation('CST'), actor: { reference: organization } },
  ];
}

function participation(code: string): { coding: Coding[] } {
  return { coding: [{ system: CODE_SYSTEM.participationType, code }] };
}

function toInstance({ sopInstanceUID, sopClassUID, instanceNumber, title }: StudyInstance): ImagingStudySeriesInstance {
  const isNumber = instanceNumber !== undefined && isUnsignedInt(instanceNumber);
  return {
    uid: sopInstanceUID,
    sopClass: { system: IDENTIFIER_SYSTEM.uri, code: oidUri(sopClassUID) },
    ...(isNumber && { number: instanceNumber }),
    ...(title !== undefined && { title }),
  };
}

type OrderKey = readonly [number: number | undefined, uid: string];

function compare([aNumber = Infinity, aUID]: OrderKey, [bNumber = Infinity, bUID]: OrderKey): number {
  if (aNumber !== bNumber) return aNumber < bNumber ? -1 : 1;
  if (aUID === bUID) return 0;
  return aUID < bUID ? -1 : 1;
}
