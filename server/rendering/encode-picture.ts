/** From pixels to a picture in its size and type, by libvips. */
import sharp, { type Sharp } from 'sharp';
import { Fault } from '../../profiles/fault.ts';
import type { Picture, RenderRequest, Viewport } from '../ports/frame-renderer.ts';

/** Pixels of a frame as they are shown. */
export type Raster = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
};

/** Quality of JPEG that is not asked for otherwise. */
const QUALITY = 90;

// One picture is worked on at a time: the threads are those of the pool, and nothing is kept between pictures.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Encodes a raster.
 * @throws {Fault} invalid (viewport) - the part does not lie in the frame
 */
export async function encodePicture(raster: Raster, { mediaType, viewport, quality }: RenderRequest): Promise<Picture> {
  const { data, ...raw } = raster;
  requirePart(raster, viewport);
  const whole = sharp(data, { raw });
  const shown = viewport === undefined ? whole : fitted(whole, viewport);
  const encoded =
    mediaType === 'image/png' ? shown.png({ compressionLevel: 4 }) : shown.jpeg({ quality: quality ?? QUALITY });
  const toned = raster.channels === 1 ? encoded.toColourspace('b-w') : encoded;
  return { bytes: await toned.toBuffer(), mediaType };
}

function requirePart({ width, height }: Raster, viewport: Viewport | undefined): void {
  const part = viewport?.source ?? { x: 0, y: 0, width, height };
  if (part.x + Math.abs(part.width) <= width && part.y + Math.abs(part.height) <= height) return;
  throw new Fault('invalid', `The frame has ${width} x ${height} pixels`, { expression: 'viewport' });
}

function fitted(picture: Sharp, { source, width, height }: Viewport): Sharp {
  const part =
    source === undefined
      ? picture
      : picture.extract({
          left: source.x,
          top: source.y,
          width: Math.abs(source.width),
          height: Math.abs(source.height),
        });
  const resized = part.resize({ width, height, fit: 'inside', kernel: 'lanczos3' });
  const flopped = (source?.width ?? 1) < 0 ? resized.flop() : resized;
  return (source?.height ?? 1) < 0 ? flopped.flip() : flopped;
}
