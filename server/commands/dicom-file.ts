/**
 * A DICOM file on disk: what its file meta information says, and its data set as a stream. @see DICOM PS3.10 section 7
 */
import { open, type FileHandle } from 'node:fs/promises';
import { DICOM_UID } from '../../profiles/codes.ts';
import { parseFileMeta, type FileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { sopInstanceIn } from '../../profiles/dicom/sop-instance.ts';
import { isUID } from '../../profiles/dicom/uid.ts';
import { Fault, toFault } from '../../profiles/fault.ts';
import { codeOf } from './walk-files.ts';

/** What a file says of itself. */
export type DicomFileHead = { readonly meta: FileMeta; readonly dataSetOffset: number };

/** Why a file is none to work on: `skipped` when it is no DICOM object, `refused` when it is a broken one. */
export type NoDicomFile = { readonly kind: 'unreadable' | 'skipped' | 'refused'; readonly reason: string };

/** Preamble, prefix, and the longest file meta information that is read. */
const HEAD_BYTES = 132 + 64 * 1024;
const CHUNK_BYTES = 256 * 1024;
const PREFIX_AT = 128;

/** Reads the head of a file. */
export async function readHead(path: Buffer): Promise<DicomFileHead | NoDicomFile> {
  try {
    const handle = await open(path, 'r');
    try {
      return headOf(await firstBytes(handle));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { kind: 'unreadable', reason: `the file cannot be read (${codeOf(error)})` };
  }
}

/** Streams the data set of a file. @throws {Fault} invalid - the file cannot be read */
export async function* dataSetOf(path: Buffer, dataSetOffset: number): AsyncGenerator<Buffer, void> {
  try {
    const handle = await open(path, 'r');
    for await (const chunk of handle.createReadStream({ start: dataSetOffset, highWaterMark: CHUNK_BYTES }))
      yield chunk as Buffer;
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new Fault('invalid', `the file cannot be read (${codeOf(cause)})`, { cause });
  }
}

async function firstBytes(handle: FileHandle): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  let length = 0;
  for (let read = -1; read !== 0 && length < HEAD_BYTES; length += read) {
    read = (await handle.read(bytes, length, HEAD_BYTES - length, length)).bytesRead;
  }
  return bytes.subarray(0, length);
}

function headOf(bytes: Buffer): DicomFileHead | NoDicomFile {
  if (bytes.toString('latin1', PREFIX_AT, PREFIX_AT + 4) !== 'DICM')
    return { kind: 'skipped', reason: 'not a DICOM file (no DICM prefix)' };
  try {
    const { dataSetOffset, transferSyntaxUID, ...named } = parseFileMeta(bytes);
    if (named.sopClassUID === DICOM_UID.mediaStorageDirectory)
      return { kind: 'skipped', reason: 'a DICOMDIR, which is no image' };
    // A former archive may have written the file meta information anew, and wrong.
    const { sopClassUID = '', sopInstanceUID = '' } =
      sopInstanceIn(bytes.subarray(dataSetOffset), transferSyntaxUID) ?? named;
    if (!isUID(sopClassUID) || !isUID(sopInstanceUID))
      return { kind: 'refused', reason: 'the file names no SOP class or instance' };
    return { meta: { sopClassUID, sopInstanceUID, transferSyntaxUID }, dataSetOffset };
  } catch (error) {
    return { kind: 'refused', reason: toFault(error).message };
  }
}
