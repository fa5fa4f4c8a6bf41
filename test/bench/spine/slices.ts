/** CT slices of 512 x 512 x 16 bits as files, in one folder for each association. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';

const SIZE = 512;

/** Writes `count` slices of one series, shared out over `folders` folders; returns the paths of these. */
export async function writeSlices(root: string, count: number, folders: number): Promise<string[]> {
  const paths = Array.from({ length: folders }, (_, at) => join(root, String(at)));
  for (const path of paths) await mkdir(path, { recursive: true });
  const attributes = { Rows: SIZE, Columns: SIZE, PixelData: noise() };
  let at = 0;
  for (const { bytes } of aStudy({ key: 'bench-ct', instances: count, attributes }).instances()) {
    await writeFile(join(paths[at % folders] ?? root, `${at}.dcm`), bytes);
    at += 1;
  }
  return paths;
}

/** Twelve bits of noise a pixel. */
function noise(): Uint8Array {
  const random = seededRandom(512);
  return new Uint8Array(Uint16Array.from({ length: SIZE * SIZE }, () => Math.floor(random() * 4096)).buffer);
}
