/**
 * Builds the imaging manifest of XDS-I.b: the Key Object Selection document that lists every instance of a study
 * and where to retrieve it. Pure: UIDs and times are arguments, the same input gives the same bytes.
 * @see RAD TF-3 4.68.4.1.2.3; DICOM PS3.3 A.35.4; DICOM PS3.16 TID 2010
 */
import { DICOM_UID } from '../../profiles/codes.ts';
import { Fault } from '../../profiles/fault.ts';
import { formatFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { sequenceElement, textElement, writeDataset } from './dataset.ts';
import type { DataElement } from './dataset.ts';
import { referenceValueType } from './value-type.ts';

/** SeriesNumber of the manifest's own series: any number will do, French sources use this one. */
const SERIES_NUMBER = '59';

/** One instance of the study. */
export type ManifestInstance = { readonly sopClassUID: string; readonly sopInstanceUID: string };

/** One series of the study with its instances (1..*). */
export type ManifestSeries = {
  readonly seriesInstanceUID: string;
  /** Where the series is retrieved by DICOMweb: ASCII, already percent-encoded. */
  readonly retrieveURL: string;
  readonly instances: readonly ManifestInstance[];
};

/** The patient as the images name her; absent values are written empty (type 2). */
export type ManifestPatient = {
  /** PN, as `FAMILY^Given`. */
  readonly name: string;
  readonly id: string;
  /** Assigning authority of the identifier. */
  readonly issuer?: { readonly oid: string };
  /** YYYYMMDD */
  readonly birthDate?: string;
  /** M, F or O. */
  readonly sex?: string;
};

/** What a manifest is built from. Dates are DA (YYYYMMDD), times are TM (HHMMSS). */
export type ManifestInput = {
  /** UIDs of the manifest itself: different from those of the images. */
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
  /** The study it lists and belongs to. */
  readonly studyInstanceUID: string;
  readonly patient: ManifestPatient;
  readonly accessionNumber?: string;
  readonly accessionIssuerOid?: string;
  readonly studyDate?: string;
  readonly studyTime?: string;
  readonly studyId?: string;
  readonly referringPhysicianName?: string;
  readonly institutionName?: string;
  readonly manufacturer: string;
  readonly contentDate: string;
  readonly contentTime: string;
  /** Offset of all times from UTC, as `+0100`. */
  readonly timezoneOffset?: string;
  /** Text for readers, (113012, DCM, "Key Object Description"). */
  readonly description?: string;
  /** Retrieve Location UID, which RAD-69 requests repeat. */
  readonly repositoryUniqueId: string;
  readonly retrieveAETitle: string;
  /** 1..* */
  readonly series: readonly ManifestSeries[];
};

/**
 * Builds the manifest as DICOM Part 10 bytes: explicit VR little endian, ISO_IR 192. Series and instances keep
 * their order.
 * @throws {Fault} required - no series, a series without instances, or an empty value that a manifest must have
 * @throws {Fault} invalid - a value that does not fit its VR, or a UID of the manifest that an image has
 */
export function buildManifest(input: ManifestInput): Uint8Array {
  checkInput(input);
  const dataset = writeDataset([
    ...patientElements(input.patient),
    ...studyElements(input),
    ...seriesElements(input),
    ...documentElements(input),
    ...contentElements(input),
  ]);
  const meta = formatFileMeta({
    sopClassUID: DICOM_UID.keyObjectSelection,
    sopInstanceUID: input.sopInstanceUID,
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
  });
  return Buffer.concat([meta, dataset]);
}

function checkInput(input: ManifestInput): void {
  const { series } = input;
  if (series.length === 0 || series.some(({ instances }) => instances.length === 0)) {
    throw new Fault('required', 'A manifest needs at least one series, and one instance in each series');
  }
  const required = ['sopInstanceUID', 'seriesInstanceUID', 'studyInstanceUID', 'contentDate', 'contentTime',
    'repositoryUniqueId', 'retrieveAETitle'] as const;
  const missing = required.find((name) => input[name] === '');
  if (missing !== undefined) throw new Fault('required', `A manifest needs ${missing}`, { expression: missing });
  const listed = new Set(series.flatMap(({ seriesInstanceUID, instances }) =>
    [seriesInstanceUID, ...instances.map(({ sopInstanceUID }) => sopInstanceUID)]));
  if (listed.has(input.sopInstanceUID) || listed.has(input.seriesInstanceUID)) {
    throw new Fault('invalid', 'A manifest needs a SOP Instance UID and a Series Instance UID of its own');
  }
}

/** Patient module. @see DICOM PS3.3 C.7.1.1 */
function patientElements({ name, id, issuer, birthDate, sex }: ManifestPatient): DataElement[] {
  return [
    textElement(0x00100010, 'PN', name),
    textElement(0x00100020, 'LO', id),
    ...(issuer === undefined ? [] : [issuerElement(0x00100024, issuer.oid)]),
    textElement(0x00100030, 'DA', birthDate),
    textElement(0x00100040, 'CS', sex),
  ];
}

/** General Study module. @see DICOM PS3.3 C.7.2.1 */
function studyElements(input: ManifestInput): DataElement[] {
  return [
    textElement(0x00080020, 'DA', input.studyDate),
    textElement(0x00080030, 'TM', input.studyTime),
    ...accessionElements(input),
    textElement(0x00080090, 'PN', input.referringPhysicianName),
    textElement(0x0020000d, 'UI', input.studyInstanceUID),
    textElement(0x00200010, 'SH', input.studyId),
  ];
}

/** Key Object Document Series and General Equipment modules. @see DICOM PS3.3 C.17.6.1, C.7.5.1 */
function seriesElements(input: ManifestInput): DataElement[] {
  return [
    textElement(0x00080060, 'CS', 'KO'),
    textElement(0x00080070, 'LO', input.manufacturer),
    ...(input.institutionName === undefined ? [] : [textElement(0x00080080, 'LO', input.institutionName)]),
    sequenceElement(0x00081111, []),
    textElement(0x0020000e, 'UI', input.seriesInstanceUID),
    textElement(0x00200011, 'IS', SERIES_NUMBER),
  ];
}

/** Key Object Document and SOP Common modules. @see DICOM PS3.3 C.17.6.2, C.12.1 */
function documentElements(input: ManifestInput): DataElement[] {
  const { studyInstanceUID, series } = input;
  return [
    textElement(0x00080005, 'CS', 'ISO_IR 192'),
    textElement(0x00080016, 'UI', DICOM_UID.keyObjectSelection),
    textElement(0x00080018, 'UI', input.sopInstanceUID),
    textElement(0x00080023, 'DA', input.contentDate),
    textElement(0x00080033, 'TM', input.contentTime),
    ...(input.timezoneOffset === undefined ? [] : [textElement(0x00080201, 'SH', input.timezoneOffset)]),
    textElement(0x00200013, 'IS', '1'),
    sequenceElement(0x0040a370, [requestItem(input)]),
    sequenceElement(0x0040a375, [[
      sequenceElement(0x00081115, series.map((one) => evidenceItem(one, input))),
      textElement(0x0020000d, 'UI', studyInstanceUID),
    ]]),
  ];
}

/** Referenced Request Sequence: only the accession number is known, the rest is type 2. */
function requestItem(input: ManifestInput): DataElement[] {
  return [
    ...accessionElements(input),
    sequenceElement(0x00081110, []),
    textElement(0x0020000d, 'UI', input.studyInstanceUID),
    textElement(0x00321060, 'LO', undefined),
    sequenceElement(0x00321064, []),
    textElement(0x00401001, 'SH', undefined),
    textElement(0x00402016, 'LO', undefined),
    textElement(0x00402017, 'LO', undefined),
  ];
}

/** One series of the Current Requested Procedure Evidence Sequence, with where to retrieve it. */
function evidenceItem(series: ManifestSeries, input: ManifestInput): DataElement[] {
  return [
    textElement(0x00080054, 'AE', input.retrieveAETitle),
    textElement(0x00081190, 'UR', series.retrieveURL),
    sequenceElement(0x00081199, series.instances.map(referenceItem)),
    textElement(0x0020000e, 'UI', series.seriesInstanceUID),
    textElement(0x0040e011, 'UI', input.repositoryUniqueId),
  ];
}

/** SR Document Content module, by TID 2010: title, description, one reference for each instance. */
function contentElements({ description, series }: ManifestInput): DataElement[] {
  const text = description === undefined || description === '' ? [] : [descriptionItem(description)];
  const references = series.flatMap(({ instances }) => instances).map(contentItem);
  return [
    textElement(0x0040a040, 'CS', 'CONTAINER'),
    codeElement(0x0040a043, '113030', 'Manifest'),
    textElement(0x0040a050, 'CS', 'SEPARATE'),
    sequenceElement(0x0040a504, [[textElement(0x00080105, 'CS', 'DCMR'), textElement(0x0040db00, 'CS', '2010')]]),
    sequenceElement(0x0040a730, [...text, ...references]),
  ];
}

function descriptionItem(description: string): DataElement[] {
  return [
    textElement(0x0040a010, 'CS', 'CONTAINS'),
    textElement(0x0040a040, 'CS', 'TEXT'),
    codeElement(0x0040a043, '113012', 'Key Object Description'),
    textElement(0x0040a160, 'UT', description),
  ];
}

function contentItem(instance: ManifestInstance): DataElement[] {
  return [
    sequenceElement(0x00081199, [referenceItem(instance)]),
    textElement(0x0040a010, 'CS', 'CONTAINS'),
    textElement(0x0040a040, 'CS', referenceValueType(instance.sopClassUID)),
  ];
}

function referenceItem({ sopClassUID, sopInstanceUID }: ManifestInstance): DataElement[] {
  return [textElement(0x00081150, 'UI', sopClassUID), textElement(0x00081155, 'UI', sopInstanceUID)];
}

function accessionElements({ accessionNumber, accessionIssuerOid }: ManifestInput): DataElement[] {
  return [
    textElement(0x00080050, 'SH', accessionNumber),
    ...(accessionIssuerOid === undefined ? [] : [issuerElement(0x00080051, accessionIssuerOid)]),
  ];
}

/** An assigning authority that is an OID. @see DICOM PS3.3 table 10-17 */
function issuerElement(tag: number, oid: string): DataElement {
  return sequenceElement(tag, [[textElement(0x00400032, 'UT', oid), textElement(0x00400033, 'CS', 'ISO')]]);
}

/** A code of the DICOM Controlled Terminology. */
function codeElement(tag: number, code: string, meaning: string): DataElement {
  return sequenceElement(tag, [[
    textElement(0x00080100, 'SH', code),
    textElement(0x00080102, 'SH', 'DCM'),
    textElement(0x00080104, 'LO', meaning),
  ]]);
}
