/** What a codec does: one compressed frame becomes samples. */
import type { Codestream } from '../../../profiles/dicom/pixels/codestream.ts';
import type { DecodedFrame } from '../../../profiles/dicom/pixels/samples.ts';
import type { ImagePixel } from '../../../profiles/dicom/pixels/image-pixel.ts';

/** A frame to decode. */
export type EncodedFrame = {
  readonly bytes: Uint8Array;
  readonly image: ImagePixel;
  /** Size and precision that the frame tells of itself; they agree with the image. */
  readonly codestream: Codestream;
};

/** Decodes frames. It throws whatever its library throws, which is the fault of the frame. */
export type Codec = (frame: EncodedFrame) => DecodedFrame;
