/** Decodes one frame of any transfer syntax. */
import { mediaTypeOfTransferSyntax } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { codestreamOf, type Codestream } from '../../../profiles/dicom/pixels/codestream.ts';
import type { ImagePixel } from '../../../profiles/dicom/pixels/image-pixel.ts';
import { decodeRle } from '../../../profiles/dicom/pixels/rle.ts';
import { nativeFrame, samplesIn, type DecodedFrame } from '../../../profiles/dicom/pixels/samples.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Codec } from './codec.ts';
import { openHtj2k, openJpeg2000, openJpegLs, openJpegOf8Bits } from './cornerstone.ts';
import { openLosslessJpeg } from './lossless-jpeg.ts';

/** Huffman tables, DCT, at most 8 bits: baseline, extended, progressive. */
const DCT_FRAMES: ReadonlySet<number | undefined> = new Set([0xc0, 0xc1, 0xc2]);

/** Bytes of a decoded frame after which the memory of its codec is given back. */
const LARGE_BYTES = 64 * 1024 * 1024;

type OpenCodec = () => Promise<Codec>;

/**
 * The last of each kind that was opened. One that failed is opened anew, for its memory may be in any state; so is one
 * that decoded a large frame, for its memory does not shrink.
 */
const opened = new Map<OpenCodec, Promise<Codec>>();

/**
 * Decodes a frame.
 * @throws {Fault} not-supported - there is no codec for the transfer syntax
 * @throws {Fault} invalid - the frame is malformed, or of another size than the image
 */
export async function decodeFrame(
  bytes: Uint8Array,
  transferSyntaxUID: string,
  image: ImagePixel,
): Promise<DecodedFrame> {
  const mediaType = mediaTypeOfTransferSyntax(transferSyntaxUID);
  if (mediaType === undefined) return nativeFrame(bytes, image);
  if (mediaType === 'image/dicom-rle') return decodedRle(bytes, image);
  const codestream = codestreamOf(bytes);
  requireSize(codestream, image);
  const open = codecFor(mediaType, codestream);
  const codec = await codecOf(open);
  try {
    const frame = codec({ bytes, image, codestream });
    const { rows, columns, samplesPerPixel } = image;
    if (frame.samples.length !== rows * columns * samplesPerPixel) throw new RangeError('The codec gave other pixels');
    if (frame.samples.byteLength > LARGE_BYTES) opened.delete(open);
    return frame;
  } catch (cause) {
    opened.delete(open);
    throw new Fault('invalid', 'The compressed frame cannot be decoded', { expression: 'PixelData', cause });
  }
}

async function codecOf(open: OpenCodec): Promise<Codec> {
  const known = opened.get(open) ?? open();
  opened.set(open, known);
  return await known;
}

function codecFor(mediaType: string, { frameMarker, precision }: Codestream): OpenCodec {
  switch (mediaType) {
    case 'image/jls':
      return openJpegLs;
    case 'image/jp2':
      return openJpeg2000;
    case 'image/jphc':
      return openHtj2k;
    default:
      return DCT_FRAMES.has(frameMarker) && precision <= 8 ? openJpegOf8Bits : openLosslessJpeg;
  }
}

function requireSize({ rows, columns, components }: Codestream, image: ImagePixel): void {
  const found = `${columns} x ${rows} pixels of ${components} samples`;
  const expected = `${image.columns} x ${image.rows} pixels of ${image.samplesPerPixel} samples`;
  if (found === expected) return;
  throw new Fault('invalid', `The compressed frame has ${found}, and the image ${expected}`, {
    expression: 'PixelData',
  });
}

function decodedRle(bytes: Uint8Array, image: ImagePixel): DecodedFrame {
  const { rows, columns, samplesPerPixel, bitsAllocated, photometricInterpretation: interpretation } = image;
  const pixels = rows * columns;
  if (bitsAllocated === 1) throw new Fault('not-supported', 'Single bits are not compressed by RLE');
  const decoded = decodeRle(bytes, { pixels, samplesPerPixel, bytesPerSample: bitsAllocated / 8 });
  const samples = samplesIn(decoded, image, pixels * samplesPerPixel);
  return { samples, isPlanar: samplesPerPixel === 3, isYbr: interpretation.startsWith('YBR_FULL') };
}
