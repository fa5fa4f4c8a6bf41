/** Multipart answers of the door, split. */
import { expect } from 'chai';
import { parseContentType } from '../../../../ihe/mime/content-type.ts';
import { splitMultipart } from '../../../../ihe/soap/multipart.ts';

/** One part of an answer. */
export type Part = { readonly type: string | undefined; readonly location: string | undefined; readonly content: Buffer };

/** The parts of an answer whose parts are of a media type. */
export async function partsOf(response: Response, mediaType: string): Promise<readonly Part[]> {
  const type = parseContentType(response.headers.get('Content-Type') ?? '');
  expect(type.mediaType).to.equal('multipart/related');
  expect(type.parameters.get('type')).to.equal(mediaType);
  const parts = splitMultipart(Buffer.from(await response.arrayBuffer()), type.parameters.get('boundary') ?? '');
  return parts.map(({ headers, content }) => ({ type: headers.get('content-type'), location: headers.get('content-location'), content }));
}
