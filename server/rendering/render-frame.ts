/** Renders one frame of a stored instance: header, frame, samples, gray or colour, picture. */
import { intOf, TAG } from '../../profiles/dicom/attributes.ts';
import type { DicomElement, DicomHeader } from '../../profiles/dicom/data-element.ts';
import { renderColour, renderPalette } from '../../profiles/dicom/pixels/colour.ts';
import { grayTransformOf, type ReadValue } from '../../profiles/dicom/pixels/gray-transform.ts';
import { renderGray, storedValue, type Window } from '../../profiles/dicom/pixels/grayscale.ts';
import { imagePixelOf, type ImagePixel } from '../../profiles/dicom/pixels/image-pixel.ts';
import { paletteOf } from '../../profiles/dicom/pixels/palette.ts';
import type { DecodedFrame } from '../../profiles/dicom/pixels/samples.ts';
import { DICOM_UID, MEDIA_TYPE } from '../../profiles/codes.ts';
import { Fault } from '../../profiles/fault.ts';
import { frameBytes } from '../flows/retrieve/bulk-bytes.ts';
import { indexFrames, type FrameIndex } from '../flows/retrieve/frame-index.ts';
import {
  bytesOf,
  collect,
  readHeader,
  type DataSetBytes,
  type StoredInstance,
} from '../flows/study/stored-data-set.ts';
import type { Picture, RenderRequest } from '../ports/frame-renderer.ts';
import type { ImageStore, Piece } from '../ports/image-store.ts';
import { decodeFrame } from './codecs/decode-frame.ts';
import { encodePicture, type Raster } from './encode-picture.ts';
import { nativePixels } from './native-pixels.ts';
import { Scratch } from './scratch.ts';

/** Largest frame that is read, compressed or not, and largest decoded one, in bytes. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;
/** Largest lookup table: 65,536 words, in segments some more. */
const MAX_TABLE_BYTES = 256 * 1024;

/** What is known of an instance once its header was read. */
type Opened = { readonly header: DicomHeader; readonly index: FrameIndex; readonly image: ImagePixel };

/** Makes the rendering over a store of bytes; headers of the last instances are kept. */
export function renderFrame(images: ImageStore) {
  const open = lastOpened(images);
  const scratch = { frame: new Scratch(), gray: new Scratch() };
  return async (request: RenderRequest): Promise<Picture> => {
    const { instance, window } = request;
    const opened = await open(instance);
    const { header, index, image } = opened;
    const frame = (request.frame ?? representativeOf(opened)) - 1;
    if (frame >= index.count) throw new Fault('not-found', 'The instance has no such frame');
    const encoded = await frameOf(index, frame, instance, images, scratch.frame);
    const syntax = index.kind === 'native' ? DICOM_UID.explicitLittleEndian : instance.transferSyntaxUID;
    const decoded = await decodeFrame(encoded, syntax, image);
    if (request.mediaType === MEDIA_TYPE.octets)
      return { bytes: nativePixels(decoded, image), mediaType: request.mediaType };
    const read = valueReader(bytesOf(images, instance));
    const raster = await rasterOf({ header, image, frame, decoded, read, window, gray: scratch.gray });
    const picture = await encodePicture(raster, request);
    if (raster.channels === 1) scratch.gray.giveBack(raster.data);
    scratch.frame.giveBack(encoded);
    return picture;
  };
}

type Rendering = {
  readonly header: DicomHeader;
  readonly image: ImagePixel;
  readonly frame: number;
  readonly decoded: DecodedFrame;
  readonly read: ReadValue;
  readonly window: Window | undefined;
  readonly gray: Scratch;
};

async function rasterOf({ header, image, frame, decoded, read, window, gray }: Rendering): Promise<Raster> {
  const size = { width: image.columns, height: image.rows };
  if (image.samplesPerPixel === 3) return { ...size, channels: 3, data: renderColour(decoded, image) };
  if (image.photometricInterpretation === 'PALETTE COLOR') {
    const valueOf = storedValue(image.bitsStored, image.highBit, false);
    return { ...size, channels: 3, data: renderPalette(decoded.samples, await paletteOf(header, read), valueOf) };
  }
  const transform = await grayTransformOf(header, frame, image, read, window);
  const into = gray.take(decoded.samples.length);
  return { ...size, channels: 1, data: renderGray(decoded.samples, image, transform, into) };
}

/** @see DICOM PS3.3 C.7.6.6, RepresentativeFrameNumber */
function representativeOf({ header, index }: Opened): number {
  const named = intOf(header, TAG.RepresentativeFrameNumber);
  if (named !== undefined && named >= 1 && named <= index.count) return named;
  return Math.ceil(index.count / 2);
}

/** Frames of a series are asked for one after the other, and those of an instance. */
function lastOpened(images: ImageStore): (instance: StoredInstance) => Promise<Opened> {
  let last: { readonly name: string; readonly opened: Promise<Opened> } | undefined;
  return async (instance) => {
    const { name } = instance.blob;
    if (last?.name !== name) last = { name, opened: opened(images, instance) };
    const asked = last;
    try {
      return await asked.opened;
    } catch (error) {
      if (last === asked) last = undefined;
      throw error;
    }
  };
}

async function opened(images: ImageStore, instance: StoredInstance): Promise<Opened> {
  const header = await readHeader(images, instance);
  const image = imagePixelOf(header);
  if ((image.rows * image.columns * image.samplesPerPixel * image.bitsAllocated) / 8 > MAX_FRAME_BYTES)
    throw tooLarge();
  return { header, index: await indexFrames(header, bytesOf(images, instance).read), image };
}

async function frameOf(
  index: FrameIndex,
  frame: number,
  instance: StoredInstance,
  images: ImageStore,
  scratch: Scratch,
): Promise<Uint8Array> {
  const bytes = bytesOf(images, instance);
  const { length, pieces } = await frameBytes(index, frame, instance.transferSyntaxUID, bytes);
  if (length > MAX_FRAME_BYTES) throw tooLarge();
  const into = scratch.take(length);
  let at = 0;
  for await (const piece of pieces()) at += await copyPiece(images, piece, into.subarray(at));
  // What stands behind would be of another frame.
  if (at !== length) throw new Fault('invalid', 'The frame is shorter than it says', { expression: 'PixelData' });
  return into;
}

async function copyPiece(images: ImageStore, piece: Piece, into: Uint8Array): Promise<number> {
  if ('start' in piece) {
    const reader = await images.reader(piece.name);
    try {
      return await fill(
        into.subarray(0, piece.end - piece.start),
        async (target, at) => await reader.read(target, piece.start + at),
      );
    } finally {
      await reader.close();
    }
  }
  const parts = piece instanceof Uint8Array ? [piece] : 'spent' in piece ? piece.spent : piece;
  let at = 0;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
  return at;
}

async function fill(target: Uint8Array, read: (target: Uint8Array, at: number) => Promise<number>): Promise<number> {
  for (let at = 0; at < target.length;) {
    const length = await read(target.subarray(at), at);
    if (length === 0) throw new Fault('invalid', 'The instance ends in its pixels', { expression: 'PixelData' });
    at += length;
  }
  return target.length;
}

function valueReader(bytes: DataSetBytes): ReadValue {
  return async ({ value, offset, length }: DicomElement) => {
    if (value !== undefined) return value;
    if (length > MAX_TABLE_BYTES) throw new Fault('not-supported', 'A lookup table is larger than any may be');
    return await collect(bytes.read(offset, offset + length));
  };
}

function tooLarge(): Fault {
  return new Fault('too-costly', `A frame of more than ${MAX_FRAME_BYTES} bytes is not rendered`);
}
