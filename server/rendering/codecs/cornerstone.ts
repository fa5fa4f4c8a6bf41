/** JPEG baseline, JPEG-LS, JPEG 2000 and HTJ2K by the WebAssembly codecs of cornerstonejs. */
import type { Decoder, FrameInfo, Quiet } from '@cornerstonejs/codec-charls/decodewasmjs';
import { samplesIn } from '../../../profiles/dicom/pixels/samples.ts';
import type { Codec } from './codec.ts';

/** They would write to standard output. Each module keeps its state in the object that it is given. */
function quiet(): Quiet {
  return { print: () => undefined, printErr: () => undefined };
}

/** JPEG-LS. @see ITU-T T.87 */
export async function openJpegLs(): Promise<Codec> {
  const { default: open } = await import('@cornerstonejs/codec-charls/decodewasmjs');
  return codecOf((await open(quiet()))['JpegLSDecoder'], isYbrAsSaid);
}

/** JPEG 2000. @see ITU-T T.800 */
export async function openJpeg2000(): Promise<Codec> {
  const { default: open } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
  return codecOf((await open(quiet()))['J2KDecoder'], isYbrUnturned);
}

/** High-throughput JPEG 2000. @see ITU-T T.814 */
export async function openHtj2k(): Promise<Codec> {
  const { default: open } = await import('@cornerstonejs/codec-openjph/wasmjs');
  return codecOf((await open(quiet()))['HTJ2KDecoder'], isYbrUnturned);
}

/** JPEG baseline and extended of 8 bits, whose chrominance libjpeg turns round. @see ITU-T T.81 */
export async function openJpegOf8Bits(): Promise<Codec> {
  const { default: open } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  return codecOf((await open(quiet()))['JPEGDecoder'], () => false);
}

/** The codec has no colour transform of its own. */
function isYbrAsSaid(interpretation: string): boolean {
  return interpretation.startsWith('YBR');
}

/** The transforms of the codestream (ICT, RCT) are undone by the codec. */
function isYbrUnturned(interpretation: string): boolean {
  return interpretation.startsWith('YBR_FULL');
}

function codecOf(Decoder: (new () => Decoder) | undefined, isYbr: (interpretation: string) => boolean): Codec {
  if (Decoder === undefined) throw new TypeError('The codec has no decoder');
  return ({ bytes, image }) => {
    const decoder = new Decoder();
    try {
      decoder.getEncodedBuffer(bytes.length).set(bytes);
      decoder.decode();
      const info = decoder.getFrameInfo();
      const isPlanar = info.componentCount > 1 && decoder.getInterleaveMode?.() === 0;
      // The buffer is a view of memory that the next frame is decoded in.
      const samples = samplesOf(decoder.getDecodedBuffer().slice(), info);
      return { samples, isPlanar, isYbr: isYbr(image.photometricInterpretation) && info.componentCount === 3 };
    } finally {
      decoder.delete();
    }
  };
}

function samplesOf(bytes: Uint8Array, { width, height, componentCount, bitsPerSample }: FrameInfo) {
  const bitsAllocated = bitsPerSample > 8 ? 16 : 8;
  return samplesIn(bytes, { bitsAllocated, isFloat: false }, width * height * componentCount);
}
