/** DICOM files made element by element, and files put into the clinic as its own studies of Anne. */
import { createHash } from 'node:crypto';
import { DICOM_UID, CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { TAG, uidOf } from '../../../../profiles/dicom/attributes.ts';
import { bulkDataURIOf } from '../../../../profiles/dicom/json/bulk-data-uri.ts';
import { scanHeader } from '../../../../profiles/dicom/dataset.ts';
import { formatFileMeta, parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { toDicomJson } from '../../../../profiles/dicom/json/json.ts';
import { studyIdentifier } from '../../../../profiles/imaging/identifiers.ts';
import { putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { InstanceRow } from '../../../../server/ports/commit-plan.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPlan, aStudyClaim, NOW } from '../../../support/plans.ts';
import { CLINIC, type Clinic } from '../clinic.ts';
import { commitPlan } from '../../../support/warrants.ts';

const LONG = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'UN', 'UT'];
const UNDEFINED_LENGTH = 0xff_ff_ff_ff;

/** An explicit VR element; numbers are US. `length` writes another length than that of the value. */
export function element(
  tag: number,
  vr: string,
  value: Buffer | string | number,
  { bigEndian = false, length }: { bigEndian?: boolean; length?: number } = {},
): Buffer {
  const bytes =
    typeof value === 'number'
      ? uint16(value, bigEndian)
      : typeof value === 'string'
        ? Buffer.from(value.length % 2 ? `${value} ` : value, 'latin1')
        : value;
  const isLong = LONG.includes(vr);
  const header = Buffer.alloc(isLong ? 12 : 8);
  const [group, number] = [tag >>> 16, tag & 0xffff];
  Buffer.concat([uint16(group, bigEndian), uint16(number, bigEndian), Buffer.from(vr)]).copy(header);
  const written = length ?? bytes.length;
  if (!isLong) uint16(written, bigEndian).copy(header, 6);
  else if (bigEndian) header.writeUInt32BE(written, 8);
  else header.writeUInt32LE(written, 8);
  return Buffer.concat([header, bytes]);
}

function uint16(value: number, bigEndian: boolean): Buffer {
  return Buffer.from(bigEndian ? [value >> 8, value & 0xff] : [value & 0xff, value >> 8]);
}

/** An item of encapsulated pixel data or of a sequence. */
export function item(content: Buffer): Buffer {
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

/** Encapsulated pixel data: the offset table, the fragments, the end. */
export function encapsulated(table: readonly number[], fragments: readonly Buffer[]): Buffer {
  const offsets = Buffer.alloc(table.length * 4);
  table.forEach((offset, at) => offsets.writeUInt32LE(offset, at * 4));
  const end = Buffer.from('feffdde000000000', 'hex');
  return element(0x7fe00010, 'OB', Buffer.concat([item(offsets), ...fragments.map(item), end]), {
    length: UNDEFINED_LENGTH,
  });
}

/** What an image of the tests is: its size, its frames, and its pixel data element. */
export type Image = {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly frames?: string;
  readonly samples?: number;
  readonly photometric?: string;
  readonly bigEndian?: boolean;
};

/**
 * The data set of an image, explicit VR; `pixels` are elements from the pixel data on, `before` those between 0028 and
 * it.
 */
export function imageDataSet(
  uids: { readonly study: string; readonly sop: string },
  image: Image,
  ...pixels: readonly Buffer[]
): Buffer {
  const order = { bigEndian: image.bigEndian === true };
  const text = (tag: number, vr: string, value: string): Buffer =>
    element(tag, vr, vr === 'UI' && value.length % 2 ? `${value}\0` : value, order);
  return Buffer.concat([
    text(0x00080016, 'UI', `${DICOM_UID.storageClassPrefix}7.2`),
    text(0x00080018, 'UI', uids.sop),
    text(0x00080060, 'CS', 'OT'),
    text(0x00100010, 'PN', 'Essai^Anne'),
    text(0x00100020, 'LO', 'pat-1'),
    text(0x0020000d, 'UI', uids.study),
    text(0x0020000e, 'UI', `${uids.study}.1`),
    text(0x00200013, 'IS', '1'),
    element(0x00280002, 'US', image.samples ?? 1, order),
    text(0x00280004, 'CS', image.photometric ?? 'MONOCHROME2'),
    ...(image.frames === undefined ? [] : [text(0x00280008, 'IS', image.frames)]),
    element(0x00280010, 'US', image.rows, order),
    element(0x00280011, 'US', image.columns, order),
    element(0x00280100, 'US', image.bits, order),
    ...pixels,
  ]);
}

/** A Part 10 file of a data set. */
export function part10(
  dataSet: Buffer,
  sopInstanceUID: string,
  transferSyntaxUID: string,
  sopClassUID = `${DICOM_UID.storageClassPrefix}7.2`,
): Buffer {
  return Buffer.concat([formatFileMeta({ sopClassUID, sopInstanceUID, transferSyntaxUID }), dataSet]);
}

let files = 0;

/** UIDs that no other study has. */
export function freshUIDs(): { study: string; sop: string } {
  files += 1;
  return { study: `2.25.700.${files}`, sop: `2.25.700.${files}.1.1` };
}

/** Where a stored file is asked for. */
export type StoredFile = {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly uids: { readonly study: string; readonly sop: string };
};

/** A file and the place it takes, whatever UIDs are in it. */
export type PlacedFile = {
  readonly bytes: Uint8Array;
  readonly sop: string;
  readonly series?: number;
  readonly number?: number;
};

/** Puts a file into the clinic, as a study of its own. */
export async function addFile(clinic: Clinic, bytes: Uint8Array, uids = freshUIDs()): Promise<StoredFile> {
  await addStudyOfFiles(clinic, uids.study, [{ bytes, sop: uids.sop }]);
  const study = `/studies/${uids.study}`;
  const series = `${study}/series/${uids.study}.1`;
  return { study, series, instance: `${series}/instances/${uids.sop}`, uids };
}

/** Puts files into the clinic as one study of Anne. */
export async function addStudyOfFiles(
  clinic: Clinic,
  studyInstanceUID: string,
  files: readonly PlacedFile[],
): Promise<void> {
  const instances = [];
  for (const file of files) instances.push(await instanceOf(clinic, studyInstanceUID, file));
  const resource = {
    resourceType: 'ImagingStudy' as const,
    id: `study-${studyInstanceUID.replaceAll('.', '-')}`,
    identifier: [studyIdentifier(studyInstanceUID)],
    status: 'available' as const,
    modality: [{ system: CODE_SYSTEM.dcm, code: 'OT' }],
    subject: { reference: 'Patient/anne' },
    started: '2020-01-01',
  };
  const { indexer } = await loadDefinitions();
  const put = putOf(indexer, resource, NOW, { person: clinic.anne.person, subject: 'Patient/anne' });
  await commitPlan(
    clinic.stores.records,
    aPlan({ puts: [put], claims: [aStudyClaim(studyInstanceUID, put)], instances }),
  );
}

async function instanceOf(
  clinic: Clinic,
  studyInstanceUID: string,
  { bytes, sop, series = 1, number = 1 }: PlacedFile,
): Promise<InstanceRow> {
  const { dataSetOffset, transferSyntaxUID } = parseFileMeta(bytes);
  const header = scanHeader(bytes.subarray(dataSetOffset), transferSyntaxUID, { isWhole: true });
  if (header === 'incomplete') throw new Error('The file is not whole');
  const writer = await clinic.images.create();
  await writer.write(bytes);
  return {
    studyInstanceUID,
    seriesInstanceUID: `${studyInstanceUID}.${series}`,
    sopInstanceUID: sop,
    sopClassUID: uidOf(header, TAG.SOPClassUID) ?? '1.2.3',
    transferSyntaxUID,
    instanceNumber: number,
    seriesNumber: series,
    blob: await writer.finish(),
    dataSetOffset,
    dataSetDigest: createHash('sha256').update(sop).digest('hex'),
    metadata: JSON.stringify(toDicomJson(header, bulkDataURIOf(sop))),
    source: CLINIC,
    person: clinic.anne.person,
    subject: 'Patient/anne',
  };
}
