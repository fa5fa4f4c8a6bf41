/** Frames of gray pixels, compressed by the WebAssembly codecs of dcmjs, which the server does not encode with. */
import codecs from 'dcmjs-codecs';

const { Context, NativeCodecs } = codecs;

/** Gray pixels of 8 or 16 bits. */
export type GrayFrame = {
  readonly width: number;
  readonly height: number;
  readonly bits: 8 | 16;
  readonly pixels: Uint8Array;
};

/** The lossless ways, with their transfer syntaxes. @see DICOM PS3.5 A.4 */
export const COMPRESSION = {
  rle: '1.2.840.10008.1.2.5',
  losslessJpeg: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  htj2k: '1.2.840.10008.1.2.4.201',
} as const;

/** Compresses a frame without loss. */
export async function compressed(way: keyof typeof COMPRESSION, frame: GrayFrame): Promise<Buffer> {
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
  const context = new Context({
    width: frame.width,
    height: frame.height,
    bitsAllocated: frame.bits,
    bitsStored: frame.bits,
    samplesPerPixel: 1,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer: frame.pixels,
  });
  const encoded = encode(way, context).getEncodedBuffer();
  if (encoded === undefined) throw new Error(`The codec gave no frame of ${way}`);
  return Buffer.from(encoded);
}

function encode(way: keyof typeof COMPRESSION, context: InstanceType<typeof Context>): InstanceType<typeof Context> {
  switch (way) {
    case 'rle':
      return NativeCodecs.encodeRle(context);
    case 'losslessJpeg':
      return NativeCodecs.encodeJpeg(context, { lossy: false, predictor: 1, pointTransform: 0 });
    case 'jpegLs':
      return NativeCodecs.encodeJpegLs(context, { lossy: false });
    case 'jpeg2000':
      return NativeCodecs.encodeJpeg2000(context, { lossy: false });
    case 'htj2k':
      return NativeCodecs.encodeHtJpeg2000(context, { lossy: false });
  }
}
