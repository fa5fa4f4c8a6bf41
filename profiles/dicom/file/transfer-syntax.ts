/** How a data set is encoded under each transfer syntax. @see DICOM PS3.5 section 10 and Annex A */
import { DICOM_UID } from '../../codes.ts';

/** The three choices that a transfer syntax makes for the data set. Pixel encoding is not among them. */
export type DataSetEncoding = {
  readonly explicitVR: boolean;
  readonly littleEndian: boolean;
  /** The whole data set after the file meta information is one raw deflate stream. */
  readonly deflated: boolean;
};

const EXPLICIT_LITTLE_ENDIAN: DataSetEncoding = { explicitVR: true, littleEndian: true, deflated: false };
const IMPLICIT_LITTLE_ENDIAN: DataSetEncoding = { explicitVR: false, littleEndian: true, deflated: false };
const EXPLICIT_BIG_ENDIAN: DataSetEncoding = { explicitVR: true, littleEndian: false, deflated: false };
const DEFLATED: DataSetEncoding = { explicitVR: true, littleEndian: true, deflated: true };

const ENCODING = new Map<string, DataSetEncoding>([
  [DICOM_UID.implicitLittleEndian, IMPLICIT_LITTLE_ENDIAN],
  [DICOM_UID.geImplicitLittleEndian, IMPLICIT_LITTLE_ENDIAN],
  [DICOM_UID.explicitBigEndian, EXPLICIT_BIG_ENDIAN],
  [DICOM_UID.deflatedExplicitLittleEndian, DEFLATED],
  [DICOM_UID.jpipReferencedDeflate, DEFLATED],
  [DICOM_UID.jpipHtj2kReferencedDeflate, DEFLATED],
]);

const REFERENCED_PIXELS: ReadonlySet<string> = new Set([
  DICOM_UID.jpipReferenced,
  DICOM_UID.jpipReferencedDeflate,
  DICOM_UID.jpipHtj2kReferenced,
  DICOM_UID.jpipHtj2kReferencedDeflate,
]);

/** Media types of compressed frames, by the end of the transfer syntax. @see DICOM PS3.18 table 8.7.3-2 */
const MEDIA_TYPE_OF_FRAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/dicom-rle': ['5'],
    'image/jpeg': ['4.50', '4.51', '4.57', '4.70'],
    'image/jls': ['4.80', '4.81'],
    'image/jp2': ['4.90', '4.91'],
    'image/jphc': ['4.201', '4.202', '4.203'],
  }).flatMap(([mediaType, ends]) => ends.map((end) => [`1.2.840.10008.1.2.${end}`, mediaType] as const)),
);

/** Returns the media type of frames in a compressed transfer syntax; undefined when it has none of its own. */
export function mediaTypeOfTransferSyntax(transferSyntaxUID: string): string | undefined {
  return MEDIA_TYPE_OF_FRAMES.get(transferSyntaxUID);
}

/** Returns the encoding of a transfer syntax; every one that is not listed is explicit VR little endian (PS3.5 A.4). */
export function encodingOf(transferSyntaxUID: string): DataSetEncoding {
  return ENCODING.get(transferSyntaxUID) ?? EXPLICIT_LITTLE_ENDIAN;
}

/** Whether the pixels stay at a JPIP server, so that an object received is not the whole object. */
export function isReferencedPixelData(transferSyntaxUID: string): boolean {
  return REFERENCED_PIXELS.has(transferSyntaxUID);
}
