/** The image store on files: its contract, and what only a disk can do to it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { ImageStore } from '../../server/ports/image-store.ts';
import { openFileImages } from '../../server/stores/files/image-store.ts';
import { errorOf, expectFault } from '../support/faults.ts';
import { imageStoreContract, namesOf, writeBlob, type OpenedImages } from './image-store.contract.ts';

const MODULE = JSON.stringify(fileURLToPath(new URL('../../server/stores/files/image-store.ts', import.meta.url)));

async function openImages(ownThread = false): Promise<OpenedImages & { dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-images-'));
  const images = await openFileImages({ dataDir, ownThread });
  return {
    dataDir,
    images,
    remove: async () => (await images.close(), await rm(dataDir, { recursive: true, force: true })),
  };
}

imageStoreContract('files', openImages);
imageStoreContract('files, on a thread of their own', async () => await openImages(true));

describe('ImageStore: files on a disk', () => {
  let dataDir: string;
  let images: ImageStore;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ dataDir, images, remove } = await openImages());
  });
  afterEach(async () => {
    await remove();
  });

  it('lays a file under its final name in two levels of folders, for its own account alone', async () => {
    const writer = await images.create();
    const { name } = writer;
    const path = join(dataDir, 'images', name.slice(0, 2), name.slice(2, 4), name);
    await writer.write(Buffer.from('here'));
    expect((await stat(path)).isFile()).to.equal(true);
    await writer.finish();
    expect(await readFile(path, 'utf8')).to.equal('here');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(dataDir, 'images'))).mode & 0o777).to.equal(0o700);
  });

  it('is found again by the next server', async () => {
    const { name } = await writeBlob(images, Buffer.from('kept'));
    await images.close();
    expect(await namesOf(await openFileImages({ dataDir }))).to.deep.equal([name]);
  });

  it('tells the age of a file by its last change', async () => {
    const { name } = await writeBlob(images, Buffer.from('old'));
    const hourAgo = Date.now() / 1000 - 3600;
    await utimes(join(dataDir, 'images', name.slice(0, 2), name.slice(2, 4), name), hourAgo, hourAgo);
    expect(await namesOf(images, 3_500_000)).to.deep.equal([name]);
    expect(await namesOf(images, 3_700_000)).to.deep.equal([]);
  });

  it('reaches nothing outside, and lists nothing that is not its own', async () => {
    await writeFile(join(dataDir, 'secret'), 'secret');
    await mkdir(join(dataDir, 'images', 'lost+found'));
    await mkdir(join(dataDir, 'images', 'ab', 'cd'), { recursive: true });
    await writeFile(join(dataDir, 'images', 'ab', 'cd', 'note.txt'), 'secret');
    for (const name of ['../secret', '../../secret', 'ab/cd/note.txt', 'note.txt']) {
      await expectFault(images.open(name), 'not-found');
      await images.remove(name);
    }
    expect(await namesOf(images)).to.deep.equal([]);
    expect(await readFile(join(dataDir, 'secret'), 'utf8')).to.equal('secret');
    expect(await readFile(join(dataDir, 'images', 'ab', 'cd', 'note.txt'), 'utf8')).to.equal('secret');
  });

  it('leaves a file for the sweep when its process is killed in the middle', async () => {
    const program = `const { openFileImages } = await import(${MODULE});
      const writer = await (await openFileImages({ dataDir: process.argv[1] })).create();
      await writer.write(Buffer.alloc(100_000));
      console.log(writer.name);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGKILL');
    await once(child, 'exit');
    const name = said.toString().trim();
    const left = await namesOf(images);
    expect(left).to.include(name);
    for (const one of left) await images.remove(one);
    expect(await namesOf(images)).to.deep.equal([]);
  });

  it('leaks no descriptor, however a blob ends', async function () {
    if (process.platform !== 'linux') this.skip();
    const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
    const before = await descriptors();
    for (let round = 0; round < 20; round += 1) {
      const { name } = await writeBlob(images, Buffer.alloc(1_000_000));
      const writer = await images.create();
      await writer.write(Buffer.from('half'));
      await writer.abort();
      (await images.open(name)).destroy();
      for await (const chunk of await images.open(name)) if (chunk !== undefined) break;
      await errorOf(images.open(writer.name));
    }
    await images.close();
    // A destroyed stream closes its file a moment later.
    for (let turn = 0; turn < 50 && (await descriptors()) > before; turn += 1) await delay(20);
    expect(await descriptors()).to.be.at.most(before);
  });

  it('refuses with no-store when the disk is full, removes what it wrote and goes on later', async function () {
    const mounted = `mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"`;
    const program = `const { openFileImages } = await import(${MODULE});
      const images = await openFileImages({ dataDir: process.argv[1] });
      const writer = await images.create();
      let fault;
      try {
        for (let count = 0; count < 8; count += 1) await writer.write(Buffer.alloc(250_000));
        await writer.finish();
      } catch (error) { fault = error; }
      const left = [];
      for await (const name of images.names(0)) left.push(name);
      const small = await images.create();
      await small.write(Buffer.alloc(250_000));
      const { size } = await small.finish();
      console.log(JSON.stringify({ name: fault?.name, kind: fault?.kind, cause: fault?.cause?.code, left, size }));`;
    // A mount namespace of its own: the small disk goes away with the process.
    const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-c', mounted, dataDir];
    const mountError = await errorOf(promisify(execFile)('unshare', [...isolated, 'true']));
    if (mountError !== undefined) this.skip();
    const { stdout } = await promisify(execFile)('unshare', [
      ...isolated,
      process.execPath,
      '--input-type=module',
      '-e',
      program,
      dataDir,
    ]);
    expect(JSON.parse(stdout)).to.deep.equal({
      name: 'Fault',
      kind: 'no-store',
      cause: 'ENOSPC',
      left: [],
      size: 250_000,
    });
  });
});
