/** From pixels to a picture in its size and type, by libvips. */
import sharp, { type Region, type Sharp } from 'sharp';
import { Fault } from '../../profiles/fault.ts';
import type { FramePart, Picture, RenderRequest, Viewport } from '../ports/frame-renderer.ts';

/** Pixels of a frame as they are shown. */
export type Raster = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
};

/** Quality of JPEG that is not asked for otherwise. */
const QUALITY = 90;
/** Sides of a picture where one of them is asked for and the other follows. */
const LONGEST_SIDE = 8_192;
/** libjpeg takes no longer side. */
const LONGEST_JPEG_SIDE = 65_500;

// One picture is worked on at a time: the threads are those of the pool, and nothing is kept between pictures.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Encodes a raster.
 * @throws {Fault} invalid (viewport) - the part does not lie in the frame
 * @throws {Fault} not-supported - the frame is larger than a JPEG can be
 */
export async function encodePicture(raster: Raster, { mediaType, viewport, quality }: RenderRequest): Promise<Picture> {
  const { data, ...raw } = raster;
  const isSized = viewport?.width !== undefined || viewport?.height !== undefined;
  if (mediaType === 'image/jpeg' && !isSized && Math.max(raster.width, raster.height) > LONGEST_JPEG_SIDE)
    throw new Fault('not-supported', `A frame of more than ${LONGEST_JPEG_SIDE} pixels a side is no JPEG`);
  const whole = sharp(data, { raw });
  const shown = viewport === undefined ? whole : fitted(whole, raster, viewport);
  // Huffman tables of the picture's own would take a second pass, as long as the first, and save a tenth of the bytes.
  const encoded =
    mediaType === 'image/png'
      ? shown.png({ compressionLevel: 2 })
      : shown.jpeg({ quality: quality ?? QUALITY, optimiseCoding: false });
  const toned = raster.channels === 1 ? encoded.toColourspace('b-w') : encoded;
  return { bytes: await toned.toBuffer(), mediaType };
}

function fitted(picture: Sharp, raster: Raster, { source, width, height }: Viewport): Sharp {
  const part = source === undefined ? picture : picture.extract(partOf(raster, source));
  const isSized = width !== undefined || height !== undefined;
  const size = isSized ? { width: width ?? LONGEST_SIDE, height: height ?? LONGEST_SIDE } : {};
  const resized = part.resize({ ...size, fit: 'inside', kernel: 'lanczos3' });
  const flopped = (source?.width ?? 1) < 0 ? resized.flop() : resized;
  return (source?.height ?? 1) < 0 ? flopped.flip() : flopped;
}

/** The part in whole pixels, at least one. */
function partOf(raster: Raster, { unit, x, y, width, height }: FramePart): Region {
  const [across, down] = unit === 'share' ? [raster.width, raster.height] : [1, 1];
  const [left, top] = [Math.floor(x * across), Math.floor(y * down)];
  const part = {
    left,
    top,
    width: Math.max(1, Math.round(Math.abs(width) * across)),
    height: Math.max(1, Math.round(Math.abs(height) * down)),
  };
  if (unit === 'share')
    return {
      ...part,
      width: Math.min(part.width, raster.width - left),
      height: Math.min(part.height, raster.height - top),
    };
  if (left + part.width <= raster.width && top + part.height <= raster.height) return part;
  throw new Fault('invalid', `The frame has ${raster.width} x ${raster.height} pixels`, { expression: 'viewport' });
}
