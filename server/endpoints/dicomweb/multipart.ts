/** A multipart/related answer whose parts are streamed one after the other. @see DICOM PS3.18 section 8.6.1.2 */
import { randomUUID } from 'node:crypto';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';

/** One part; its bytes are opened when its turn comes. */
export type RelatedPart = {
  readonly contentType: string;
  readonly contentLocation: string;
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
};

/** Makes a boundary that occurs in no pixel data. */
export function newBoundary(): string {
  return `passerelle-${randomUUID()}`;
}

/** Formats the Content-Type of an answer whose parts are of one type. */
export function formatRelatedType(type: string, boundary: string): string {
  return `${MEDIA_TYPE.multipartRelated}; type="${type}"; boundary="${boundary}"`;
}

/** Yields the bytes of an answer at the pace of its consumer. */
export async function* formatRelated(boundary: string, parts: AsyncIterable<RelatedPart>): AsyncGenerator<Uint8Array> {
  let before = '';
  for await (const { contentType, contentLocation, open } of parts) {
    yield Buffer.from(`${before}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Location: ${contentLocation}\r\n\r\n`);
    // Opened and read in one step: a reader that leaves in between would leave the file open.
    yield* await open();
    before = '\r\n';
  }
  yield Buffer.from(`${before}--${boundary}--\r\n`);
}
