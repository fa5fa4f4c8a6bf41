/**
 * A Part 10 file while it arrives: its file meta information, then the bytes of the data set behind it. @see DICOM
 * PS3.10 section 7
 */
import { parseFileMeta, type ParsedFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';

/** A file whose meta information is read. */
export type IncomingFile = { readonly meta: ParsedFileMeta; readonly dataSet: AsyncIterable<Uint8Array> };

/** Preamble, prefix, and the longest file meta information that is read. */
const MAX_HEAD_BYTES = 132 + 64 * 1024;

/**
 * Reads the head of a file.
 * @throws {Fault} invalid, required - no DICM prefix, a cut or malformed group 0002, no transfer syntax
 */
export async function readPart10(content: AsyncIterable<Uint8Array>): Promise<IncomingFile> {
  const chunks = content[Symbol.asyncIterator]();
  let head: Uint8Array = Buffer.alloc(0);
  for (let isDone = false; !isDone && head.length < MAX_HEAD_BYTES;) {
    const { done, value } = await chunks.next();
    isDone = done === true;
    if (value !== undefined) head = Buffer.concat([head, value]);
  }
  const meta = parseFileMeta(head);
  return { meta, dataSet: following(head.subarray(meta.dataSetOffset), chunks) };
}

async function* following(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
