import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dimse from 'dcmjs-dimse';
import { expect } from 'chai';
import { DICOM_IMPLEMENTATION, DICOM_UID } from '../../../../profiles/codes.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { hasProgram, sample, sampleNames, samplePath } from '../../../profiles/dicom/samples.ts';
import {
  CALLED,
  CALLING,
  CT_IMAGE,
  RELEASE_REQUEST,
  RawCaller,
  associateRequest,
  openDoor,
  echoRequest,
} from './door.ts';
import type { Door, OfferedContext } from './door.ts';

async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

const NAGLE = { 'with TCP_NODELAY=1': { TCP_NODELAY: '1' }, 'without TCP_NODELAY': {} };

describe('DIMSE door with DCMTK', () => {
  let door: Door;
  const folder = mkdtempSync(join(tmpdir(), 'dimse-'));
  const target = (): string[] => ['-aec', CALLED, '-aet', CALLING, door.address.host, String(door.address.port)];

  before(function skipWithoutPeer() {
    if (!hasProgram('storescu') || !hasProgram('echoscu')) this.skip();
  });
  beforeEach(async () => {
    door = await openDoor();
  });
  afterEach(async () => await door.close());
  after(() => rmSync(folder, { recursive: true }));

  it('answers echoscu', async () => {
    const { code, output } = await run('echoscu', ['-v', '--repeat', '20', ...target()]);
    expect(code, output).to.equal(0);
    expect(output.match(/Received Echo Response \(Success\)/g)).to.have.length(20);
    expect(door.events.map(([event]) => event)).to.deep.equal(['opened', 'closed']);
  });

  for (const [name, env] of Object.entries(NAGLE)) {
    // storescu drops group lengths and trailing padding from what it sends: dcmconv takes them out of the file first.
    it(`receives what storescu sends, byte for byte, ${name}`, async function identical() {
      this.timeout(30_000);
      const bySyntax = {
        ct_explicit_le: '-xe',
        ct_implicit_le: '-xi',
        ct_explicit_be: '-xb',
        ct_jpegls_lossless_80: '-xt',
        ct_rle: '-xr',
        cine_multiframe: '-xi',
      };
      if (sampleNames().length === 0) this.skip();
      for (const [file, option] of Object.entries(bySyntax)) {
        const path = join(folder, `${file}.dcm`);
        const plain = await run('dcmconv', ['-g', '-p', samplePath(`${file}.dcm`), path]);
        expect(plain.code, plain.output).to.equal(0);
        const { code, output } = await run('storescu', [option, ...target(), path], env);
        expect(code, output).to.equal(0);
        const bytes = readFileSync(path);
        const meta = parseFileMeta(bytes);
        const received = door.received.at(-1);
        expect(received, file).to.include({
          end: 'finished',
          sopInstanceUID: meta.sopInstanceUID,
          transferSyntaxUID: meta.transferSyntaxUID,
        });
        expect(received?.bytes.equals(bytes.subarray(meta.dataSetOffset)), file).to.equal(true);
      }
    });
  }

  it('receives several instances on one association, in order', async function several() {
    if (sampleNames().length === 0) this.skip();
    const files = ['ct_explicit_le.dcm', 'mr_small.dcm', 'sr_tid1500.dcm', 'ct_small.dcm'];
    const { code, output } = await run('storescu', ['-R', ...target(), ...files.map(samplePath)], { TCP_NODELAY: '1' });
    expect(code, output).to.equal(0);
    expect(door.received.map(({ sopInstanceUID }) => sopInstanceUID)).to.deep.equal(
      files.map((file) => parseFileMeta(sample(file)).sopInstanceUID),
    );
    expect(new Set(door.received.map(({ associationId }) => associationId)).size).to.equal(1);
    expect(door.events.at(-1)?.[1]).to.include({ stored: 4, failed: 0, callingAE: CALLING });
  });

  it('refuses an unknown calling AE title and a wrong called one', async () => {
    const at = [door.address.host, String(door.address.port)];
    const unknown = await run('echoscu', ['-v', '-aec', CALLED, '-aet', 'STRANGER', ...at]);
    expect(unknown.output).to.match(/Rejected Permanent.*Service User\s[\s\S]*Calling AE Title Not Recognized/);
    const wrong = await run('echoscu', ['-v', '-aec', 'OTHER', '-aet', CALLING, ...at]);
    expect(wrong.output).to.match(/Called AE Title Not Recognized/);
    expect(door.events.map(([event, { reason }]) => [event, reason])).to.deep.equal([
      ['refused', 'calling AE title'],
      ['refused', 'called AE title'],
    ]);
  });

  it('serves DICOM over TLS and hands the verified certificate to the identification', async function tls() {
    if (!hasProgram('openssl', 'version')) this.skip();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=scanner',
      '-days',
      '2',
    ]);
    expect(made.code, made.output).to.equal(0);
    const pem = { key: readFileSync(key), cert: readFileSync(cert), ca: readFileSync(cert) };
    const subjects: (string | undefined)[] = [];
    const secure = await openDoor({
      tls: { ...pem, requestCert: true, rejectUnauthorized: true },
      identifyPeer: ({ certificate }) => {
        subjects.push(certificate?.subject);
        return { aeTitle: CALLING, organization: 'hospital' };
      },
    });
    const at = ['-aec', CALLED, secure.address.host, String(secure.address.port)];
    const known = await run('echoscu', ['-v', '+tls', key, cert, '+cf', cert, ...at]);
    const anonymous = await run('echoscu', ['-v', '+tla', '-ic', ...at]);
    await secure.close();
    expect(known.code, known.output).to.equal(0);
    expect(anonymous.code).to.not.equal(0);
    expect(subjects).to.deep.equal(['CN=scanner']);
  });
});

