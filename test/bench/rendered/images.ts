/** Images as devices make them, by size and transfer syntax: a body of some tissues with the noise of a detector. */
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import type { Dataset } from '../../../fixtures/dicom/part10.ts';
import type { DemoInstance, DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { encapsulated, part10 } from '../../server/endpoints/dicomweb/files.ts';
import { COMPRESSION, compressed } from '../../support/examples/compressed-frames.ts';
import { sliceContent } from '../support/slices.ts';

/** An instance: where it is asked for, below the DICOMweb root, and its file. */
export type BenchInstance = Pick<DemoInstance, 'sopClassUID' | 'sopInstanceUID'> & {
  readonly path: string;
  readonly bytes: Buffer;
};

const ELEMENT_HEADER_BYTES = 12;
const NOISE = 24;

/** CT slices of 512 x 512 pixels of 16 bits, 12 of them stored. */
export function ctSlices(key: string, count: number): BenchInstance[] {
  return instancesOf(aStudy({ key, instances: count, attributes: { ...sliceContent(), ...bodyPixels(512) } }));
}

/** The same, compressed. */
export async function compressedSlices(
  key: string,
  count: number,
  way: 'jpegLs' | 'jpeg2000',
): Promise<BenchInstance[]> {
  const pixels = bodyOf(512);
  const frame = await compressed(way, { width: 512, height: 512, bits: 16, pixels });
  return ctSlices(key, count).map(({ bytes, ...instance }) => {
    const dataSet = bytes.subarray(
      parseFileMeta(bytes).dataSetOffset,
      bytes.length - pixels.length - ELEMENT_HEADER_BYTES,
    );
    const even = frame.length % 2 === 0 ? frame : Buffer.concat([frame, Buffer.of(0)]);
    const whole = Buffer.concat([dataSet, encapsulated([], [even])]);
    return { ...instance, bytes: part10(whole, instance.sopInstanceUID, COMPRESSION[way], instance.sopClassUID) };
  });
}

/** Radiographs of 2,048 x 2,048 pixels of 16 bits. */
export function radiographs(key: string, count: number): BenchInstance[] {
  return instancesOf(aStudy({ key, modality: 'CR', instances: count, attributes: bodyPixels(2_048) }));
}

/** A cine in colour of 640 x 480 pixels. */
export function colourCine(key: string, frames: number): BenchInstance {
  const [width, height] = [640, 480];
  const random = seededRandom(7);
  const frame = Buffer.from(
    Array.from({ length: width * height * 3 }, (_, at) => ((at / 3) % width) / 4 + Math.floor(random() * NOISE)),
  );
  const attributes: Dataset = {
    Rows: height,
    Columns: width,
    NumberOfFrames: frames,
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    PixelData: Buffer.concat(Array<Buffer>(frames).fill(frame)),
  };
  const [cine] = instancesOf(aStudy({ key, modality: 'US', instances: 1, attributes }));
  if (cine === undefined) throw new Error('The study is empty');
  return cine;
}

function instancesOf(study: DemoStudy): BenchInstance[] {
  return [...study.instances()].map(({ seriesInstanceUID, sopInstanceUID, sopClassUID, bytes }) => ({
    sopClassUID,
    sopInstanceUID,
    path: `/studies/${study.studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`,
    bytes: Buffer.from(bytes),
  }));
}

/** Pixels of 16 bits, as many a side. */
export function bodyPixels(size: number): Dataset {
  return { Rows: size, Columns: size, PixelData: bodyOf(size) };
}

/** Ellipses of tissue, lung and bone; twelve bits a pixel. */
function bodyOf(size: number): Buffer {
  const random = seededRandom(size);
  const values = new Uint16Array(size * size);
  for (let at = 0; at < values.length; at += 1) {
    const [x, y] = [((at % size) / size) * 2 - 1, (Math.floor(at / size) / size) * 2 - 1];
    values[at] = tissueAt(x, y) + Math.floor(random() * NOISE);
  }
  return Buffer.from(values.buffer);
}

/** Measured values above -1,024, from the middle of the picture. */
function tissueAt(x: number, y: number): number {
  if (Math.hypot(x / 0.9, y / 0.65) > 1) return 20;
  if (Math.hypot((Math.abs(x) - 0.4) / 0.3, y / 0.45) < 1) return 200 + 40 * Math.sin(x * 60) * Math.cos(y * 60);
  return Math.hypot(x / 0.12, (y - 0.4) / 0.12) < 1 ? 1_800 : 1_060 + 30 * Math.sin(x * 20);
}
