/**
 * The DICOMDIR of a File-set: patients, their studies, series and instances as records that lead to each other by
 * their offsets in the file. @see DICOM PS3.3 Annex F, PS3.10 sections 7 and 8
 */
import { DICOM_UID } from '../../codes.ts';
import { TAG } from '../attributes.ts';
import { formatTag } from '../data-element.ts';
import { formatFileMeta } from '../file/file-meta.ts';
import { headerOf } from '../file/rewrite.ts';
import type { DicomJson } from '../json/json.ts';
import { writeAttribute, writeElement, writeItem, type MadeElement } from './json-element.ts';
import { keysOf, recordTypeOf } from './record-type.ts';

/** An instance of the File-set; its header has what {@link keysOf} its record names. */
export type MediaInstance = {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  readonly instanceNumber: number | undefined;
  /** Components of its File ID: 8 at most, of 1 to 8 characters A-Z, 0-9 and underscore (PS3.10 8.5). */
  readonly fileId: readonly string[];
  readonly header: DicomJson;
};

/** A series: its header has {@link SERIES_KEYS}, as its first instance says them. */
export type MediaSeries = { readonly header: DicomJson; readonly instances: readonly MediaInstance[] };

/** The records of one study, written: offsets in them count from their own beginning. */
export type StudyRecords = {
  readonly patientId: string;
  /** The elements of the record of the patient, as this study tells her. */
  readonly patient: readonly Uint8Array[];
  readonly records: Buffer;
};

/** What records of patients, studies and series say of a series. */
export const SERIES_KEYS: readonly number[] = [
  TAG.PatientName,
  TAG.PatientID,
  TAG.StudyDate,
  TAG.StudyTime,
  TAG.AccessionNumber,
  TAG.StudyDescription,
  TAG.StudyInstanceUID,
  TAG.StudyID,
  TAG.Modality,
  TAG.SeriesInstanceUID,
  TAG.SeriesNumber,
];

/** A record: where the two offsets of its item lie, which lead to the next one and to what is below. */
const NEXT_AT = 16;
const LOWER_AT = 38;
/** An offset that leads nowhere: no record lies at the beginning of the file. */
const NOWHERE = 0;
/** Where a value that must be there is not: nobody takes it for one that was said. */
const UNKNOWN = { date: '19000101', time: '000000', id: 'UNKNOWN', modality: 'OT' } as const;

/** Writes the records of a study, each series once; `number` (from 1) stands for a Study ID that is missing. */
export function studyRecords(number: number, series: readonly MediaSeries[]): StudyRecords {
  const header = series[0]?.header ?? {};
  const study = record('STUDY', [
    ...withDefault(header, { tag: TAG.StudyDate, vr: 'DA', value: UNKNOWN.date }),
    ...withDefault(header, { tag: TAG.StudyTime, vr: 'TM', value: UNKNOWN.time }),
    ...withDefault(header, { tag: TAG.AccessionNumber, vr: 'SH', value: '' }),
    ...withDefault(header, { tag: TAG.StudyDescription, vr: 'LO', value: '' }),
    ...withDefault(header, { tag: TAG.StudyInstanceUID, vr: 'UI', value: '' }),
    ...withDefault(header, { tag: TAG.StudyID, vr: 'SH', value: String(number) }),
  ]);
  const records = [study];
  let at = study.length;
  if (series.length > 0) study.writeUInt32LE(at, LOWER_AT);
  for (const [index, one] of series.entries()) {
    const written = seriesRecords(index + 1, one, at);
    at += written.reduce((sum, { length }) => sum + length, 0);
    if (index + 1 < series.length) written[0]?.writeUInt32LE(at, NEXT_AT);
    records.push(...written);
  }
  return {
    patientId: textIn(header, TAG.PatientID) ?? UNKNOWN.id,
    patient: [
      ...withDefault(header, { tag: TAG.PatientName, vr: 'PN', value: '' }),
      ...withDefault(header, { tag: TAG.PatientID, vr: 'LO', value: UNKNOWN.id }),
    ],
    records: Buffer.concat(records),
  };
}

/** Writes the file, its records by patient. */
export function* writeDicomdir(fileSetUID: string, studies: readonly StudyRecords[]): Generator<Uint8Array> {
  const meta = formatFileMeta({
    sopClassUID: DICOM_UID.mediaStorageDirectory,
    sopInstanceUID: fileSetUID,
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
  });
  const patients = [...Map.groupBy(studies, ({ patientId }) => patientId).values()].map(patientRecords);
  const length = patients.reduce((sum, { size }) => sum + size, 0);
  // The offsets are of fixed length, so that where the first record lies does not depend on what they say.
  const begin = meta.length + fileSetElements(0, 0, length).length;
  const starts: number[] = [];
  for (let at = begin; starts.length < patients.length; at += patients[starts.length - 1]?.size ?? 0) starts.push(at);
  yield meta;
  yield fileSetElements(starts[0] ?? NOWHERE, starts.at(-1) ?? NOWHERE, length);
  for (const [index, { patient, studies: below }] of patients.entries())
    yield* placed(patient, below, starts[index] ?? begin, starts[index + 1] ?? NOWHERE);
}

type PatientRecords = { readonly patient: Buffer; readonly studies: readonly Buffer[]; readonly size: number };

