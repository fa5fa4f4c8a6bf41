import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { hasProgram, sample, sampleNames, samplePath } from '../../../profiles/dicom/samples.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, serveDicomweb } from './door.ts';
import { addFile } from './files.ts';
import { partsOf } from './parts.ts';

const { explicitLittleEndian } = DICOM_UID;
const ACCEPT = `multipart/related; type="application/dicom"; transfer-syntax=${explicitLittleEndian}`;
/** DCMTK's own ways to Explicit VR Little Endian; the first that succeeds is taken. */
const PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ['dcmdjpeg', '+te'],
  ['dcmdjpls', '+te'],
  ['dcmdrle', '+te'],
  ['dcmconv', '+te'],
];
/** DCMTK has no JPEG 2000; it knows what some makers mean by their private elements. */
const WITHOUT_PEER = /j2k|ct_implicit_le/;

/** Pixels of 8 bits may be OB or OW (PS3.5 8.1.2): words as their bytes. */
function inBytes(line: string): string {
  const [head, words] = line.split('(7fe0,0010) OW ');
  if (head !== '' || words === undefined) return line;
  return `(7fe0,0010) OB ${words.replaceAll(/\b(..)(..)\b/g, String.raw`$2\$1`)}`;
}

describe('WADO-RS in Explicit VR Little Endian (PS3.18 8.7.3.5)', function () {
  this.timeout(180_000);
  let clinic: Clinic;
  let door: ServedRouter;
  let folder: string;

  before(async function () {
    if (sampleNames().length === 0 || !hasProgram('dcmdump')) this.skip();
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
    folder = mkdtempSync(join(tmpdir(), 'passerelle-transcoded-'));
  });

  after(async () => {
    await door?.close();
    await clinic?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function transcoded(name: string): Promise<Buffer | undefined> {
    const file = await addFile(clinic, sample(name)).catch(() => undefined);
    if (file === undefined) return undefined;
    const response = await ask(door, file.instance, 'lambert', { Accept: ACCEPT });
    if (response.status !== 200) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return (await partsOf(response, 'application/dicom'))[0]?.content;
  }

  function byDCMTK(name: string): string | undefined {
    const target = join(folder, `${name}.peer`);
    for (const [program, ...options] of PROGRAMS) {
      spawnSync(program, ['-q', ...options, samplePath(name), target], { stdio: 'ignore' });
      if (existsSync(target)) return target;
    }
    return undefined;
  }

  /** What DCMTK reads, a line an element, without group lengths, lengths of sequences and the file meta information. */
  function dump(path: string): readonly string[] {
    const { stdout, stderr, status } = spawnSync('dcmdump', ['-q', '+L', '+R', '4096', path], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`${path}: ${stderr}`);
    return stdout
      .split('\n')
      .filter((line) => /^ *\((?!0002|....,0000|fffe)/.test(line))
      .map((line) => line.replace(/\s+#.*$/, '').replace(/ \(Sequence with .*$/, ''))
      .filter((line) => !line.startsWith('(fffc,fffc)'))
      .map(inBytes);
  }

  it('is what DCMTK reads, element by element and pixel by pixel', async () => {
    let compared = 0;
    for (const name of sampleNames().filter((name) => !name.startsWith('broken_'))) {
      const file = await transcoded(name);
      if (file === undefined) continue;
      expect(parseFileMeta(file).transferSyntaxUID, name).to.equal(explicitLittleEndian);
      const path = join(folder, name);
      writeFileSync(path, file);
      const ours = dump(path);
      if (WITHOUT_PEER.test(name)) continue;
      const peer = byDCMTK(name);
      if (peer === undefined) throw new Error(`DCMTK does not convert ${name}`);
      expect(ours, name).to.deep.equal(dump(peer));
      compared += 1;
    }
    expect(compared).to.be.greaterThan(40);
  });
});
