/** The series of a study and their order. @see FHIR R4 ImagingStudy.series */
import type { Coding, ImagingStudySeries, ImagingStudySeriesInstance, ImagingStudySeriesPerformer } from '@medplum/fhirtypes';
import { bodySiteOf, lateralityOf } from './body-site.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from './codes.ts';
import { TAG } from './dicom/attributes.ts';
import { toDateTime } from './dicom/date-time.ts';
import type { OffsetOf } from './dicom/date-time.ts';
import type { DicomJson } from './dicom/json.ts';
import { isFhirCode, isUnsignedInt, jsonPersonNames, jsonText, jsonUID, jsonUnsignedInt } from './dicom/json-values.ts';
import { formatPersonName } from './dicom/person-name.ts';
import { toElements } from './elements.ts';
import { Fault } from './fault.ts';

/** An instance of a series. */
export type StudyInstance = {
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly instanceNumber?: number | undefined;
};

/** A series: its instances, and the header of the first of them by number, then by UID. */
export type StudySeries = { readonly attributes: DicomJson; readonly instances: readonly StudyInstance[] };

/** Returns the series by number, then by UID; a series without number is after those that have one. */
export function inCanonicalOrder(series: readonly StudySeries[]): StudySeries[] {
  return series.toSorted(({ attributes: a }, { attributes: b }) =>
    compare(
      [jsonUnsignedInt(a, TAG.SeriesNumber), jsonUID(a, TAG.SeriesInstanceUID) ?? ''],
      [jsonUnsignedInt(b, TAG.SeriesNumber), jsonUID(b, TAG.SeriesInstanceUID) ?? ''],
    ),
  );
}

/** Returns the modality of a series; OT (other) when the image names none. */
export function modalityOf(header: DicomJson): Coding {
  const code = jsonText(header, TAG.Modality);
  return { system: CODE_SYSTEM.dcm, code: code !== undefined && isFhirCode(code) ? code : 'OT' };
}

/** What a series takes from its study. */
export type SeriesPlace = { readonly endpoint: string; readonly organization: string; readonly zone: OffsetOf };

/**
 * Builds a series with its instances in canonical order.
 * @throws {Fault} required - SeriesInstanceUID is absent
 */
export function buildSeries({ attributes, instances }: StudySeries, place: SeriesPlace): ImagingStudySeries {
  const uid = jsonUID(attributes, TAG.SeriesInstanceUID);
  if (uid === undefined) {
    throw new Fault('required', 'A series needs a SeriesInstanceUID (0020,000E)', { expression: 'SeriesInstanceUID' });
  }
  const bodyPart = jsonText(attributes, TAG.BodyPartExamined);
  return toElements<ImagingStudySeries>({
    uid,
    number: jsonUnsignedInt(attributes, TAG.SeriesNumber),
    modality: modalityOf(attributes),
    description: jsonText(attributes, TAG.SeriesDescription),
    numberOfInstances: instances.length,
    endpoint: [{ reference: place.endpoint }],
    bodySite: bodyPart === undefined ? undefined : bodySiteOf(bodyPart),
    laterality: lateralityOf(jsonText(attributes, TAG.Laterality) ?? ''),
    started: startedOf(attributes, place.zone),
    performer: performersOf(attributes, place.organization),
    instance: instances.toSorted(compareInstances).map(toInstance),
  });
}

function startedOf(header: DicomJson, zone: OffsetOf): string | undefined {
  const [date, time] = [jsonText(header, TAG.SeriesDate), jsonText(header, TAG.SeriesTime)];
  return toDateTime({ date, time, offset: jsonText(header, TAG.TimezoneOffsetFromUTC) }, zone);
}

/** Who the image says performed it, by name only, and the establishment that keeps it (CST). */
function performersOf(header: DicomJson, organization: string): ImagingStudySeriesPerformer[] {
  const institution = jsonText(header, TAG.InstitutionName);
  const named: Performer[] = [
    ...jsonPersonNames(header, TAG.PerformingPhysicianName)
      .map(formatPersonName)
      .filter((display) => display !== undefined)
      .map((display): Performer => ({ type: 'Practitioner', display })),
    ...(institution === undefined ? [] : [{ type: 'Organization', display: institution } as const]),
  ];
  return [
    ...named.map((actor) => ({ function: participation('PRF'), actor })),
    { function: participation('CST'), actor: { reference: organization } },
  ];
}

type Performer = ImagingStudySeriesPerformer['actor'];

function participation(code: string): { coding: Coding[] } {
  return { coding: [{ system: CODE_SYSTEM.participationType, code }] };
}

function toInstance({ sopInstanceUID, sopClassUID, instanceNumber }: StudyInstance): ImagingStudySeriesInstance {
  const isNumber = instanceNumber !== undefined && isUnsignedInt(instanceNumber);
  return {
    uid: sopInstanceUID,
    sopClass: { system: IDENTIFIER_SYSTEM.uri, code: oidUri(sopClassUID) },
    ...(isNumber && { number: instanceNumber }),
  };
}

function compareInstances(a: StudyInstance, b: StudyInstance): number {
  return compare([a.instanceNumber, a.sopInstanceUID], [b.instanceNumber, b.sopInstanceUID]);
}

type OrderKey = readonly [number: number | undefined, uid: string];

function compare([aNumber = Infinity, aUID]: OrderKey, [bNumber = Infinity, bUID]: OrderKey): number {
  if (aNumber !== bNumber) return aNumber < bNumber ? -1 : 1;
  if (aUID === bUID) return 0;
  return aUID < bUID ? -1 : 1;
}
