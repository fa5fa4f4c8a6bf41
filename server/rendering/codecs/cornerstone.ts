/** JPEG baseline, JPEG-LS, JPEG 2000 and HTJ2K by the WebAssembly codecs of cornerstonejs. */
import { createRequire } from 'node:module';
import { samplesIn, type Samples } from '../../../profiles/dicom/pixels/samples.ts';
import type { Codec } from './codec.ts';
import { instantiateFrom, type Instantiate } from './web-assembly.ts';

type FrameInfo = {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
};

/** What is used of a decoder: buffers are views of its memory. */
type Decoder = {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  /** JPEG-LS alone: 0 when the planes follow each other. */
  getInterleaveMode?(): number;
  delete(): void;
};

/** Makes a module, which keeps its state in the object that it is given; it would write to standard output. */
type Open = (settings: {
  readonly print: () => void;
  readonly printErr: () => void;
  readonly instantiateWasm: Instantiate;
}) => Promise<Readonly<Record<string, new () => Decoder>>>;

// The packages have no types.
const require = createRequire(import.meta.url);

/** CharLS goes on for seconds where a scan has no end. @see ITU-T T.81 B.1.1.3 */
const END_OF_IMAGE = Buffer.of(0xff, 0xd9);

/** JPEG-LS. @see ITU-T T.87 */
export async function openJpegLs(): Promise<Codec> {
  return await openCodec('@cornerstonejs/codec-charls/decodewasmjs', 'JpegLSDecoder', isYbrAsSaid, END_OF_IMAGE);
}

/** JPEG 2000. @see ITU-T T.800 */
export async function openJpeg2000(): Promise<Codec> {
  return await openCodec('@cornerstonejs/codec-openjpeg/decodewasmjs', 'J2KDecoder', isYbrUnturned);
}

/** High-throughput JPEG 2000. @see ITU-T T.814 */
export async function openHtj2k(): Promise<Codec> {
  return await openCodec('@cornerstonejs/codec-openjph/wasmjs', 'HTJ2KDecoder', isYbrUnturned);
}

/** JPEG baseline and extended of 8 bits, whose chrominance libjpeg turns round. @see ITU-T T.81 */
export async function openJpegOf8Bits(): Promise<Codec> {
  return await openCodec('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs', 'JPEGDecoder', () => false);
}

/** The codec has no colour transform of its own. */
function isYbrAsSaid(interpretation: string): boolean {
  return interpretation.startsWith('YBR');
}

/** The transforms of the codestream (ICT, RCT) are undone by the codec. */
function isYbrUnturned(interpretation: string): boolean {
  return interpretation.startsWith('YBR_FULL');
}

/** `ending` is put behind each frame. */
async function openCodec(
  path: string,
  name: string,
  isYbr: (interpretation: string) => boolean,
  ending: Uint8Array = new Uint8Array(),
): Promise<Codec> {
  const open = require(path) as Open;
  const { [name]: Decoder } = await open({
    print: () => undefined,
    printErr: () => undefined,
    instantiateWasm: await instantiateFrom(require.resolve(path).replace(/\.js$/, '.wasm')),
  });
  if (Decoder === undefined) throw new TypeError(`${path} has no ${name}`);
  return ({ bytes, image }) => {
    const decoder = new Decoder();
    try {
      const encoded = decoder.getEncodedBuffer(bytes.length + ending.length);
      encoded.set(bytes);
      encoded.set(ending, bytes.length);
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

function samplesOf(bytes: Uint8Array, { width, height, componentCount, bitsPerSample }: FrameInfo): Samples {
  const bitsAllocated = bitsPerSample > 8 ? 16 : 8;
  return samplesIn(bytes, { bitsAllocated, isFloat: false }, width * height * componentCount);
}
