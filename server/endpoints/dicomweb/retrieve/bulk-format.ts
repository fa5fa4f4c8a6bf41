/** The media types in which frames and bulk data are sent. @see DICOM PS3.18 sections 8.7.3 and 8.7.4 */
import { DICOM_UID, MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { mediaTypeOfTransferSyntax } from '../../../../profiles/dicom/file/transfer-syntax.ts';
import type { FoundBulk } from '../../../flows/retrieve/retrieve-bulk.ts';
import { notAcceptable, type MediaRange } from '../accept.ts';

/** How bytes are sent: as parts or alone, of which media type, and whether frames are decoded for it. */
export type BulkFormat = {
  readonly form: 'multipart' | 'single';
  readonly mediaType: string;
  readonly transferSyntaxUID: string | undefined;
  readonly isUncompressed: boolean;
};

/** What decides about the format. */
export type BulkContent = Pick<FoundBulk, 'transferSyntaxUID' | 'documentType' | 'count' | 'uncompressed'>;

/**
 * Chooses the first format that is accepted. A single part is for one frame or value only.
 * @throws {Fault} not-supported (not-acceptable) - there is none
 */
export function chooseBulkFormat(ranges: readonly MediaRange[], content: BulkContent): BulkFormat {
  const served = mediaTypesOf(content);
  for (const range of ranges) {
    const format = formatOf(range, content, served);
    if (format === undefined) continue;
    if (isSyntaxAccepted(range, content))
      return { ...format, transferSyntaxUID: content.transferSyntaxUID, isUncompressed: false };
    if (format.mediaType === MEDIA_TYPE.octets && isUncompressedAsked(range, content))
      return { ...format, transferSyntaxUID: DICOM_UID.explicitLittleEndian, isUncompressed: true };
  }
  throw notAcceptable(
    `The bytes are sent as ${MEDIA_TYPE.multipartRelated} of ${served.join(' or ')}, one frame or value alone too, ` +
      `in the stored transfer syntax, and frames as ${MEDIA_TYPE.octets} in ${DICOM_UID.explicitLittleEndian} too`,
  );
}

/** The Content-Type of one part. Viewers find the encoding of the pixels in it. */
export function contentTypeOf({ mediaType, transferSyntaxUID }: BulkFormat): string {
  return transferSyntaxUID === undefined ? mediaType : `${mediaType}; transfer-syntax=${transferSyntaxUID}`;
}

function mediaTypesOf({ transferSyntaxUID = '', documentType }: BulkContent): readonly string[] {
  // A document's own type is a claim of its sender, so that only those without scripts of their own are named.
  const document = documentType === MEDIA_TYPE.pdf ? [documentType] : [];
  const image = mediaTypeOfTransferSyntax(transferSyntaxUID);
  return [MEDIA_TYPE.octets, ...document, ...(image === undefined ? [] : [image])];
}

function formatOf(
  { mediaType, parameters }: MediaRange,
  { count }: BulkContent,
  served: readonly string[],
): Pick<BulkFormat, 'form' | 'mediaType'> | undefined {
  const type = parameters.get('type')?.toLowerCase();
  if ([MEDIA_TYPE.multipartRelated, 'multipart/*', '*/*'].includes(mediaType)) {
    const chosen = type === undefined ? served[0] : matching(type, served);
    return chosen === undefined ? undefined : { form: 'multipart', mediaType: chosen };
  }
  const chosen = count === 1 ? matching(mediaType, served) : undefined;
  return chosen === undefined ? undefined : { form: 'single', mediaType: chosen };
}

function matching(asked: string, served: readonly string[]): string | undefined {
  return served.find((type) => asked === '*/*' || asked === type || asked === `${type.split('/')[0]}/*`);
}

function isSyntaxAccepted({ parameters }: MediaRange, { transferSyntaxUID }: BulkContent): boolean {
  const asked = parameters.get('transfer-syntax')?.trim() ?? '*';
  return ['', '*', transferSyntaxUID].includes(asked);
}

function isUncompressedAsked({ parameters }: MediaRange, { uncompressed }: BulkContent): boolean {
  return uncompressed !== undefined && parameters.get('transfer-syntax')?.trim() === DICOM_UID.explicitLittleEndian;
}
