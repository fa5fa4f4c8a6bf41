/** A stored instance in Explicit VR Little Endian, for who asks for it so: frame by frame, none of it held whole. */
import { DICOM_UID, MEDIA_TYPE } from '../../../profiles/codes.ts';
import { TAG, textOf } from '../../../profiles/dicom/attributes.ts';
import { UNDEFINED_LENGTH, type DicomElement, type DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { formatFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { headerOf, rewritten, type ReplacedElement, type RewrittenPart } from '../../../profiles/dicom/file/rewrite.ts';
import { imagePixelOf, type ImagePixel } from '../../../profiles/dicom/pixels/image-pixel.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { FrameRenderer } from '../../ports/frame-renderer.ts';
import type { ImageStore, Piece } from '../../ports/image-store.ts';
import type { ShownInstance } from '../../ports/record-store.ts';
import { indexFrames, pixelDataOf } from '../retrieve/frame-index.ts';
import { turned, valueBytes } from '../retrieve/bulk-bytes.ts';
import { bytesOf, readHeader, type DataSetBytes } from './stored-data-set.ts';

/** What transcoding needs. */
export type TranscodingDeps = { readonly images: ImageStore; readonly renderer: FrameRenderer };

/** A value field of known length holds no more (PS3.5 7.1.2). */
const MAX_VALUE_BYTES = 0xff_ff_ff_fe;

/**
 * Makes the opening of an instance as a file in Explicit VR Little Endian.
 * @throws {Fault} not-supported - its pixels cannot be decoded, or would be too many for one value
 */
export function transcodeInstance(deps: TranscodingDeps) {
  return async (row: ShownInstance): Promise<AsyncIterable<Piece>> => {
    const header = await readHeader(deps.images, row);
    const bytes = bytesOf(deps.images, row);
    const pixels = await pixelsOf(deps, row, header, bytes);
    return concatenated(row, header, bytes, pixels);
  };
}

type Pixels = {
  readonly replaced: ReadonlyMap<number, ReplacedElement>;
  readonly pieces: () => AsyncIterable<Piece>;
};

const NO_PIXELS: Pixels = { replaced: new Map(), pieces: async function* () {} };

async function* concatenated(
  { sopClassUID, sopInstanceUID }: ShownInstance,
  header: DicomHeader,
  bytes: DataSetBytes,
  { replaced, pieces }: Pixels,
): AsyncGenerator<Piece> {
  yield formatFileMeta({ sopClassUID, sopInstanceUID, transferSyntaxUID: DICOM_UID.explicitLittleEndian });
  let small: Uint8Array[] = [];
  for (const part of rewritten(header, replaced)) {
    if (part instanceof Uint8Array) {
      small.push(part);
      continue;
    }
    yield small;
    small = [];
    yield* valuePieces(part, bytes);
  }
  yield small;
  yield* pieces();
}

async function* valuePieces(
  { start, end, wordBytes }: Exclude<RewrittenPart, Uint8Array>,
  bytes: DataSetBytes,
): AsyncGenerator<Piece> {
  if (wordBytes === 1) yield* bytes.pieces(start, end);
  else yield* turned(bytes.read(start, end), wordBytes);
}

async function pixelsOf(
  deps: TranscodingDeps,
  row: ShownInstance,
  header: DicomHeader,
  bytes: DataSetBytes,
): Promise<Pixels> {
  const element = pixelDataOf(header);
  if (element === undefined) return NO_PIXELS;
  if (element.length === UNDEFINED_LENGTH) return await decodedPixels(deps, row, header, bytes);
  return {
    replaced: new Map(),
    pieces: async function* () {
      yield headerOf(element.tag, vrOf(element), element.length);
      yield* valueBytes(element, row.transferSyntaxUID, bytes).pieces();
    },
  };
}

async function decodedPixels(
  { renderer }: TranscodingDeps,
  row: ShownInstance,
  header: DicomHeader,
  bytes: DataSetBytes,
): Promise<Pixels> {
  const { count } = await indexFrames(header, bytes.read);
  const image = imagePixelOf(header);
  const frameBytes = (image.rows * image.columns * image.samplesPerPixel * image.bitsAllocated) / 8;
  const { blob, dataSetOffset, transferSyntaxUID } = row;
  const instance = { blob, dataSetOffset, transferSyntaxUID };
  const length = frameBytes * count;
  const isOdd = length % 2 === 1;
  if (length > MAX_VALUE_BYTES)
    throw new Fault('not-supported', 'The pixels are too many for one value, unless they are compressed');
  async function* pieces(): AsyncGenerator<Piece> {
    yield headerOf(TAG.PixelData, image.bitsAllocated > 8 ? 'OW' : 'OB', length + (isOdd ? 1 : 0));
    for (let frame = 1; frame <= count; frame += 1) {
      const { bytes: decoded } = await renderer.render({ instance, frame, mediaType: MEDIA_TYPE.octets });
      if (decoded.length !== frameBytes) throw new Fault('exception', 'A frame was decoded to another size');
      yield decoded;
    }
    if (isOdd) yield new Uint8Array(1);
  }
  return { replaced: replacedOf(header, image), pieces };
}

/** Codecs undo the colour transforms that they know; of 8 bits the rest is turned round, too. */
function replacedOf(header: DicomHeader, { samplesPerPixel, bitsAllocated }: ImagePixel): Pixels['replaced'] {
  if (samplesPerPixel === 1) return new Map();
  const interpretation = textOf(header, TAG.PhotometricInterpretation) ?? '';
  const isRgb = bitsAllocated === 8 || /^YBR_(ICT|RCT)$/.test(interpretation);
  return new Map<number, ReplacedElement>([
    [TAG.PlanarConfiguration, { vr: 'US', value: Uint8Array.of(0, 0) }],
    ...(isRgb ? [[TAG.PhotometricInterpretation, { vr: 'CS', value: Buffer.from('RGB ') }] as const] : []),
  ]);
}

/** Pixels of implicit VR are OW, whatever their bits (PS3.5 A.1). */
function vrOf({ vr }: DicomElement): DicomElement['vr'] {
  return vr === 'UN' ? 'OW' : vr;
}
