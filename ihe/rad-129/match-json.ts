/** Matches of queries as DICOM JSON. @see DICOM PS3.18 section 10.6.3 */
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import type { DicomJson, JsonAttribute, JsonValue } from '../../profiles/dicom/json/json.ts';
import type { IncludedFields } from './query-options.ts';

/** An attribute by keyword; values that are not known are left out, and an attribute without values is empty. */
export type Attribute = readonly [
  keyword: keyof typeof TAG,
  vr: JsonAttribute['vr'],
  ...values: (JsonValue | undefined)[],
];

/** Tags as they are written, by keyword. */
const WRITTEN = Object.fromEntries(Object.entries(TAG).map(([keyword, tag]) => [keyword, formatTag(tag)])) as Readonly<
  Record<keyof typeof TAG, string>
>;

/** Formats attributes, in ascending order of their tags. */
export function toMatch(attributes: readonly Attribute[]): DicomJson {
  const match: Record<string, JsonAttribute> = {};
  for (const [keyword, vr, ...values] of attributes.toSorted(([a], [b]) => TAG[a] - TAG[b])) {
    const known = values.filter((value) => value !== undefined);
    match[WRITTEN[keyword]] = known.length === 0 ? { vr } : { vr, Value: known };
  }
  return match;
}

/**
 * What is the same in all instances of a series: attributes of the patient, the study, the series and its equipment.
 */
const OF_SERIES: ReadonlySet<string> = tagsOf([
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'ReferringPhysicianName',
  'StudyDescription',
  'ProcedureCodeSequence',
  'StudyID',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'PatientAge',
  'SeriesDate',
  'SeriesTime',
  'SeriesDescription',
  'PerformingPhysicianName',
  'OperatorsName',
  'BodyPartExamined',
  'ProtocolName',
  'Laterality',
  'FrameOfReferenceUID',
  'Manufacturer',
  'InstitutionName',
  'StationName',
  'InstitutionalDepartmentName',
  'ManufacturerModelName',
  'DeviceSerialNumber',
  'TimezoneOffsetFromUTC',
]);

/**
 * What each series is returned with (table 10.6.3-4), where its images say it; instances too, where the path names no
 * series.
 */
const USUAL_OF_SERIES: ReadonlySet<string> = tagsOf([
  'SpecificCharacterSet',
  'Modality',
  'TimezoneOffsetFromUTC',
  'SeriesDescription',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'SeriesNumber',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'RequestAttributesSequence',
]);

/** What each instance is returned with (table 10.6.3-5). */
const USUAL_OF_INSTANCE: ReadonlySet<string> = tagsOf([
  'SpecificCharacterSet',
  'SOPClassUID',
  'SOPInstanceUID',
  'TimezoneOffsetFromUTC',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'InstanceNumber',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'BitsAllocated',
]);

/** An instance, as far as a match names it. */
export type MatchedInstance = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
};

/** A series by one of its instances, and how many it has. */
export type MatchedSeries = { readonly row: MatchedInstance; readonly instances: number };

/** How matches are formatted. */
export type MatchOptions = {
  readonly included: IncludedFields;
  /** Address of the door. */
  readonly baseUrl: string;
  /** Whether the path names the series, whose attributes need not be repeated. */
  readonly isOfSeries: boolean;
  /** Attributes of the study, where the path does not name it. */
  readonly ofStudy?: DicomJson;
};

/** A series by the metadata of its first instance. */
export function toSeriesMatch(
  metadata: DicomJson,
  { row, instances }: MatchedSeries,
  { included, baseUrl, ofStudy = {} }: MatchOptions,
): DicomJson {
  const isWanted = (tag: string): boolean =>
    USUAL_OF_SERIES.has(tag) || (OF_SERIES.has(tag) && isIncluded(included, tag));
  return inOrder({
    ...ofStudy,
    ...placeOf(row),
    ...picked(metadata, isWanted),
    ...toMatch([
      ['RetrieveURL', 'UR', seriesUrl(row, baseUrl)],
      ['NumberOfSeriesRelatedInstances', 'IS', instances],
    ]),
  });
}

/** An instance by its metadata. */
export function toInstanceMatch(
  metadata: DicomJson,
  row: MatchedInstance,
  { included, baseUrl, isOfSeries, ofStudy = {} }: MatchOptions,
): DicomJson {
  const isWanted = (tag: string): boolean =>
    USUAL_OF_INSTANCE.has(tag) || (!isOfSeries && USUAL_OF_SERIES.has(tag)) || isIncluded(included, tag);
  return inOrder({
    ...ofStudy,
    ...placeOf(row),
    ...toMatch([
      ['SOPClassUID', 'UI', row.sopClassUID],
      ['SOPInstanceUID', 'UI', row.sopInstanceUID],
    ]),
    ...picked(metadata, isWanted),
    ...toMatch([
      ['InstanceAvailability', 'CS', 'ONLINE'],
      ['RetrieveURL', 'UR', `${seriesUrl(row, baseUrl)}/instances/${row.sopInstanceUID}`],
      ['AvailableTransferSyntaxUID', 'UI', row.transferSyntaxUID],
    ]),
  });
}

function placeOf(row: MatchedInstance): DicomJson {
  return toMatch([
    ['StudyInstanceUID', 'UI', row.studyInstanceUID],
    ['SeriesInstanceUID', 'UI', row.seriesInstanceUID],
  ]);
}

function seriesUrl({ studyInstanceUID, seriesInstanceUID }: MatchedInstance, baseUrl: string): string {
  return `${baseUrl}/studies/${studyInstanceUID}/series/${seriesInstanceUID}`;
}

function isIncluded({ isAll, tags }: IncludedFields, tag: string): boolean {
  return isAll || tags.has(tag);
}

function picked(metadata: DicomJson, isWanted: (tag: string) => boolean): DicomJson {
  return Object.fromEntries(Object.entries(metadata).filter(([tag]) => isWanted(tag)));
}

function inOrder(json: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function tagsOf(keywords: readonly (keyof typeof TAG)[]): ReadonlySet<string> {
  return new Set(keywords.map((keyword) => formatTag(TAG[keyword])));
}
