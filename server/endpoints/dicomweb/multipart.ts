/** A multipart/related answer whose parts are streamed one after the other. @see DICOM PS3.18 section 8.6.1.2 */
import { randomUUID } from 'node:crypto';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { Pieces } from '../../flows/retrieve/bulk-bytes.ts';
import type { Piece } from '../../ports/image-store.ts';

/** One part; nothing of it is opened before its turn comes. */
export type RelatedPart = {
  readonly contentType: string;
  readonly contentLocation: string;
  readonly pieces: Pieces;
};

/** Makes a boundary that occurs in no pixel data. */
export function newBoundary(): string {
  return `passerelle-${randomUUID()}`;
}

/** Formats the Content-Type of an answer whose parts are of one type. */
export function formatRelatedType(type: string, boundary: string): string {
  return `${MEDIA_TYPE.multipartRelated}; type="${type}"; boundary="${boundary}"`;
}

/** Yields the pieces of an answer at the pace of its consumer. */
export async function* formatRelated(boundary: string, parts: AsyncIterable<RelatedPart>): AsyncGenerator<Piece> {
  let before = '';
  for await (const { contentType, contentLocation, pieces } of parts) {
    yield Buffer.from(
      `${before}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Location: ${contentLocation}\r\n\r\n`,
    );
    yield* pieces;
    before = '\r\n';
  }
  yield Buffer.from(`${before}--${boundary}--\r\n`);
}
