/** Folders as they are found: links, odd names, what cannot be read. */
import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readHead } from '../../../server/commands/dicom-file.ts';
import { countFiles, walkFiles } from '../../../server/commands/walk-files.ts';

describe('The files below a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-walk-'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  async function walked(except?: string): Promise<string[]> {
    const found: string[] = [];
    for await (const one of walkFiles(folder, except))
      found.push(`${one.kind} ${one.name.slice(folder.length + 1)}${'reason' in one ? `: ${one.reason}` : ''}`);
    return found.toSorted();
  }

  it('are found at any depth, and an empty folder has none', async () => {
    expect(await walked()).to.deep.equal([]);
    await mkdir(join(folder, 'a/b'), { recursive: true });
    for (const path of ['one', 'a/two', 'a/b/three']) await writeFile(join(folder, path), path);
    expect(await walked()).to.deep.equal(['file a/b/three', 'file a/two', 'file one']);
    expect(await countFiles(folder, new AbortController().signal)).to.equal(3);
  });

  it('are not looked for behind symbolic links, nor where the server keeps its own', async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data/inside'), '');
    await symlink('/etc', join(folder, 'outside'));
    await symlink('.', join(folder, 'loop'));
    await link(join(folder, 'data/inside'), join(folder, 'hard'));
    expect(await walked(join(folder, 'data'))).to.deep.equal([
      'file hard',
      'skipped data: it is the data folder of the server',
      'skipped loop: a symbolic link is not followed',
      'skipped outside: a symbolic link is not followed',
    ]);
  });

  it('are opened whatever bytes their names are', async () => {
    const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from('H\xe9l\xe8ne', 'latin1')]);
    await writeFile(name, 'text');
    for await (const one of walkFiles(folder)) {
      if (one.kind !== 'file') throw new Error('It is a file');
      expect(one.path.equals(name)).to.equal(true);
      expect(await readHead(one.path)).to.deep.include({ kind: 'skipped' });
    }
  });

  it('are files: a pipe is named and left, and so is what is too deep', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const deep = join(folder, ...Array.from({ length: 101 }, () => 'd'));
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, 'lost'), '');
    const found = await walked();
    expect(found).to.have.length(2);
    expect(found[0]).to.equal('skipped pipe: neither file nor folder');
    expect(found[1]).to.match(/^unreadable d(\/d)+: more than 100 folders deep$/);
  });

  it('that vanish are told of', async () => {
    expect(await readHead(Buffer.from(join(folder, 'gone')))).to.deep.equal({
      kind: 'unreadable',
      reason: 'the file cannot be read (ENOENT)',
    });
  });
});
