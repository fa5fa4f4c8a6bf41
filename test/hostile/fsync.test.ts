/** What is on stable storage when a sender hears of success, as the system calls of the server tell it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { referredBlobs } from './kill/data-folder.ts';
import { sendInstances } from './kill/store-sender.ts';
import { parseTrace, type SystemCall } from './system-calls.ts';

const CALLS = 'trace=fsync,fdatasync,write,writev,sendto,sendmsg';
const SYNCS = ['fsync', 'fdatasync'];
const INSTANCES = 3;

describe('C-STORE success and stable storage (PS3.7 9.1.1)', function () {
  this.timeout(60_000);
  let folder: string;
  let dataDir: string;
  let server: TestServer | undefined;
  let calls: readonly SystemCall[] = [];
  let blobs: readonly string[] = [];

  before(async function trace() {
    if (!hasProgram('strace')) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'passerelle-fsync-'));
    dataDir = join(folder, 'data');
    const [output, port] = [join(folder, 'calls'), /TCP[^>]*/];
    // The tracer is the grandchild: the server stays a child of the test and takes its signals.
    const under = ['strace', '-D', '-f', '-qq', '-yy', '-s', '8', '-e', CALLS, '-o', output];
    server = await startServer({ dataDir, under, env: { STUDY_QUIET_SECONDS: '3600' } });
    const statuses: number[] = [];
    const study = aStudy({ key: 'fsync', instances: INSTANCES });
    await sendInstances(server.dimse, ESTABLISHMENTS.strasbourg.aeTitle, study.instances(), (_, status) => void statuses.push(status));
    expect(statuses).to.deep.equal(Array.from({ length: INSTANCES }, () => 0));
    blobs = referredBlobs(dataDir);
    await server.stop();
    calls = parseTrace(await readFile(output, 'utf8')).filter(({ target }) => target.startsWith(dataDir) || port.test(target));
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The P-DATA-TF that the server sends: one for each C-STORE-RSP. */
  const responses = (): SystemCall[] => calls.filter(({ name, data }) => !SYNCS.includes(name) && data.startsWith('\\4\\0\\0\\0\\0'));
  const syncsOf = (path: string): SystemCall[] => calls.filter(({ name, target }) => SYNCS.includes(name) && target === path);
  const endedBefore = (path: string, call: SystemCall): SystemCall[] => syncsOf(path).filter(({ end }) => end < call.start);

  it('sends a response only when the file, the folders above it and the records are synced, in this order', () => {
    expect(blobs).to.have.length(INSTANCES);
    expect(responses()).to.have.length(INSTANCES);
    const images = join(dataDir, 'images');
    const written = blobs.map((name) => join(images, name.slice(0, 2), name.slice(2, 4), name));
    const inOrder = written.toSorted((a, b) => (syncsOf(a)[0]?.end ?? 0) - (syncsOf(b)[0]?.end ?? 0));
    for (const [at, response] of responses().entries()) {
      const path = inOrder[at] ?? '';
      const file = endedBefore(path, response).at(-1);
      if (file === undefined) throw new Error('The file was not synced before the response');
      for (const above of [dirname(path), dirname(dirname(path)), images]) {
        expect(endedBefore(above, response), `${above} before the response`).to.not.deep.equal([]);
      }
      const folderSync = endedBefore(dirname(path), response).at(-1);
      const [records] = endedBefore(join(dataDir, 'records.sqlite-wal'), response).filter(({ start }) => start > file.end && start > (folderSync?.end ?? 0));
      expect(records, 'the records are synced after file and folder, before the response').to.not.equal(undefined);
    }
  });
});