/** Offers contexts, and returns result and transfer syntax by id as the A-ASSOCIATE-AC has them. */
async function negotiate(
  door: Door,
  contexts: readonly OfferedContext[],
): Promise<Map<number, { result: number; transferSyntax: string }>> {
  const caller = await RawCaller.connect(door);
  caller.socket.write(associateRequest({ contexts }));
  const accept = await caller.pdu();
  if (accept?.[0] !== 0x02) throw new Error(`No accept: ${accept?.toString('hex')}`);
  const answers = new Map<number, { result: number; transferSyntax: string }>();
  for (let at = 74; at < accept.length; at += 4 + accept.readUInt16BE(at + 2)) {
    const end = at + 4 + accept.readUInt16BE(at + 2);
    if (accept[at] === 0x21)
      answers.set(accept[at + 4] ?? 0, {
        result: accept[at + 6] ?? -1,
        transferSyntax: accept.toString('latin1', at + 12, end),
      });
    if (accept[at] === 0x50) {
      const user = accept.subarray(at + 4, end);
      expect([user[0], user.readUInt32BE(4)]).to.deep.equal([0x51, 131_072]);
      expect(user.includes(DICOM_IMPLEMENTATION.classUID)).to.equal(true);
    }
  }
  caller.socket.write(RELEASE_REQUEST);
  expect((await caller.pdu())?.[0]).to.equal(0x06);
  caller.socket.destroy();
  return answers;
}

