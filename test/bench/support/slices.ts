/** CT slices of 512 x 512 x 16 bits (530 KB) as files: a study of its own in each folder, as of several modalities. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';

const SIZE = 512;

/** A study of `count` slices in one series, its patient known to one establishment; `key` tells it from the others. */
export function sliceStudy(key: string, count: number): DemoStudy {
  return aStudy({
    key,
    instances: count,
    patient: { familyName: `Mesuré-${key}`, localId: { strasbourg: key } },
    attributes: { Rows: SIZE, Columns: SIZE, PixelData: noise() },
  });
}

/** Writes `count` slices, shared out over `folders` folders; returns the paths of these. */
export async function writeSlices(root: string, count: number, folders: number): Promise<string[]> {
  const paths = Array.from({ length: folders }, (_, at) => join(root, String(at)));
  for (const [at, path] of paths.entries()) {
    await mkdir(path, { recursive: true });
    const study = sliceStudy(`bench-${folders}-${at}`, Math.ceil(count / folders));
    let number = 0;
    for (const { bytes } of study.instances()) {
      number += 1;
      await writeFile(join(path, `${number}.dcm`), bytes);
    }
  }
  return paths;
}

/** Twelve bits of noise a pixel. */
function noise(): Uint8Array {
  const random = seededRandom(512);
  return new Uint8Array(Uint16Array.from({ length: SIZE * SIZE }, () => Math.floor(random() * 4096)).buffer);
}
