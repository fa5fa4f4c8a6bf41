/** What every ImageStore adapter keeps: the promises of server/ports/image-store.ts, told by behaviour. */
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { BlobRef, ImageStore } from '../../server/ports/image-store.ts';
import { errorOf, expectFault } from '../support/faults.ts';

/** An adapter that is open on no data. `remove` takes its data away. */
export type OpenedImages = { readonly images: ImageStore; remove(): Promise<void> };

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Writes one blob to its end. */
export async function writeBlob(images: ImageStore, ...chunks: readonly Uint8Array[]): Promise<BlobRef> {
  const writer = await images.create();
  for (const chunk of chunks) await writer.write(chunk);
  return await writer.finish();
}

/** All names of an age. */
export async function namesOf(images: ImageStore, olderThanMs = 0): Promise<string[]> {
  const names: string[] = [];
  for await (const name of images.names(olderThanMs)) names.push(name);
  return names.sort();
}

async function readBlob(images: ImageStore, name: string, start?: number, end?: number): Promise<Buffer> {
  return await buffer(await images.open(name, start, end));
}

/** Runs the contract of the image store on an adapter. */
export function imageStoreContract(name: string, open: () => Promise<OpenedImages>): void {
  describe(`ImageStore: ${name}`, () => {
    let opened: OpenedImages;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.remove();
    });
    writingContract(() => opened.images);
    endingContract(() => opened.images);
    namingContract(() => opened.images);
  });
}

function writingContract(images: () => ImageStore): void {
  it('gives back the bytes, with their size', async () => {
    const chunks = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('second')];
    const ref = await writeBlob(images(), ...chunks);
    const bytes = Buffer.concat(chunks);
    expect(ref.size).to.equal(bytes.length);
    expect(await readBlob(images(), ref.name)).to.deep.equal(bytes);
  });

  it('keeps an empty blob', async () => {
    const ref = await writeBlob(images());
    expect(ref.size).to.equal(0);
    expect(await readBlob(images(), ref.name)).to.have.length(0);
  });

  it('reads from a start on, and nothing from the end on', async () => {
    const { name, size } = await writeBlob(images(), Buffer.from('0123456789'));
    expect((await readBlob(images(), name, 7)).toString()).to.equal('789');
    expect(await readBlob(images(), name, size)).to.have.length(0);
    expect(await readBlob(images(), name, size + 5)).to.have.length(0);
  });

  it('reads up to an end, which is not in it', async () => {
    const { name, size } = await writeBlob(images(), Buffer.from('0123456789'));
    expect((await readBlob(images(), name, 2, 5)).toString()).to.equal('234');
    expect((await readBlob(images(), name, 8, size + 5)).toString()).to.equal('89');
    expect(await readBlob(images(), name, 5, 5)).to.have.length(0);
    expect(await readBlob(images(), name, 5, 2)).to.have.length(0);
  });

  it('keeps the order of chunks that were not awaited, and takes a view of a larger buffer', async () => {
    const writer = await images().create();
    const letters = Buffer.from('abcdef');
    await Promise.all([
      writer.write(letters.subarray(0, 2)),
      writer.write(letters.subarray(2, 5)),
      writer.write(letters.subarray(5)),
    ]);
    const { name } = await writer.finish();
    expect((await readBlob(images(), name)).toString()).to.equal('abcdef');
  });

  it('writes a blob that is larger than memory should hold, chunk by chunk', async function () {
    this.timeout(60_000);
    const chunk = randomBytes(1024 * 1024);
    const before = process.memoryUsage().rss;
    const hash = createHash('sha256');
    const writer = await images().create();
    for (let count = 0; count < 256; count += 1) {
      await writer.write(chunk);
      hash.update(chunk);
    }
    const { name, size } = await writer.finish();
    expect(size).to.equal(256 * chunk.length);
    expect(process.memoryUsage().rss - before).to.be.lessThan(128 * chunk.length);
    const read = createHash('sha256');
    for await (const part of await images().open(name)) read.update(part as Buffer);
    expect(read.digest('hex')).to.equal(hash.digest('hex'));
  });

  it('streams under back-pressure: a slow reader holds the file back, not memory', async () => {
    const { name, size } = await writeBlob(images(), ...Array.from({ length: 32 }, () => Buffer.alloc(1024 * 1024, 1)));
    const stream = await images().open(name);
    let read = 0;
    for await (const chunk of stream) {
      read += (chunk as Buffer).length;
      if (read < 1024 * 1024) await delay(20);
      expect(stream.readableLength).to.be.lessThan(2 * 1024 * 1024);
    }
    expect(read).to.equal(size);
  });
}

function endingContract(images: () => ImageStore): void {
  it('leaves nothing of an aborted blob', async () => {
    const writer = await images().create();
    await writer.write(Buffer.from('half'));
    await writer.abort();
    expect(await namesOf(images())).to.deep.equal([]);
    await expectFault(images().open(writer.name), 'not-found');
  });

  it('aborts while a chunk is on its way, and more than once', async () => {
    const writer = await images().create();
    const writing = errorOf(Promise.resolve(writer.write(Buffer.alloc(8 * 1024 * 1024))));
    await Promise.all([writer.abort(), writer.abort(), writing]);
    await writer.abort();
    expect(await namesOf(images())).to.deep.equal([]);
  });

  it('keeps a finished blob when it is aborted after', async () => {
    const writer = await images().create();
    await writer.write(Buffer.from('whole'));
    const { name } = await writer.finish();
    await writer.abort();
    expect((await readBlob(images(), name)).toString()).to.equal('whole');
  });

  it('takes nothing after the end', async () => {
    const writer = await images().create();
    const { name } = await writer.finish();
    expect(await errorOf((async () => await writer.write(Buffer.from('late')))())).to.be.instanceOf(Error);
    expect(await errorOf(writer.finish())).to.be.instanceOf(Error);
    expect(await readBlob(images(), name)).to.have.length(0);
  });

  it('removes a blob, and an absent one without an error', async () => {
    const { name } = await writeBlob(images(), Buffer.from('bytes'));
    await images().remove(name);
    await images().remove(name);
    await expectFault(images().open(name), 'not-found');
    expect(await namesOf(images())).to.deep.equal([]);
  });
}

function namingContract(images: () => ImageStore): void {
  it('gives each blob a name of its own, whatever is in it', async () => {
    const refs = await Promise.all(
      Array.from({ length: 50 }, async () => await writeBlob(images(), Buffer.from('same'))),
    );
    expect(new Set(refs.map(({ name }) => name)).size).to.equal(50);
    expect(await namesOf(images())).to.deep.equal(refs.map(({ name }) => name).sort());
  });

  it('lists what is older than an age, blobs on their way included', async () => {
    const { name } = await writeBlob(images(), Buffer.from('one'));
    const writer = await images().create();
    await delay(30);
    expect(await namesOf(images(), 20)).to.deep.equal([name, writer.name].sort());
    expect(await namesOf(images(), 60_000)).to.deep.equal([]);
    await writer.abort();
  });

  it('answers not-found for an unknown name and for what is no name', async () => {
    const hostile = [
      '',
      '.',
      '..',
      '../../etc/passwd',
      '/etc/passwd',
      `${UNKNOWN}/..`,
      `${UNKNOWN}\0`,
      `../${UNKNOWN}`,
      UNKNOWN.toUpperCase().replace('8', 'A'),
    ];
    for (const name of [UNKNOWN, ...hostile]) {
      await expectFault(images().open(name), 'not-found');
      await images().remove(name);
    }
  });
}
