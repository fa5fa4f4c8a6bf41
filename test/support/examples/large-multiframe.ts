/** A cine of any number of frames, made while it is sent: it lies neither in memory nor on the disk of its sender. */
import { SOP_CLASS } from '../../../fixtures/dicom/modules.ts';
import { assembleStudy, type DemoInstance, type DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { aStudy, type StudyOverrides } from '../../../fixtures/dicom/a-study.ts';

/** Side of a frame, whose pixels are bytes: a frame has one mebibyte. */
export const FRAME_SIDE = 1024;

const BOUNDARY = 'large-multiframe';
/** Rows that tell a frame from the others; below them all are alike. */
const OWN_ROWS = 512;
const OWN_BLOCK = 128;
const COMMON = Buffer.from(
  Array.from({ length: (FRAME_SIDE - OWN_ROWS) * FRAME_SIDE }, (_, at) => (at % FRAME_SIDE) / 4),
);

/** A study of one such instance, whose pixel data follow. */
export function largeStudy(overrides: StudyOverrides, frames: number): DemoStudy {
  const attributes = {
    Rows: FRAME_SIDE,
    Columns: FRAME_SIDE,
    NumberOfFrames: frames,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    WindowCenter: 128,
    WindowWidth: 256,
    PixelData: new Uint8Array(0),
  };
  const series = { number: 1, modality: 'US', description: 'Boucle longue', bodyPart: 'HEART' };
  return assembleStudy(aStudy(overrides), [
    { series, sopClassUID: SOP_CLASS.ultrasoundMultiFrame, count: 1, draw: () => attributes },
  ]);
}

/** The pixels of a frame (from 1): a pattern of blocks that its number makes, above a ramp. */
export function frameOf(number: number): Buffer {
  return Buffer.concat([ownRowsOf(number), COMMON]);
}

function ownRowsOf(number: number): Buffer {
  const blocks = FRAME_SIDE / OWN_BLOCK;
  const rows: Buffer[] = [];
  for (let row = 0; row < OWN_ROWS; row += OWN_BLOCK) {
    const bits = Array.from({ length: blocks }, (_, at) => (number >> (at + (row / OWN_BLOCK) * blocks)) & 1);
    const line = Buffer.concat(bits.map((bit) => Buffer.alloc(OWN_BLOCK, bit === 1 ? 200 : 40)));
    rows.push(...Array<Buffer>(OWN_BLOCK).fill(line));
  }
  return Buffer.concat(rows);
}

/** Sends the study by STOW-RS; gives the status. */
export async function stowLarge(
  { url, token }: { readonly url: string; readonly token: string },
  study: DemoStudy,
  frames: number,
): Promise<number> {
  const [instance] = study.instances();
  if (instance === undefined) throw new Error('The study is empty');
  const request: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`,
    },
    body: ReadableStream.from(bodyOf(instance, frames)),
    duplex: 'half',
  };
  const response = await fetch(`${url}/dicom-web/studies`, request);
  await response.arrayBuffer();
  return response.status;
}

async function* bodyOf({ bytes }: DemoInstance, frames: number): AsyncGenerator<Uint8Array> {
  const header = Buffer.from(bytes);
  // Pixel data is the last element, of no bytes so far.
  header.writeUInt32LE(frames * FRAME_SIDE * FRAME_SIDE, header.length - 4);
  yield Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`);
  yield header;
  for (let number = 1; number <= frames; number += 1) {
    yield ownRowsOf(number);
    yield COMMON;
  }
  yield Buffer.from(`\r\n--${BOUNDARY}--`);
}
