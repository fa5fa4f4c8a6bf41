/**
 * A folder is sent by C-STORE: to the server of the configuration, to another, over TLS, and when associations break.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { formatFileMeta, parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { Fault } from '../../profiles/fault.ts';
import { readHead } from '../../server/commands/dicom-file.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { CALLED, CALLING, openDoor, type Door } from '../server/endpoints/dimse/door.ts';
import { certify } from '../support/certificates.ts';
import { runCommand } from '../support/command.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { dataSetDigest } from './support/exam.ts';
import { freePort } from '../support/free-port.ts';
import { TESTDATA } from '../support/testdata.ts';

const NOWHERE = { dataDir: join(tmpdir(), 'passerelle-no-data') };

describe('Sending a folder (PS3.4 annex B)', function () {
  this.timeout(60_000);
  let folder: string;
  let door: Door;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-send-'));
  });
  afterEach(async () => {
    await door?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function writeStudy(key: string, instances = 3): Promise<Buffer[]> {
    const files = [...aStudy({ key, instances }).instances()].map(({ bytes }) => Buffer.from(bytes));
    await mkdir(join(folder, 'study'), { recursive: true });
    await Promise.all(files.map(async (bytes, at) => await writeFile(join(folder, 'study', `${at}.dcm`), bytes)));
    return files.map((bytes) => bytes.subarray(parseFileMeta(bytes).dataSetOffset));
  }

  const sendTo = async (port: number, ...args: string[]) =>
    await runCommand('send', [folder, '--to', `${CALLED}@127.0.0.1:${port}`, '--from', CALLING, ...args], NOWHERE);

  it('sends each data set byte for byte, and says what it left', async () => {
    door = await openDoor();
    const dataSets = await writeStudy('send/plain');
    await writeFile(join(folder, 'note.txt'), 'no image');
    await writeFile(
      join(folder, 'DICOMDIR'),
      formatFileMeta({
        sopClassUID: DICOM_UID.mediaStorageDirectory,
        sopInstanceUID: '2.25.1',
        transferSyntaxUID: DICOM_UID.explicitLittleEndian,
      }),
    );
    const { code, stdout } = await sendTo(door.address.port);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/\n3 sent, 2 skipped in/)
      .and.include('note.txt: not a DICOM file')
      .and.include('DICOMDIR: a DICOMDIR');
    expect(new Set(door.received.map(({ bytes }) => bytes.toString('base64')))).to.deep.equal(
      new Set(dataSets.map((bytes) => bytes.toString('base64'))),
    );
  });

  it('tells the status of a refusal in words, and of a warning; goes on, and ends with 1', async () => {
    let count = 0;
    const refuse = (): never => {
      count += 1;
      throw count === 1
        ? new Fault('no-store', 'The disk is full')
        : new Fault('invalid', 'Coerced', { protocolCode: 'B000' });
    };
    door = await openDoor({ store: refuse });
    await writeStudy('send/refused', 2);
    const { code, stdout } = await sendTo(door.address.port, '--report', join(folder, '..', 'report.json')).finally(
      async () => await rm(join(folder, '..', 'report.json'), { force: true }),
    );
    expect([code, count]).to.deep.equal([1, 2]);
    expect(stdout).to.include('the peer has no room, or no means (status A700): The disk is full');
    expect(stdout)
      .to.include('the peer changed some elements (status B000)')
      .and.include('1 refused, 1 stored with a warning');
  });

  it('opens a broken association again, and loses and doubles nothing', async () => {
    door = await openDoor();
    const dataSets = await writeStudy('send/broken', 20);
    const proxy = await breakingProxy(door.address.port, [900, 4_000, 9_000]);
    try {
      const { code, stdout } = await sendTo(proxy.port);
      expect([code, stdout]).to.deep.equal([0, stdout.match(/^20 sent in \d+\.\d s\n$/)?.[0]]);
    } finally {
      proxy.server.close();
    }
    const whole = door.received.filter(({ end }) => end === 'finished').map(({ bytes }) => bytes.toString('base64'));
    expect(new Set(whole)).to.deep.equal(new Set(dataSets.map((bytes) => bytes.toString('base64'))));
  });

  it('asks for no more than 128 contexts an association, however many kinds of objects there are', async () => {
    door = await openDoor();
    for (let at = 0; at < 150; at += 1) await writeFile(join(folder, `${at}.dcm`), privateObject(at));
    const { code, stdout } = await sendTo(door.address.port);
    expect([code, stdout]).to.deep.equal([0, stdout.match(/^150 sent in \d+\.\d s\n$/)?.[0]]);
    expect(new Set(door.received.map(({ sopClassUID }) => sopClassUID)).size).to.equal(150);
    expect(door.events.filter(([event]) => event === 'opened').length).to.be.within(2, 6);
  });

  it('uses several associations at once, and each until there is no more for it', async () => {
    door = await openDoor();
    await writeStudy('send/parallel', 100);
    const { code, stdout } = await sendTo(door.address.port, '--parallel', '3');
    expect([code, stdout]).to.deep.equal([0, stdout.match(/^100 sent in \d+\.\d s\n$/)?.[0]]);
    expect(door.events.filter(([event]) => event === 'opened')).to.have.length(3);
  });

  it('ends with 2 when nobody listens, or the peer wants no association with us', async () => {
    door = await openDoor();
    await writeStudy('send/nobody', 1);
    const rejected = await runCommand(
      'send',
      [folder, '--to', `${CALLED}@127.0.0.1:${door.address.port}`, '--from', 'STRANGER'],
      NOWHERE,
    );
    expect([rejected.code, rejected.stderr.includes('the calling AE title is not known')]).to.deep.equal([2, true]);
    const { port } = door.address;
    await door.close();
    const absent = await sendTo(port);
    expect([absent.code, absent.stderr.includes('cannot be reached (ECONNREFUSED)')]).to.deep.equal([2, true]);
  });

  it('refuses what it cannot understand, and says what is missing', async () => {
    const refusals: readonly (readonly [args: readonly string[], text: string])[] = [
      [[], 'Usage'],
      [[folder, folder], 'Usage'],
      [[folder, '--parallel', '0'], 'Usage'],
      [[folder, '--to', 'no address'], '--to is AE@host:port'],
      [[folder, '--to', 'PACS@host:99999'], '--to is AE@host:port'],
      [[folder, '--to', 'PACS@host:104', '--from', 'A\\B'], 'An AE title has 1 to 16 characters'],
      [[folder, '--to', 'PACS@host:104', '--tls-cert', 'x'], 'DICOM over TLS needs --tls-cert, --tls-key and --tls-ca'],
      [[join(folder, 'absent'), '--to', 'PACS@host:104'], 'cannot be read (ENOENT)'],
      [[folder], 'No server runs on'],
    ];
    const results = await Promise.all(refusals.map(async ([args]) => await runCommand('send', args, NOWHERE)));
    results.forEach(({ code, stderr }, at) =>
      expect([code, stderr.includes(refusals[at]?.[1] ?? '?')], stderr).to.deep.equal([2, true]),
    );
  });

  it('sends over TLS, to a peer that its authority vouches for', async function () {
    if (!hasProgram('openssl', 'version')) this.skip();
    const pki = await mkdtemp(join(tmpdir(), 'passerelle-tls-'));
    const authority = await certify(pki, 'authority');
    const [own, peer] = [await certify(pki, 'sender', authority), await certify(pki, 'localhost', authority)];
    const [cert, key, ca] = await Promise.all(
      [peer.cert, peer.key, authority.cert].map(async (path) => await readFile(path)),
    );
    door = await openDoor({ host: 'localhost', tls: { cert, key, ca, requestCert: true, rejectUnauthorized: true } });
    await writeStudy('send/tls');
    const send = async (authorityFile: string) =>
      await runCommand(
        'send',
        [
          folder,
          '--to',
          `${CALLED}@localhost:${door.address.port}`,
          '--from',
          CALLING,
          '--tls-cert',
          own.cert,
          '--tls-key',
          own.key,
          '--tls-ca',
          authorityFile,
        ],
        NOWHERE,
      );
    const { code, stdout, stderr } = await send(authority.cert);
    expect([code, stdout], stderr).to.deep.equal([0, stdout.match(/^3 sent in \d+\.\d s\n$/)?.[0]]);
    expect((await send(own.cert)).code).to.equal(2);
    await rm(pki, { recursive: true, force: true });
  });
});

describe('Sending the published samples', function () {
  this.timeout(60_000);
  let server: TestServer;
  const samples = join(TESTDATA, 'dicom');

  /** Files that are refused, by us or the server, and why. */
  const REFUSED = [
    ['broken_missing_transfer_syntax.dcm', 'names no transfer syntax'],
    ['broken_truncated_mr.dcm', 'C000'],
    ['empty_charset.dcm', 'names no SOP class or instance'],
    ['htj2k_lossless_rgb_201.dcm', 'StudyInstanceUID is missing'],
    ['un_sequence.dcm', 'A900'],
  ] as const;

  before(async function () {
    if (!existsSync(samples)) this.skip();
    server = await startServer();
  });
  after(async () => await server?.stop());

  it('to the running server of the data folder: what is stored are the bytes that were sent', async () => {
    const place = { dataDir: server.dataDir };
    const open = await runCommand('send', [samples], place);
    expect(open.code).to.equal(2);
    expect(open.stderr).to.include(
      '--from AE (the region has DEMO_MODALITY, DEMO_NANCY, DEMO_LUXEMBOURG for this machine)',
    );
    const { code, stdout, stderr } = await runCommand(
      'send',
      [samples, '--from', 'DEMO_NANCY', '--parallel', '2'],
      place,
    );
    expect(code, stderr).to.equal(1);
    for (const [file, reason] of REFUSED) expect(stdout).to.match(new RegExp(`${file}: .*${reason}`));
    expect(stdout).to.match(new RegExp(`\\n60 sent, ${REFUSED.length} refused, 9 skipped in`));
    const sent = await digestsOf(
      samples,
      REFUSED.map(([file]) => file),
    );
    const stored = storedDigests(server.dataDir);
    expect(stored.filter(([uid, digest]) => sent.get(uid)?.has(digest) !== true)).to.deep.equal([]);
    expect(new Set(stored.map(([uid]) => uid))).to.deep.equal(new Set(sent.keys()));
  });

  it('to storescp of DCMTK: what it writes are the bytes that were sent', async function () {
    if (!hasProgram('storescp')) this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-scp-'));
    const port = await freePort();
    const scp = spawn('storescp', ['+B', '-pm', '+xa', '-od', folder, String(port)], { stdio: 'ignore' });
    try {
      await listening(port);
      const { stdout } = await runCommand('send', [samples, '--to', `STORESCP@127.0.0.1:${port}`], NOWHERE);
      expect(stdout).to.match(/\n\d+ sent, \d+ refused, 9 skipped in/);
      const sent = await digestsOf(samples);
      const written = await digestsOf(folder);
      expect(
        [...written]
          .filter(([uid, digests]) => ![...digests].every((digest) => sent.get(uid)?.has(digest) === true))
          .map(([uid]) => uid),
      ).to.deep.equal([]);
      expect(written.size).to.be.greaterThan(40);
    } finally {
      scp.kill();
      if (scp.exitCode === null) await once(scp, 'exit');
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** The digests of data sets in a folder, by SOP Instance UID; some files are left out. */
async function digestsOf(folder: string, without: readonly string[] = []): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for (const name of await readdir(folder)) {
    const head = await readHead(Buffer.from(join(folder, name)));
    if ('kind' in head || without.includes(name)) continue;
    const { sopInstanceUID } = head.meta;
    found.set(
      sopInstanceUID,
      (found.get(sopInstanceUID) ?? new Set()).add(dataSetDigest(await readFile(join(folder, name)))),
    );
  }
  return found;
}

/** Of what is filed, and of what is kept aside: samples whose patients others number. */
function storedDigests(dataDir: string): [uid: string, digest: string][] {
  const records = new DatabaseSync(join(dataDir, 'records.sqlite'), { readOnly: true });
  const digests = 'SELECT sop_instance_uid AS uid, data_set_digest AS digest FROM';
  const rows = records.prepare(`${digests} instance UNION ${digests} quarantine`).all() as {
    uid: string;
    digest: string;
  }[];
  records.close();
  return rows.map(({ uid, digest }) => [uid, digest]);
}

/** An object of a private class, with the least that says what it is. */
function privateObject(at: number): Buffer {
  const [sopClassUID, sopInstanceUID] = [`2.25.${1_000 + at}`, `2.25.${9_000 + at}`];
  const meta = formatFileMeta({ sopClassUID, sopInstanceUID, transferSyntaxUID: DICOM_UID.explicitLittleEndian });
  return Buffer.concat([meta, uidElement(0x16, sopClassUID), uidElement(0x18, sopInstanceUID)]);
}

function uidElement(element: number, uid: string): Buffer {
  const value = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`);
  return Buffer.concat([Buffer.from([0x08, 0x00, element, 0x00, 0x55, 0x49, value.length, 0x00]), value]);
}

/** Passes connections on to a port; the first ones are cut after so many bytes each. */
async function breakingProxy(
  to: number,
  cutAfter: readonly number[],
): Promise<{ readonly server: Server; readonly port: number }> {
  let opened = 0;
  const server = createServer((from) => {
    const most = cutAfter[opened] ?? Infinity;
    opened += 1;
    let passed = 0;
    const onward = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [from, onward],
      [onward, from],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
    onward.pipe(from);
    from.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      onward.write(chunk.subarray(0, Math.max(0, chunk.length - Math.max(0, passed - most))));
      if (passed >= most) from.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'close').then(() => ['close']),
    ]).catch(() => ['close']);
    socket.on('error', () => undefined).destroy();
    if (event === 'connect') return;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}