describe('Association negotiation (PS3.8 9.3.2, PS3.4 B.3)', () => {
  let door: Door;
  beforeEach(async () => {
    door = await openDoor();
  });
  afterEach(async () => await door.close());

  it('takes the first transfer syntax of each context, in whatever order the ids come', async () => {
    const jpeg = '1.2.840.10008.1.2.4.70';
    const answers = await negotiate(door, [
      { id: 5, abstractSyntax: CT_IMAGE, transferSyntaxes: [jpeg, DICOM_UID.implicitLittleEndian] },
      { id: 3, abstractSyntax: DICOM_UID.verification, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
      { id: 9, abstractSyntax: '1.3.12.2.1107.5.9.1', transferSyntaxes: [DICOM_UID.explicitBigEndian] },
      { id: 1, abstractSyntax: CT_IMAGE, transferSyntaxes: [DICOM_UID.jpipReferenced, DICOM_UID.explicitLittleEndian] },
    ]);
    expect(Object.fromEntries(answers)).to.deep.equal({
      1: { result: 0, transferSyntax: DICOM_UID.explicitLittleEndian },
      3: { result: 0, transferSyntax: DICOM_UID.implicitLittleEndian },
      5: { result: 0, transferSyntax: jpeg },
      9: { result: 0, transferSyntax: DICOM_UID.explicitBigEndian },
    });
  });

  it('refuses contexts of other services, and those whose pixels would stay elsewhere', async () => {
    const studyRootFind = '1.2.840.10008.5.1.4.1.2.2.1';
    const answers = await negotiate(door, [
      { id: 1, abstractSyntax: studyRootFind, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
      {
        id: 3,
        abstractSyntax: CT_IMAGE,
        transferSyntaxes: [DICOM_UID.jpipReferencedDeflate, DICOM_UID.jpipHtj2kReferenced],
      },
    ]);
    expect([answers.get(1)?.result, answers.get(3)?.result]).to.deep.equal([3, 4]);
  });

  it('answers 128 contexts with many syntaxes', async () => {
    const transferSyntaxes = Array.from({ length: 12 }, (_, index) => `1.2.840.10008.1.2.4.${50 + index}`);
    const contexts = Array.from({ length: 128 }, (_, index) => ({
      id: 2 * index + 1,
      abstractSyntax: CT_IMAGE,
      transferSyntaxes,
    }));
    const answers = await negotiate(door, contexts);
    expect([...answers.values()].every(({ result }) => result === 0)).to.equal(true);
    expect(answers.size).to.equal(128);
  });

  it('answers a peer that announces a maximum length of 1 or 0', async () => {
    for (const maxLength of [0, 1]) {
      const caller = await RawCaller.connect(door);
      caller.socket.write(associateRequest({ maxLength }));
      expect((await caller.pdu())?.[0]).to.equal(0x02);
      caller.socket.write(echoRequest());
      expect((await caller.pdu())?.[0]).to.equal(0x04);
      caller.socket.destroy();
    }
  });

  it('records the opening before it accepts, and refuses as transient when that fails', async () => {
    const failing = await openDoor({
      onAssociation: (event) => {
        if (event === 'opened') throw new Error('The trail is full');
      },
    });
    const caller = await RawCaller.connect(failing);
    caller.socket.write(associateRequest());
    expect((await caller.pdu())?.subarray(7)).to.deep.equal(Buffer.from([2, 3, 1]));
    await failing.close();
  });
});

describe('DIMSE door with the dcmjs-dimse client', () => {
  it('stores a data set and answers C-ECHO', async function client() {
    const door = await openDoor();
    const { CEchoRequest, CStoreRequest } = dimse.requests;
    const dataset = new dimse.Dataset(
      { SOPClassUID: CT_IMAGE, SOPInstanceUID: '2.25.77', Modality: 'CT' },
      DICOM_UID.implicitLittleEndian,
    );
    const scu = new dimse.Client();
    const statuses: number[] = [];
    for (const request of [new CEchoRequest(), new CStoreRequest(dataset)]) {
      request.on('response', (response: { getStatus(): number }) => statuses.push(response.getStatus()));
      scu.addRequest(request);
    }
    const closed = once(scu as unknown as NodeJS.EventEmitter, 'closed');
    scu.send(door.address.host, door.address.port, CALLING, CALLED);
    await closed;
    await door.close();
    expect(statuses).to.deep.equal([0, 0]);
    expect(door.received.map(({ sopInstanceUID, end }) => [sopInstanceUID, end])).to.deep.equal([
      ['2.25.77', 'finished'],
    ]);
  });
});

describe('DIMSE door closing', () => {
  it('aborts its associations and drops what is unfinished before it resolves', async () => {
    const door = await openDoor();
    const caller = await RawCaller.associate(door);
    await door.close();
    expect((await caller.pdu())?.[0]).to.equal(0x07);
    expect(door.events.map(([event]) => event)).to.deep.equal(['opened', 'aborted']);
  });
});
