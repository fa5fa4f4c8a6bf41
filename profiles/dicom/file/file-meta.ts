/** The File Meta Information of a DICOM file. @see DICOM PS3.10 section 7.1 */
import { DICOM_IMPLEMENTATION, DICOM_UID } from '../../codes.ts';
import { Fault } from '../../fault.ts';
import type { DicomDataSet } from '../data-element.ts';
import { DataSetScanner, EndOfPrefix } from './data-set-scanner.ts';
import { textOf, uidOf } from '../attributes.ts';
import { encodingOf } from './transfer-syntax.ts';

/** What the file meta information says of the object behind it. */
export type FileMeta = {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  /** AE title of the sender. */
  readonly sourceAETitle?: string;
};

/** A file meta information as read; only the transfer syntax is always there. */
export type ParsedFileMeta = Partial<FileMeta> & {
  readonly transferSyntaxUID: string;
  /** Where the data set begins. */
  readonly dataSetOffset: number;
};

const META_TAG = {
  FileMetaInformationVersion: 0x00_02_00_01,
  MediaStorageSOPClassUID: 0x00_02_00_02,
  MediaStorageSOPInstanceUID: 0x00_02_00_03,
  TransferSyntaxUID: 0x00_02_00_10,
  ImplementationClassUID: 0x00_02_00_12,
  ImplementationVersionName: 0x00_02_00_13,
  SourceApplicationEntityTitle: 0x00_02_00_16,
} as const;

const PREAMBLE_BYTES = 128;
const PREFIX = 'DICM';
const META_START = PREAMBLE_BYTES + PREFIX.length;
const META_LIMITS = { maxDepth: 1, maxElements: 64, maxSiblings: 64, maxBytes: 64 * 1024 };

/** Formats preamble (zeros), prefix and group 0002; the bytes of the data set follow them in the file. */
export function formatFileMeta(meta: FileMeta): Uint8Array {
  const elements = Buffer.concat([
    element(META_TAG.FileMetaInformationVersion, 'OB', Buffer.from([0, 1])),
    element(META_TAG.MediaStorageSOPClassUID, 'UI', padded(meta.sopClassUID, '\0')),
    element(META_TAG.MediaStorageSOPInstanceUID, 'UI', padded(meta.sopInstanceUID, '\0')),
    element(META_TAG.TransferSyntaxUID, 'UI', padded(meta.transferSyntaxUID, '\0')),
    element(META_TAG.ImplementationClassUID, 'UI', padded(DICOM_IMPLEMENTATION.classUID, '\0')),
    element(META_TAG.ImplementationVersionName, 'SH', padded(DICOM_IMPLEMENTATION.versionName, ' ')),
    ...(meta.sourceAETitle === undefined
      ? []
      : [element(META_TAG.SourceApplicationEntityTitle, 'AE', padded(meta.sourceAETitle, ' '))]),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(elements.length);
  const prefix = Buffer.concat([Buffer.alloc(PREAMBLE_BYTES), Buffer.from(PREFIX)]);
  return Buffer.concat([prefix, element(0x00_02_00_00, 'UL', length), elements]);
}

function element(tag: number, vr: string, value: Buffer): Buffer {
  const isLong = vr === 'OB';
  const header = Buffer.alloc(isLong ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xff_ff, 2);
  header.write(vr, 4, 'latin1');
  if (isLong) header.writeUInt32LE(value.length, 8);
  else header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, value]);
}

function padded(text: string, padding: string): Buffer {
  return Buffer.from(text.length % 2 === 0 ? text : text + padding, 'latin1');
}

/**
 * Parses preamble, prefix and group 0002 from the beginning of a file. The group length is not trusted: the group
 * ends where another begins, as devices write it wrong or not at all.
 * @throws {Fault} invalid - no prefix, or a malformed or cut group 0002
 * @throws {Fault} required - no TransferSyntaxUID
 */
export function parseFileMeta(bytes: Uint8Array): ParsedFileMeta {
  const prefix = String.fromCharCode(...bytes.subarray(PREAMBLE_BYTES, META_START));
  if (prefix !== PREFIX) throw new Fault('invalid', 'The file has no DICM prefix');
  const { dataSet, end } = scanGroup(bytes.subarray(META_START, META_START + META_LIMITS.maxBytes));
  const transferSyntaxUID = uidOf(dataSet, META_TAG.TransferSyntaxUID);
  if (transferSyntaxUID === undefined) {
    throw new Fault('required', 'The file names no transfer syntax', { expression: 'TransferSyntaxUID' });
  }
  const sopClassUID = uidOf(dataSet, META_TAG.MediaStorageSOPClassUID);
  const sopInstanceUID = uidOf(dataSet, META_TAG.MediaStorageSOPInstanceUID);
  const sourceAETitle = textOf(dataSet, META_TAG.SourceApplicationEntityTitle);
  return {
    transferSyntaxUID,
    dataSetOffset: META_START + end,
    ...(sopClassUID === undefined ? {} : { sopClassUID }),
    ...(sopInstanceUID === undefined ? {} : { sopInstanceUID }),
    ...(sourceAETitle === undefined ? {} : { sourceAETitle }),
  };
}

function scanGroup(bytes: Uint8Array): { dataSet: DicomDataSet; end: number } {
  const scanner = new DataSetScanner(bytes, encodingOf(DICOM_UID.explicitLittleEndian), META_LIMITS, false);
  try {
    return scanner.scanGroup(0x00_02);
  } catch (error) {
    if (error instanceof EndOfPrefix) throw new Fault('invalid', 'The file meta information is cut short');
    throw error;
  }
}
