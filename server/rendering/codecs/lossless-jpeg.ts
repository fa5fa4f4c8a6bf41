/** JPEG of more than 8 bits, and lossless JPEG, by the WebAssembly codecs of dcmjs. @see ITU-T T.81 */
import { samplesIn } from '../../../profiles/dicom/pixels/samples.ts';
import type { Codec } from './codec.ts';

/** Opens the codec; its module is loaded when the first such frame comes. */
export async function openLosslessJpeg(): Promise<Codec> {
  const { default: library } = await import('dcmjs-codecs');
  const { Context, NativeCodecs } = library;
  await NativeCodecs.initializeAsync();
  return ({ bytes, image: { rows, columns, isSigned, photometricInterpretation }, codestream }) => {
    const { precision, components } = codestream;
    const bitsAllocated = precision > 8 ? 16 : 8;
    const decoded = NativeCodecs.decodeJpeg(
      new Context({
        width: columns,
        height: rows,
        bitsAllocated,
        bitsStored: precision,
        samplesPerPixel: components,
        pixelRepresentation: isSigned ? 1 : 0,
        planarConfiguration: 0,
        photometricInterpretation,
        encodedBuffer: bytes,
      }),
    ).getDecodedBuffer();
    if (decoded === undefined) throw new TypeError('The codec gave no pixels');
    const samples = samplesIn(decoded, { bitsAllocated, isFloat: false }, rows * columns * components);
    return { samples, isPlanar: false, isYbr: components === 3 && photometricInterpretation.startsWith('YBR') };
  };
}
