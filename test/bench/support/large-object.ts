/** A multi-frame object of any size below 2 GiB, as a file; its pixels are zeros that take no room on the disk. */
import { open } from 'node:fs/promises';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { SOP_CLASS } from '../../../fixtures/dicom/modules.ts';
import { assembleStudy } from '../../../fixtures/dicom/studies.ts';

const FRAME_SIDE = 1024;

/** Writes an object of so many frames of 1 MiB. */
export async function writeLargeObject(path: string, frames: number): Promise<void> {
  const pixels = {
    Rows: FRAME_SIDE,
    Columns: FRAME_SIDE,
    NumberOfFrames: frames,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: new Uint8Array(0),
  };
  const series = { number: 1, modality: 'XA', description: 'Coronarographie', bodyPart: 'HEART' };
  const [instance] = assembleStudy(aStudy({ key: 'bench-large' }), [
    { series, sopClassUID: SOP_CLASS.multiFrameByteSecondaryCapture, count: 1, draw: () => pixels },
  ]).instances();
  if (instance === undefined) throw new Error('The study is empty');
  const header = Buffer.from(instance.bytes);
  const length = frames * FRAME_SIDE * FRAME_SIDE;
  // Pixel data is the last element, of no bytes so far.
  header.writeUInt32LE(length, header.length - 4);
  const file = await open(path, 'w');
  await file.write(header);
  await file.truncate(header.length + length);
  await file.close();
}
