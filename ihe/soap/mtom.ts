/**
 * The MTOM answer: a multipart/related package whose root is the envelope and whose parts are streamed.
 * @see https://www.w3.org/TR/soap12-mtom/
 */
import { MEDIA_TYPE } from '../../profiles/codes.ts';

/** A document beside the envelope; its stream is opened when its turn comes. */
export type MtomPart = {
  /** Content-ID without angle brackets. */
  readonly contentId: string;
  readonly contentType: string;
  readonly stream: () => AsyncIterable<Uint8Array>;
};

/** The identifiers of one package. The boundary must be long and random: it must occur in no document. */
export type MtomIdentifiers = {
  readonly boundary: string;
  /** Content-ID of the envelope, without angle brackets. */
  readonly rootContentId: string;
};

/** Formats the HTTP Content-Type of a package. */
export function formatMtomContentType({ boundary, rootContentId }: MtomIdentifiers, action: string): string {
  return (
    `${MEDIA_TYPE.multipartRelated}; type="${MEDIA_TYPE.xop}"; start="<${rootContentId}>"; ` +
    `start-info="${MEDIA_TYPE.soap}"; boundary="${boundary}"; action="${action}"`
  );
}

/**
 * Yields the bytes of a package: the envelope, then each part in order. Parts are read one after the other, at
 * the pace of the consumer.
 */
export async function* formatMtom(
  { boundary, rootContentId }: MtomIdentifiers,
  envelope: string,
  parts: Iterable<MtomPart>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const rootType = `${MEDIA_TYPE.xop}; charset=UTF-8; type="${MEDIA_TYPE.soap}"`;
  yield Buffer.from(`--${boundary}${partHeaders(rootType, rootContentId)}${envelope}`);
  for (const part of parts) {
    yield Buffer.from(`\r\n--${boundary}${partHeaders(part.contentType, part.contentId)}`);
    yield* part.stream();
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

function partHeaders(contentType: string, contentId: string): string {
  return (
    `\r\nContent-Type: ${headerValue(contentType)}\r\nContent-Transfer-Encoding: binary\r\n` +
    `Content-ID: <${contentId}>\r\n\r\n`
  );
}

/** A stored media type must not end its header line. */
function headerValue(value: string): string {
  return /^[\t\x20-\x7e]+$/.test(value) ? value : MEDIA_TYPE.octets;
}
