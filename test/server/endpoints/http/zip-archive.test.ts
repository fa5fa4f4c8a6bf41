/** APPNOTE.TXT 4.3: a ZIP that is written as it is sent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { zipArchive, type ZipEntry } from '../../../../server/endpoints/http/zip-archive.ts';
import { hasProgram } from '../../../profiles/dicom/samples.ts';
import { runProgram } from '../../../support/peers/dcmtk.ts';
import { errorOf } from '../../../support/faults.ts';
import { zipFiles } from '../../../support/clients/zip-files.ts';

const AT = new Date(Date.UTC(2026, 10, 30, 12, 34, 56));

async function* bytesOf(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function* listed(...entries: readonly ZipEntry[]): AsyncGenerator<ZipEntry> {
  yield* entries;
}

async function written(entries: AsyncIterable<ZipEntry>): Promise<Buffer> {
  return Buffer.concat(await Readable.from(zipArchive(entries, AT)).toArray());
}

describe('APPNOTE.TXT 4.3: an archive as it is sent', () => {
  it('holds each file as it is, of known and of unknown length, empty ones, too', async () => {
    const archive = await written(
      listed(
        { path: 'A/ONE', size: 6, bytes: bytesOf('abc', 'def') },
        { path: 'B.TXT', bytes: bytesOf('unknown') },
        { path: 'C', size: 0, bytes: bytesOf() },
      ),
    );
    const files = [...zipFiles(archive)].map(([path, bytes]) => [path, bytes.toString()]);
    expect(files).to.deep.equal([
      ['A/ONE', 'abcdef'],
      ['B.TXT', 'unknown'],
      ['C', ''],
    ]);
  });

  it('reads no file before the one before it was taken', async () => {
    const read: string[] = [];
    const entry = (path: string): ZipEntry => ({
      path,
      bytes: (async function* () {
        read.push(path);
        yield Buffer.from(path);
      })(),
    });
    for await (const chunk of zipArchive(listed(entry('one'), entry('two')), AT))
      if (Buffer.from(chunk).toString() === 'one') expect(read).to.deep.equal(['one']);
    expect(read).to.deep.equal(['one', 'two']);
  });

  it('breaks off where a file is not as long as was said', async () => {
    const fault = await errorOf(written(listed({ path: 'a', size: 4, bytes: bytesOf('abc') })));
    expect(fault).to.have.property('kind', 'exception');
  });

  it('4.3.14 counts more than 65,535 files by Zip64, and Python and unzip read them', async function () {
    if (!hasProgram('python3')) this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-zip-'));
    try {
      const path = join(folder, 'many.zip');
      async function* many(): AsyncGenerator<ZipEntry> {
        for (let at = 0; at < 65_600; at += 1) yield { path: `F/${at}`, size: 1, bytes: bytesOf('x') };
        yield { path: 'LAST', bytes: bytesOf('of unknown length') };
      }
      await pipeline(Readable.from(zipArchive(many(), AT)), createWriteStream(path));
      const script =
        'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); i = z.getinfo("LAST"); ' +
        'print(z.testzip(), len(z.namelist()), z.read("LAST").decode(), i.date_time)';
      const { output } = await runProgram('python3', ['-c', script, path]);
      expect(output.trim()).to.equal('None 65601 of unknown length (2026, 11, 30, 12, 34, 56)');
      if (hasProgram('unzip', '-v')) {
        const { code, output: told } = await runProgram('unzip', ['-tq', path]);
        expect(code, told).to.equal(0);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }).timeout(60_000);

  it('4.5.3 tells sizes and places beyond 4 GiB in the Zip64 fields', async function () {
    const block = Buffer.alloc(64 * 1024 * 1024);
    const size = 4 * 1024 ** 3 + block.length;
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let left = size; left > 0; left -= block.length) yield block;
    }
    const tail: Uint8Array[] = [];
    let length = 0;
    const entries = listed({ path: 'LARGE', size, bytes: large() }, { path: 'BEHIND', size: 1, bytes: bytesOf('x') });
    for await (const chunk of zipArchive(entries, AT)) {
      length += chunk.length;
      if (chunk.length < block.length) tail.push(chunk);
    }
    const end = Buffer.concat(tail);
    expect(end.readUInt32LE(end.length - 6), 'the place of the directory').to.equal(0xff_ff_ff_ff);
    const locator = end.length - 42;
    expect(Number(end.readBigUInt64LE(locator + 8))).to.equal(length - 98);
    const [first, second] = [0x02_01_4b_50, 0x02_01_4b_50].reduce<number[]>((found, signature) => {
      const mark = Buffer.alloc(4);
      mark.writeUInt32LE(signature);
      return [...found, end.indexOf(mark, (found.at(-1) ?? -1) + 1)];
    }, []);
    expect(Number(end.readBigUInt64LE((first ?? 0) + 46 + 'LARGE'.length + 4))).to.equal(size);
    const behind = Number(end.readBigUInt64LE((second ?? 0) + 46 + 'BEHIND'.length + 4));
    expect(behind).to.be.within(size, size + 200);
  }).timeout(120_000);
});
