/**
 * What a DICOMDIR tells of an instance: the type of its directory record and the attributes that the record repeats.
 * @see DICOM PS3.3 F.4 and F.5
 */
import { DICOM_UID } from '../../codes.ts';
import { TAG } from '../attributes.ts';

/** A type of record for instances (PS3.3 F.5), those of SOP classes that a series holds. */
export type InstanceRecordType = keyof typeof KEYS;

const CONTENT = [TAG.ContentDate, TAG.ContentTime] as const;
const CONTENT_ID = [...CONTENT, TAG.ContentLabel, TAG.ContentDescription, TAG.ContentCreatorName] as const;

/** Attributes of each type beside the Instance Number, which all have. */
const KEYS = {
  IMAGE: [],
  'RT DOSE': [TAG.DoseSummationType],
  'RT STRUCTURE SET': [TAG.StructureSetLabel, TAG.StructureSetDate, TAG.StructureSetTime],
  'RT PLAN': [TAG.RTPlanLabel, TAG.RTPlanDate, TAG.RTPlanTime],
  'RT TREAT RECORD': [TAG.TreatmentDate, TAG.TreatmentTime],
  PRESENTATION: [
    TAG.ContentLabel,
    TAG.ContentDescription,
    TAG.PresentationCreationDate,
    TAG.PresentationCreationTime,
    TAG.ContentCreatorName,
    TAG.ReferencedSeriesSequence,
    TAG.BlendingSequence,
  ],
  WAVEFORM: CONTENT,
  'SR DOCUMENT': [
    ...CONTENT,
    TAG.VerificationDateTime,
    TAG.ConceptNameCodeSequence,
    TAG.CompletionFlag,
    TAG.VerificationFlag,
  ],
  'KEY OBJECT DOC': [...CONTENT, TAG.ConceptNameCodeSequence],
  SPECTROSCOPY: [
    TAG.ImageType,
    ...CONTENT,
    TAG.ReferencedImageEvidenceSequence,
    TAG.NumberOfFrames,
    TAG.Rows,
    TAG.Columns,
    TAG.DataPointRows,
    TAG.DataPointColumns,
  ],
  'RAW DATA': CONTENT_ID,
  REGISTRATION: CONTENT_ID,
  FIDUCIAL: CONTENT_ID,
  'VALUE MAP': CONTENT_ID,
  STEREOMETRIC: CONTENT_ID,
  MEASUREMENT: CONTENT,
  SURFACE: CONTENT_ID,
  'SURFACE SCAN': CONTENT,
  TRACT: CONTENT_ID,
  ASSESSMENT: CONTENT,
  RADIOTHERAPY: CONTENT_ID,
  PLAN: CONTENT_ID,
  'ENCAP DOC': [
    ...CONTENT,
    TAG.ConceptNameCodeSequence,
    TAG.HL7InstanceIdentifier,
    TAG.DocumentTitle,
    TAG.MIMETypeOfEncapsulatedDocument,
  ],
  PRIVATE: [],
} as const satisfies Record<string, readonly number[]>;

/** Numbers below the prefix of storage classes; the first that fits counts. What fits none is an image. */
const TYPES: readonly (readonly [RegExp, InstanceRecordType])[] = [
  [/^4\.2$/, 'SPECTROSCOPY'],
  [/^9\./, 'WAVEFORM'],
  [/^(11\.|131$)/, 'PRESENTATION'],
  [/^66$/, 'RAW DATA'],
  [/^66\.[13]$/, 'REGISTRATION'],
  [/^66\.2$/, 'FIDUCIAL'],
  [/^66\.5$/, 'SURFACE'],
  [/^66\.6$/, 'TRACT'],
  [/^67$/, 'VALUE MAP'],
  [/^68\./, 'SURFACE SCAN'],
  [/^77\.1\.5\.3$/, 'STEREOMETRIC'],
  [/^(78\.|79\.1$|80\.1$)/, 'MEASUREMENT'],
  [/^88\.59$/, 'KEY OBJECT DOC'],
  [/^88\./, 'SR DOCUMENT'],
  [/^90\./, 'ASSESSMENT'],
  // ANNOTATION of later editions: readers of earlier ones give up the whole File-set over a type that they do not know.
  [/^91\./, 'RAW DATA'],
  [/^104\./, 'ENCAP DOC'],
  [/^481\.2$/, 'RT DOSE'],
  [/^481\.3$/, 'RT STRUCTURE SET'],
  [/^481\.[58]$/, 'RT PLAN'],
  [/^481\.[4679]$/, 'RT TREAT RECORD'],
  [/^481\.(1\d|2\d)$/, 'RADIOTHERAPY'],
];

/** The type of the record of an instance. A private SOP class has one of its own; delivery instructions are plans. */
export function recordTypeOf(sopClassUID: string): InstanceRecordType {
  if (!sopClassUID.startsWith(DICOM_UID.standardRoot)) return 'PRIVATE';
  if (!sopClassUID.startsWith(DICOM_UID.storageClassPrefix)) return 'PLAN';
  const number = sopClassUID.slice(DICOM_UID.storageClassPrefix.length);
  return TYPES.find(([pattern]) => pattern.test(number))?.[1] ?? 'IMAGE';
}

/** The attributes that a record repeats of its instance, by tag, the Instance Number beside them. */
export function keysOf(type: InstanceRecordType): readonly number[] {
  return KEYS[type];
}
