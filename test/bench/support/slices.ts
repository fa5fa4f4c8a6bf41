/** CT slices of 512 x 512 x 16 bits (530 KB) as files: a study of its own in each folder, as of several modalities. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import type { RawTag } from '../../../fixtures/dicom/dictionary.ts';
import type { Dataset, Value } from '../../../fixtures/dicom/part10.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';

const SIZE = 512;
const NOISE = makeNoise();

/**
 * A study of `count` slices in one series, its patient known to one establishment; `key` tells it from the others. As
 * scanners do, each slice has more private attributes than others.
 */
export function sliceStudy(key: string, count: number): DemoStudy {
  return aStudy({
    key,
    instances: count,
    patient: { familyName: `Mesuré-${key}`, localId: { strasbourg: key } },
    attributes: sliceContent(),
  });
}

/** What a slice holds beside what it is of: pixels, and private attributes as scanners write them. */
export function sliceContent(): Dataset {
  return { ...privateAttributes(), Rows: SIZE, Columns: SIZE, PixelData: NOISE };
}

/** Writes the instances of a study into a folder, which is made. */
export async function writeStudy(folder: string, study: DemoStudy): Promise<void> {
  await mkdir(folder, { recursive: true });
  let number = 0;
  for (const { bytes } of study.instances()) {
    number += 1;
    await writeFile(join(folder, `${number}.dcm`), bytes);
  }
}

/** Writes `count` slices, shared out over `folders` folders; returns the paths of these. */
export async function writeSlices(root: string, count: number, folders: number): Promise<string[]> {
  const paths = Array.from({ length: folders }, (_, at) => join(root, String(at)));
  for (const [at, path] of paths.entries())
    await writeStudy(path, sliceStudy(`bench-${folders}-${at}`, Math.ceil(count / folders)));
  return paths;
}

/** 180 attributes in blocks of three groups. */
function privateAttributes(): Dataset {
  const blocks = ['0019', '0021', '0043'].map((group) => {
    const element = (at: number): string => `${group}10${(at + 1).toString(16).padStart(2, '0').toUpperCase()}`;
    const values = Array.from(
      { length: 60 },
      (_, at): [RawTag, Value] =>
        PRIVATE_VALUES[at % PRIVATE_VALUES.length]?.(element(at), at) ?? [`${element(at)}:SH`, ''],
    );
    return Object.fromEntries([[`${group}0010:LO`, 'PASSERELLE BENCH'], ...values]) as Dataset;
  });
  return Object.assign({}, ...blocks) as Dataset;
}

const PRIVATE_VALUES: readonly ((tag: string, at: number) => [RawTag, Value])[] = [
  (tag, at) => [`${tag}:DS`, [at * 1.25, -at]],
  (tag, at) => [`${tag}:SH`, `PARAM ${at}`],
  (tag, at) => [`${tag}:SS`, at - 30],
  (tag, at) => [`${tag}:LO`, `RECONSTRUCTION KERNEL ${at}`],
  (tag, at) => [`${tag}:FD`, [at / 7, at / 11, at / 13]],
  (tag, at) => [`${tag}:UN`, Uint8Array.from({ length: 24 }, (_, byte) => (at * 31 + byte * 7) % 256)],
];

/** Twelve bits of noise a pixel. */
function makeNoise(): Uint8Array {
  const random = seededRandom(512);
  return new Uint8Array(Uint16Array.from({ length: SIZE * SIZE }, () => Math.floor(random() * 4096)).buffer);
}
