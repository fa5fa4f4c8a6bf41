import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { intOf, TAG } from '../../../../profiles/dicom/attributes.ts';
import { UNDEFINED_LENGTH } from '../../../../profiles/dicom/data-element.ts';
import { pixelDataOf } from '../../../../server/flows/retrieve/frame-index.ts';
import { headerOf } from '../../../support/imaging.ts';
import { hasProgram, sample, sampleNames, samplePath } from '../../../profiles/dicom/samples.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, serveDicomweb } from './door.ts';
import { addFile } from './files.ts';
import { partsOf } from './parts.ts';

type Sample = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly frames: number;
  readonly isCompressed: boolean;
};

/** The pixel data of a file as DCMTK reads it: one value, or the offset table and the fragments. */
function pixelsByDCMTK(name: string): readonly Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-raw-'));
  spawnSync('dcmdump', ['+W', folder, samplePath(name)], { stdio: 'ignore' });
  const order = (file: string): number => Number(/\.(\d+)\.raw$/.exec(file)?.[1]);
  const values = readdirSync(folder)
    .toSorted((a, b) => order(a) - order(b))
    .map((file) => readFileSync(join(folder, file)));
  rmSync(folder, { recursive: true });
  return values;
}

type Dcmjs = {
  readonly data: {
    readonly DicomMessage: {
      readFile(bytes: ArrayBuffer): {
        readonly dict: Readonly<Record<string, { readonly Value: readonly ArrayBuffer[] }>>;
      };
    };
  };
};

// The package has no types.
const dcmjs = createRequire(import.meta.url)('dcmjs') as Dcmjs;

/** The frames of a compressed file as dcmjs cuts them. */
function framesByDcmjs(bytes: Uint8Array): readonly Buffer[] {
  const { dict } = dcmjs.data.DicomMessage.readFile(Uint8Array.from(bytes).buffer);
  return (dict['7FE00010']?.Value ?? []).map((frame) => Buffer.from(frame));
}

function imagesAmong(names: readonly string[]): readonly Sample[] {
  return names
    .filter((name) => !name.startsWith('broken_'))
    .flatMap((name) => {
      const bytes = sample(name);
      try {
        const header = headerOf(bytes);
        const element = pixelDataOf(header);
        if (element === undefined || !header.elements.has(TAG.BitsAllocated)) return [];
        return [
          {
            name,
            bytes,
            frames: intOf(header, TAG.NumberOfFrames) ?? 1,
            isCompressed: element.length === UNDEFINED_LENGTH,
          },
        ];
      } catch {
        // A file without a transfer syntax is not stored by any door.
        return [];
      }
    });
}

describe('WADO-RS frames of published samples', function () {
  this.timeout(60_000);
  let clinic: Clinic;
  let door: ServedRouter;
  let samples: readonly Sample[];

  before(async function () {
    samples = imagesAmong(sampleNames());
    if (samples.length === 0) this.skip();
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door?.close();
    await clinic?.close();
  });

  async function framesOf({ bytes, frames }: Sample): Promise<readonly Buffer[]> {
    const { instance } = await addFile(clinic, bytes);
    const list = Array.from({ length: frames }, (_, at) => at + 1).join(',');
    const response = await ask(door, `${instance}/frames/${list}`);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return (await partsOf(response, 'application/octet-stream')).map(({ content }) => content);
  }

  it('are byte for byte the pixels that DCMTK reads, in every transfer syntax', async function () {
    if (!hasProgram('dcmdump')) this.skip();
    expect(samples.length).to.be.greaterThan(30);
    for (const one of samples) {
      const sent = await framesOf(one);
      const values = pixelsByDCMTK(one.name);
      // DCMTK writes no float pixels out.
      if (values.length === 0 && one.name === 'parametric_map_float.dcm') continue;
      const pixels = Buffer.concat(one.isCompressed ? values.slice(1) : values);
      const sentPixels = Buffer.concat(sent);
      expect(sent.length, one.name).to.equal(one.frames);
      if (one.isCompressed) expect(sentPixels.equals(pixels), one.name).to.equal(true);
      // A native value may be padded to an even length.
      else
        expect(
          sentPixels.equals(pixels.subarray(0, sentPixels.length)) && pixels.length - sentPixels.length < 2,
          one.name,
        ).to.equal(true);
    }
  });

  it('are cut where dcmjs cuts compressed frames', async () => {
    let compared = 0;
    for (const one of samples.filter(({ isCompressed }) => isCompressed)) {
      const expected = framesByDcmjs(one.bytes);
      if (expected.length !== one.frames) continue;
      const sent = await framesOf(one);
      expect(
        sent.every((frame, at) => frame.equals(expected[at] ?? Buffer.alloc(0))),
        one.name,
      ).to.equal(true);
      compared += 1;
    }
    expect(compared).to.be.greaterThan(10);
  });
});