function patientRecords(all: readonly StudyRecords[]): PatientRecords {
  const patient = record('PATIENT', all[0]?.patient ?? []);
  const studies = all.map(({ records }) => records);
  return { patient, studies, size: studies.reduce((sum, { length }) => sum + length, patient.length) };
}

/** A patient and her studies at their place in the file. */
function* placed(
  patient: Buffer,
  studies: readonly Buffer[],
  start: number,
  nextPatient: number,
): Generator<Uint8Array> {
  patient.writeUInt32LE(nextPatient, NEXT_AT);
  patient.writeUInt32LE(start + patient.length, LOWER_AT);
  yield patient;
  let at = start + patient.length;
  for (const [index, records] of studies.entries()) {
    const moved = Buffer.from(records);
    for (let item = 0; item < moved.length; item += 8 + moved.readUInt32LE(item + 4)) {
      for (const place of [item + NEXT_AT, item + LOWER_AT]) {
        const offset = moved.readUInt32LE(place);
        if (offset !== NOWHERE) moved.writeUInt32LE(at + offset, place);
      }
    }
    at += moved.length;
    if (index + 1 < studies.length) moved.writeUInt32LE(at, NEXT_AT);
    yield moved;
  }
}

/** What stands before the first record. */
function fileSetElements(first: number, last: number, length: number): Buffer {
  return Buffer.concat([
    writeElement({ tag: TAG.FileSetID, vr: 'CS', value: 'PASSERELLE' }),
    writeElement({ tag: TAG.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, vr: 'UL', value: first }),
    writeElement({ tag: TAG.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity, vr: 'UL', value: last }),
    writeElement({ tag: TAG.FileSetConsistencyFlag, vr: 'US', value: 0 }),
    headerOf(TAG.DirectoryRecordSequence, 'SQ', length),
  ]);
}

function seriesRecords(number: number, { header, instances }: MediaSeries, start: number): readonly Buffer[] {
  const series = record('SERIES', [
    ...withDefault(header, { tag: TAG.Modality, vr: 'CS', value: UNKNOWN.modality }),
    ...withDefault(header, { tag: TAG.SeriesInstanceUID, vr: 'UI', value: '' }),
    ...withDefault(header, { tag: TAG.SeriesNumber, vr: 'IS', value: String(number) }),
  ]);
  let at = start + series.length;
  if (instances.length > 0) series.writeUInt32LE(at, LOWER_AT);
  const below = instances.map((instance, index) => {
    const one = instanceRecord(instance, index + 1);
    at += one.length;
    if (index + 1 < instances.length) one.writeUInt32LE(at, NEXT_AT);
    return one;
  });
  return [series, ...below];
}

function instanceRecord(instance: MediaInstance, number: number): Buffer {
  const { sopClassUID, sopInstanceUID, transferSyntaxUID, fileId, header, instanceNumber = number } = instance;
  const type = recordTypeOf(sopClassUID);
  const keys = keysOf(type);
  const written = new Map(keys.map((tag) => [tag, writeAttribute(header, tag)]));
  written.set(TAG.InstanceNumber, writeElement({ tag: TAG.InstanceNumber, vr: 'IS', value: String(instanceNumber) }));
  const tags = [...written.keys()].toSorted((one, other) => one - other);
  return record(
    type,
    tags.flatMap((tag) => written.get(tag) ?? []),
    [
      // What the private class is, the record says by the class itself: there is no other name for it.
      ...(type === 'PRIVATE' ? [writeElement({ tag: TAG.PrivateRecordUID, vr: 'UI', value: sopClassUID })] : []),
      writeElement({ tag: TAG.ReferencedFileID, vr: 'CS', value: fileId.join('\\') }),
      writeElement({ tag: TAG.ReferencedSOPClassUIDInFile, vr: 'UI', value: sopClassUID }),
      writeElement({ tag: TAG.ReferencedSOPInstanceUIDInFile, vr: 'UI', value: sopInstanceUID }),
      writeElement({ tag: TAG.ReferencedTransferSyntaxUIDInFile, vr: 'UI', value: transferSyntaxUID }),
    ],
  );
}

/** A record that leads nowhere yet. */
function record(type: string, keys: readonly Uint8Array[], file: readonly Uint8Array[] = []): Buffer {
  return writeItem([
    writeElement({ tag: TAG.OffsetOfTheNextDirectoryRecord, vr: 'UL', value: NOWHERE }),
    writeElement({ tag: TAG.RecordInUseFlag, vr: 'US', value: 0xff_ff }),
    writeElement({ tag: TAG.OffsetOfReferencedLowerLevelDirectoryEntity, vr: 'UL', value: NOWHERE }),
    writeElement({ tag: TAG.DirectoryRecordType, vr: 'CS', value: type }),
    ...file,
    writeElement({ tag: TAG.SpecificCharacterSet, vr: 'CS', value: 'ISO_IR 192' }),
    ...keys,
  ]);
}

/** The attribute as the header has it; made, where it has none. */
function withDefault(header: DicomJson, made: MadeElement): readonly Uint8Array[] {
  const isSaid = (header[formatTag(made.tag)]?.Value ?? []).some((value) => value !== null && value !== '');
  return [(isSaid ? writeAttribute(header, made.tag) : undefined) ?? writeElement(made)];
}

function textIn(header: DicomJson, tag: number): string | undefined {
  const [value] = header[formatTag(tag)]?.Value ?? [];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
