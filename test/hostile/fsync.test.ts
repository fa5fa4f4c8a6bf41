/** What is on stable storage when a sender hears of success, as the system calls of the server tell it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { chainedBodies } from '../support/data-folder/chained-bodies.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { allInstances, referredBlobs, storedBlobs } from './kill/data-folder.ts';
import { sendInstances } from './kill/store-sender.ts';
import { stow } from './stow.ts';
import { parseTrace, type SystemCall } from './system-calls.ts';

const CALLS = 'trace=openat,fsync,fdatasync,write,writev,sendto,sendmsg';
const SYNCS = ['fsync', 'fdatasync'];
const INSTANCES = 3;
const OUT_OF_RESOURCES = 0xa700;

describe('Success and stable storage (C-STORE: PS3.7 9.1.1, STOW-RS: PS3.18 10.5)', function () {
  this.timeout(60_000);
  let folder: string;
  let dataDir: string;
  let server: TestServer | undefined;
  let calls: readonly SystemCall[] = [];
  let blobs: readonly string[] = [];
  let stowedBlobs: readonly string[] = [];

  before(async function trace() {
    if (!hasProgram('strace')) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'passerelle-fsync-'));
    dataDir = join(folder, 'data');
    const [output, port] = [join(folder, 'calls'), /TCP[^>]*/];
    // The tracer is the grandchild: the server stays a child of the test and takes its signals.
    // A slow disk, so that whoever does not wait for it is seen to answer first.
    const under = [
      'strace',
      '-D',
      '-f',
      '-qq',
      '-yy',
      '-s',
      '8',
      '-e',
      CALLS,
      '-e',
      'inject=fdatasync:delay_enter=200000',
      '-o',
      output,
    ];
    server = await startServer({ dataDir, under, env: { STUDY_QUIET_SECONDS: '3600' } });
    const statuses: number[] = [];
    const study = aStudy({ key: 'fsync', instances: INSTANCES });
    await sendInstances(
      server.dimse,
      ESTABLISHMENTS.strasbourg.aeTitle,
      study.instances(),
      (_, status) => void statuses.push(status),
    );
    expect(statuses).to.deep.equal(Array.from({ length: INSTANCES }, () => 0));
    blobs = referredBlobs(dataDir);
    const { token } = await establishmentCaller(server, 'strasbourg');
    const [file] = aStudy({ key: 'fsync/stow', instances: 1 }).instances();
    expect(await stow({ url: server.url, token }, [file?.bytes ?? new Uint8Array()])).to.deep.equal({
      status: 200,
      reasons: [],
    });
    stowedBlobs = referredBlobs(dataDir).filter((name) => !blobs.includes(name));
    await server.stop();
    calls = parseTrace(await readFile(output, 'utf8')).filter(
      ({ target }) => target.startsWith(dataDir) || port.test(target),
    );
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The P-DATA-TF that the server sends: one for each C-STORE-RSP. */
  const responses = (): SystemCall[] =>
    calls.filter(({ name, data }) => !SYNCS.includes(name) && data.startsWith('\\4\\0\\0\\0\\0'));
  /** The last answer over HTTP, that of the STOW-RS. */
  const lastAnswer = (): SystemCall | undefined =>
    calls.findLast(({ name, data }) => !SYNCS.includes(name) && data.startsWith('HTTP/1.1'));
  const pathOf = (name: string): string => join(dataDir, 'images', name.slice(0, 2), name.slice(2, 4), name);
  const syncsOf = (path: string): SystemCall[] =>
    calls.filter(({ name, target }) => SYNCS.includes(name) && target === path);
  const endedBefore = (path: string, call: SystemCall): SystemCall[] =>
    syncsOf(path).filter(({ end }) => end < call.start);

  /** File and folders are synced, and then the records, before a response begins. */
  const expectSynced = (path: string, response: SystemCall | undefined): void => {
    if (response === undefined) throw new Error('There is no response');
    // A flush is begun while bytes still come: it is the last one that counts.
    const file = syncsOf(path).at(-1);
    if (file === undefined || file.end > response.start) throw new Error('The file was not synced before the response');
    for (const above of [dirname(path), dirname(dirname(path)), join(dataDir, 'images')]) {
      expect(endedBefore(above, response), `${above} before the response`).to.not.deep.equal([]);
    }
    const made = calls.find(({ name, target }) => name === 'openat' && target === path);
    if (made === undefined) throw new Error('The file was not made');
    // Files are made ahead, so the same folder is synced again, for later ones, at any moment.
    const named = endedBefore(dirname(path), response).find(({ start }) => start > made.end);
    if (named === undefined) throw new Error('The name of the file was not synced before the response');
    const records = endedBefore(join(dataDir, 'records.sqlite-wal'), response).find(
      ({ start }) => start > file.end && start > named.end,
    );
    expect(records, 'the records are synced after file and folder, before the response').to.not.equal(undefined);
  };

  it('sends a C-STORE response when file, folders above it and records are synced, in this order', () => {
    expect(blobs).to.have.length(INSTANCES);
    expect(responses()).to.have.length(INSTANCES);
    const inOrder = blobs.map(pathOf).toSorted((a, b) => (syncsOf(a)[0]?.end ?? 0) - (syncsOf(b)[0]?.end ?? 0));
    for (const [at, response] of responses().entries()) expectSynced(inOrder[at] ?? '', response);
  });

  it('sends the answer of a STOW-RS only then, too', () => {
    expect(stowedBlobs).to.have.length(1);
    expectSynced(pathOf(stowedBlobs[0] ?? ''), lastAnswer());
  });
});

describe('A flush that fails (PS3.4 B.2.3, A700H)', function () {
  this.timeout(60_000);

  it('is no success at either door: no row names the bytes, none stay, the trail tells it', async function flush() {
    if (!hasProgram('strace')) return this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-flush-'));
    const dataDir = join(folder, 'data');
    // Of all files those of images alone are flushed by this call.
    const under = [
      'strace',
      '-D',
      '-f',
      '-qq',
      '-e',
      'trace=fdatasync',
      '-e',
      'inject=fdatasync:error=ENOSPC',
      '-o',
      '/dev/null',
    ];
    const server = await startServer({ dataDir, under, env: { STUDY_QUIET_SECONDS: '3600' } });
    try {
      const instances = [...aStudy({ key: 'flush', instances: INSTANCES }).instances()];
      const statuses: number[] = [];
      await sendInstances(
        server.dimse,
        ESTABLISHMENTS.strasbourg.aeTitle,
        instances,
        (_, status) => void statuses.push(status),
      );
      expect(statuses).to.deep.equal(instances.map(() => OUT_OF_RESOURCES));
      const caller = await establishmentCaller(server, 'strasbourg');
      const stowed = await stow(
        { url: server.url, token: caller.token },
        instances.map(({ bytes }) => bytes),
      );
      expect(stowed).to.deep.equal({ status: 409, reasons: instances.map(() => OUT_OF_RESOURCES) });
      expect(allInstances(dataDir)).to.deep.equal([]);
      expect(referredBlobs(dataDir)).to.deep.equal([]);
      expect(await storedBlobs(dataDir)).to.deep.equal([]);
      expect(chainedBodies(dataDir, '"outcomeDesc":"no-store: ')).to.have.length(2 * INSTANCES);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
    return undefined;
  });
});
