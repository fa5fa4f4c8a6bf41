/** Reads what a viewer shows out of the metadata of instances, in turns: a header may be megabytes of text. */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import type { StudyOutline } from '../../../profiles/imaging/study-outline.ts';

/** Bytes after which others have their turn: some ten milliseconds of parsing. */
const BYTES_A_TURN = 1024 * 1024;

/** Adds instances to an outline, each by its metadata as DICOM JSON. */
export async function readOutline(outline: StudyOutline, metadata: readonly Uint8Array[]): Promise<void> {
  let parsed = 0;
  for (const { buffer, byteOffset, byteLength } of metadata) {
    outline.add(JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8')) as DicomJson);
    parsed += byteLength;
    if (parsed < BYTES_A_TURN) continue;
    parsed = 0;
    await turnOfOthers();
  }
}
