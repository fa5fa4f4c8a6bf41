/** OHIF is installed whole or not at all, from the tarball that is pinned and no other. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { installOhif, type Installation } from '../../../server/commands/ohif-install.ts';
import {
  findOhif,
  folderOfVersion,
  OHIF,
  OHIF_DECODER,
  OHIF_LIST,
  OHIF_ROOT,
} from '../../../server/runtime/ohif-package.ts';
import { runCommand } from '../../support/command.ts';
import { archiveOf, BUNDLE, integrityOf, SMALL_OHIF, type Archive } from '../../support/ohif-archive.ts';

describe('npm run ohif', function () {
  this.timeout(30_000);
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'passerelle-ohif-'));
    folder = join(parent, 'ohif');
  });
  afterEach(async () => await rm(parent, { recursive: true, force: true }));

  async function install({ bytes, integrity }: Archive, changes: Partial<Installation> = {}): Promise<number> {
    const archive = join(parent, 'archive.tgz');
    await writeFile(archive, bytes);
    const { signal } = new AbortController();
    return await installOhif({ folder, archive, integrity, signal, told: () => undefined, ...changes });
  }

  async function refusal(installing: Promise<unknown>): Promise<Fault> {
    const error: unknown = await installing.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Fault);
    return error as Fault;
  }

  const fileOf = async (path: string): Promise<Buffer> => await readFile(join(folderOfVersion(folder), path));

  it('keeps what is served alone, in each form, told where it lies', async () => {
    expect(await install(archiveOf(SMALL_OHIF))).to.equal(6);
    const compressed = ['0123456789abcdef0123.wasm', 'app.bundle.css', OHIF_DECODER, BUNDLE];
    const kept = [
      ...compressed.flatMap((name) => [name, `${name}.br`, `${name}.gz`]),
      '0123456789abcdef0123.woff2',
      'assets/images/CT-Bone.png',
      'LICENSE',
      OHIF_LIST,
    ];
    const entries = await readdir(folderOfVersion(folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(new Set(files)).to.deep.equal(new Set(kept.map((name) => join(folderOfVersion(folder), name))));
    expect(await readdir(folder)).to.deep.equal([OHIF.version]);
    const bundle = await fileOf(BUNDLE);
    expect(bundle.toString()).to.match(new RegExp(`^__webpack_require__.p = "${OHIF_ROOT}";`));
    expect(brotliDecompressSync(await fileOf(`${BUNDLE}.br`)).equals(bundle)).to.equal(true);
    expect(gunzipSync(await fileOf(`${BUNDLE}.gz`)).equals(bundle)).to.equal(true);
    expect((await fileOf('app.bundle.css')).toString()).to.equal(`a{src:url(${OHIF_ROOT}0123456789abcdef0123.woff2)}`);
    expect((await fileOf('LICENSE')).toString()).to.equal('MIT');
    const found = await findOhif(folder);
    expect([found?.script, found?.files.length]).to.deep.equal([BUNDLE, 6]);
  });

  it('does nothing a second time, and takes what a killed run left', async () => {
    await mkdir(join(folder, '.unfinished-killed'), { recursive: true });
    await install(archiveOf(SMALL_OHIF));
    expect(await install(archiveOf(SMALL_OHIF))).to.equal(0);
    expect(await readdir(folder)).to.deep.equal([OHIF.version]);
  });

  it('refuses another tarball than the pinned one, and one that is cut, and leaves nothing', async () => {
    const { bytes, integrity } = archiveOf(SMALL_OHIF);
    const [other, cut] = [
      archiveOf({ ...SMALL_OHIF, 'package/dist/app.bundle.css': '' }),
      gzipSync(gunzipSync(bytes).subarray(0, 3000)),
    ];
    const wrong = await refusal(install({ bytes: other.bytes, integrity }));
    expect([wrong.kind, wrong.message]).to.deep.equal([
      'invalid',
      `This is not @ohif/app@${OHIF.version} as it was published: nothing was installed`,
    ]);
    expect((await refusal(install({ bytes: cut, integrity: integrityOf(cut) }))).message).to.include('ends too early');
    const text = Buffer.from('no archive');
    expect((await refusal(install({ bytes: text, integrity: integrityOf(text) }))).kind).to.equal('invalid');
    expect((await refusal(install(other, { archive: join(parent, 'absent.tgz') }))).message).to.include('ENOENT');
    expect(await readdir(folder)).to.deep.equal([]);
    expect(await findOhif(folder)).to.equal(undefined);
  });

  it('leaves nothing when it is interrupted while it unpacks', async () => {
    const interrupted = new AbortController();
    const told: Installation['told'] = (step) => (step === 'unpack' ? interrupted.abort() : undefined);
    const { kind, message } = await refusal(install(archiveOf(SMALL_OHIF), { signal: interrupted.signal, told }));
    expect([kind, message]).to.deep.equal(['transient', 'Interrupted: nothing was installed']);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('says what npm says where there is no network, and ends with 2', async () => {
    const settings = ['registry=http://127.0.0.1:9/', 'fetch_retries=0', `cache=${join(parent, 'cache')}`];
    const under = ['env', `HOME=${parent}`, ...settings.map((setting) => `npm_config_${setting}`)];
    const { code, stdout, stderr } = await runCommand('ohif', [], { dataDir: parent, under, env: { OHIF: folder } });
    expect([code, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.include(`npm could not fetch @ohif/app@${OHIF.version}: `).and.include('ECONNREFUSED');
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('is not found when a file has gone or is another', async () => {
    await install(archiveOf(SMALL_OHIF));
    await writeFile(join(folderOfVersion(folder), 'app.bundle.css'), 'changed');
    expect((await refusal(findOhif(folder))).message).to.include('is not whole: remove that folder');
    await rm(join(folderOfVersion(folder), BUNDLE));
    expect((await refusal(findOhif(folder))).kind).to.equal('invalid');
  });
});
