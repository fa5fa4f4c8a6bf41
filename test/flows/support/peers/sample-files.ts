/**
 * The published sample files in a folder that senders read. Some of them are one instance in several transfer syntaxes:
 * a server keeps the first of an instance, so each further one gets a SOP Instance UID of its own, as long as the one
 * before. Not a byte is changed beside its last two digits.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { TAG, uidOf } from '../../../../profiles/dicom/attributes.ts';
import { scanHeader } from '../../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { allSampleNames, sample } from '../../../profiles/dicom/samples.ts';

/** A file, and what it says of itself. UIDs are those of the data set, else those of the file meta information. */
export type SampleFile = {
  readonly name: string;
  readonly bytes: Buffer;
  readonly dataSetOffset: number;
  readonly transferSyntaxUID: string;
  readonly sopClassUID?: string;
  readonly sopInstanceUID?: string;
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
};

/** All sample files, each instance once. */
export function sampleFiles(): readonly SampleFile[] {
  const taken = new Map<string, number>();
  return allSampleNames()
    .map((name) => describe(name, Buffer.from(sample(name))))
    .toSorted((a, b) => rank(a) - rank(b))
    .map((file) => {
      const { sopInstanceUID = file.name } = file;
      const before = taken.get(sopInstanceUID) ?? 0;
      taken.set(sopInstanceUID, before + 1);
      return before === 0 ? file : withOwnUID(file, before);
    });
}

/** Writes the files into a folder. */
export async function writeSamples(folder: string, files: readonly SampleFile[]): Promise<void> {
  await Promise.all(files.map(async ({ name, bytes }) => await writeFile(join(folder, name), bytes)));
}

/** Those that cannot be changed keep their UIDs: broken ones are left as they are, deflated ones hide their UID. */
function rank({ name, transferSyntaxUID }: SampleFile): number {
  if (name.startsWith('broken_')) return 0;
  return transferSyntaxUID === DICOM_UID.deflatedExplicitLittleEndian ? 1 : 2;
}

function describe(name: string, bytes: Buffer): SampleFile {
  const meta = metaOf(bytes);
  const header = headerOf(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID);
  const uids = (['SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID'] as const).map((keyword) =>
    header === undefined ? undefined : uidOf(header, TAG[keyword]),
  );
  const [sopClassUID = meta.sopClassUID, sopInstanceUID = meta.sopInstanceUID, studyInstanceUID, seriesInstanceUID] =
    uids;
  const named = Object.entries({ sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID }).filter(
    ([, uid]) => uid !== undefined,
  );
  return {
    name,
    bytes,
    dataSetOffset: meta.dataSetOffset,
    transferSyntaxUID: meta.transferSyntaxUID,
    ...Object.fromEntries(named),
  };
}

/** A file without preamble, or without a transfer syntax, is a data set in implicit little endian. */
function metaOf(bytes: Buffer): ReturnType<typeof parseFileMeta> {
  return (
    orUndefined(() => parseFileMeta(bytes)) ?? { dataSetOffset: 0, transferSyntaxUID: DICOM_UID.implicitLittleEndian }
  );
}

function headerOf(
  dataSet: Buffer,
  transferSyntaxUID: string,
): Exclude<ReturnType<typeof scanHeader>, 'incomplete'> | undefined {
  const header = orUndefined(() => scanHeader(dataSet, transferSyntaxUID, { isWhole: true }));
  return header === 'incomplete' ? undefined : header;
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function withOwnUID(file: SampleFile, number: number): SampleFile {
  const { sopInstanceUID = '' } = file;
  const own = `${sopInstanceUID.slice(0, -2)}${10 + number}`;
  const bytes = Buffer.from(file.bytes.toString('latin1').replaceAll(sopInstanceUID, own), 'latin1');
  return { ...file, bytes, sopInstanceUID: own };
}
