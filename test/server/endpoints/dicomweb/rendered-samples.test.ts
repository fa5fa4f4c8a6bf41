import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { hasProgram, sample, sampleNames, samplePath } from '../../../profiles/dicom/samples.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, serveDicomweb } from './door.ts';
import { addFile } from './files.ts';

/** Pixels of three samples. */
type Pixels = { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

/** How far a pixel may be from DCMTK's: it cuts fractions off, here they are rounded. */
const ROUNDING = 1;

/**
 * Samples that DCMTK shows otherwise, and why: its range holds the padding, which is no part of the image; it knows no
 * functional groups; it has no codec.
 */
const OTHERWISE: Readonly<Record<string, 'padding' | 'functional groups' | 'no codec'>> = {
  'ct_explicit_be.dcm': 'padding',
  'ct_explicit_le.dcm': 'padding',
  'ct_implicit_le.dcm': 'padding',
  'ect_multiframe_explicit_le.dcm': 'functional groups',
  'ect_multiframe_rle_bot.dcm': 'functional groups',
  'cr_j2k_lossy.dcm': 'no codec',
  'ct_j2k_lossless_90.dcm': 'no codec',
  'ct_j2k_lossy_91.dcm': 'no codec',
  'emr_multiframe_j2k.dcm': 'no codec',
  'htj2k_lossless_rgb_201.dcm': 'no codec',
  'j2k_jp2_header.dcm': 'no codec',
  'mr_j2k_lossy.dcm': 'no codec',
  'parametric_map_float.dcm': 'no codec',
};

/** Samples that are the same image in another transfer syntax. */
const SAME_IMAGE: readonly (readonly [string, string])[] = [
  ['ct_j2k_lossless_90.dcm', 'ct_deflated.dcm'],
  ['ct_jpegls_lossless_80.dcm', 'ct_deflated.dcm'],
  ['ct_rle.dcm', 'ct_deflated.dcm'],
  ['ct_jpeg_lossless_57.dcm', 'ct_deflated.dcm'],
  ['ct_explicit_be.dcm', 'ct_implicit_le.dcm'],
  ['emr_multiframe_j2k.dcm', 'emr_multiframe.dcm'],
  ['ect_multiframe_rle_bot.dcm', 'ect_multiframe_explicit_le.dcm'],
];

/** The first frame as DCMTK shows it: by the first window, the first table, or from the least to the greatest value. */
function pixelsByDCMTK(name: string): Pixels | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-picture-'));
  try {
    const target = join(folder, 'picture.pnm');
    const has = (tag: string): boolean =>
      spawnSync('dcmdump', ['-q', '+P', tag, samplePath(name)], { encoding: 'utf8' }).stdout.includes(`(${tag})`);
    const shown = has('0028,1050') ? ['+Wi', '1'] : has('0028,3010') ? ['+Wl', '1'] : ['+Wm'];
    for (const options of [shown, []])
      for (const program of ['dcmj2pnm', 'dcml2pnm']) {
        spawnSync(program, ['-q', '-O', '+F', '1', ...options, samplePath(name), target], { stdio: 'ignore' });
        if (existsSync(target)) return parsePnm(readFileSync(target));
      }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A PNM file with bytes for values. */
function parsePnm(file: Buffer): Pixels {
  const head = /^P([56])\s+(?:#.*\n)*(\d+)\s+(\d+)\s+255\s/.exec(file.subarray(0, 256).toString('latin1'));
  if (head === null) throw new Error('DCMTK wrote no PNM file');
  const [width, height] = [Number(head[2]), Number(head[3])];
  const values = file.subarray(head[0].length);
  return { width, height, rgb: head[1] === '6' ? values : spread(values) };
}

function spread(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(gray.length * 3);
  gray.forEach((value, at) => rgb.fill(value, at * 3, at * 3 + 3));
  return rgb;
}

async function pixelsOf(png: ArrayBuffer): Promise<Pixels> {
  const { data, info } = await sharp(png)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: info.channels === 1 ? spread(data) : data };
}

function furthest(one: Pixels, other: Pixels): number {
  expect([one.width, one.height]).to.deep.equal([other.width, other.height]);
  return one.rgb.reduce((most, value, at) => Math.max(most, Math.abs(value - (other.rgb[at] ?? 0))), 0);
}

describe('WADO-RS rendered frames of published samples', function () {
  this.timeout(120_000);
  let clinic: Clinic;
  let door: ServedRouter;
  const rendered = new Map<string, Pixels>();

  before(async function () {
    if (sampleNames().length === 0) this.skip();
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
    for (const name of sampleNames()) {
      const file = await addFile(clinic, sample(name)).catch(() => undefined);
      if (file === undefined) continue;
      const response = await ask(door, `${file.instance}/frames/1/rendered`, 'lambert', { Accept: 'image/png' });
      const body = await response.arrayBuffer();
      if (response.status === 200) rendered.set(name, await pixelsOf(body));
      else expect([404, 406], name).to.include(response.status);
    }
  });

  after(async () => {
    await door?.close();
    await clinic?.close();
  });

  it('are the pixels that DCMTK shows', function () {
    if (!hasProgram('dcmj2pnm') || !hasProgram('dcml2pnm')) this.skip();
    let compared = 0;
    for (const [name, pixels] of rendered) {
      if (OTHERWISE[name] !== undefined) continue;
      const expected = pixelsByDCMTK(name);
      if (expected === undefined) throw new Error(`DCMTK does not show ${name}`);
      expect(furthest(pixels, expected), name).to.be.at.most(ROUNDING);
      compared += 1;
    }
    expect(compared).to.be.greaterThan(30);
  });

  it('are the same in every lossless transfer syntax of an image', () => {
    for (const [one, other] of SAME_IMAGE) {
      const [first, second] = [rendered.get(one), rendered.get(other)];
      if (first === undefined || second === undefined) throw new Error(`${one} or ${other} is not rendered`);
      expect(furthest(first, second), `${one} and ${other}`).to.equal(0);
    }
  });

  it('are made of every sample that has pixels, in every transfer syntax', () => {
    expect(rendered.size).to.be.at.least(46);
    for (const name of Object.keys(OTHERWISE)) expect(rendered.has(name), name).to.equal(true);
  });
});
