/** A decoded frame as native pixels: little endian, in the bits that the image allocates. @see DICOM PS3.5 8.1 */
import { renderColour } from '../../profiles/dicom/pixels/colour.ts';
import type { ImagePixel } from '../../profiles/dicom/pixels/image-pixel.ts';
import type { DecodedFrame, Samples } from '../../profiles/dicom/pixels/samples.ts';

/** The pixels of a frame; colour is pixel by pixel, and of 8 bits always red, green and blue. */
export function nativePixels(frame: DecodedFrame, image: ImagePixel): Uint8Array {
  if (image.samplesPerPixel === 3 && image.bitsAllocated === 8) return renderColour(frame, image);
  const samples = frame.isPlanar ? pixelByPixel(frame.samples) : frame.samples;
  const wide = widened(samples, image);
  return new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength);
}

/** A codec gives samples of as many bits as it found, which may be fewer than are allocated. */
function widened(samples: Samples, { bitsAllocated }: ImagePixel): Samples {
  if (bitsAllocated === 16 && samples instanceof Uint8Array) return Uint16Array.from(samples);
  if (bitsAllocated === 32 && !(samples instanceof Uint32Array)) return Uint32Array.from(samples);
  if (bitsAllocated === 8 && !(samples instanceof Uint8Array)) return Uint8Array.from(samples);
  return samples;
}

function pixelByPixel(planes: Samples): Samples {
  const size = planes.length / 3;
  const pixels = planes.slice();
  for (let at = 0; at < size; at += 1)
    for (let sample = 0; sample < 3; sample += 1) pixels[at * 3 + sample] = planes[at + sample * size] ?? 0;
  return pixels;
}
