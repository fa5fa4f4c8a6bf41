/** Starting where a server must not start, and ending in the middle of work. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { startServer, type ServerOptions, type TestServer } from '../support/server.ts';
import { freePort } from '../support/free-port.ts';
import { writeProviders } from '../support/region.ts';

const MONGODB_PEER = fileURLToPath(new URL('../../node_modules/.cache/mongodb-peer/bin/secantusd-py', import.meta.url));
const DOCUMENT_BYTES = 30_000_000;

/** What a server says that does not start: its exit code, and its text. */
async function refusalOf(options: ServerOptions): Promise<{ readonly code: string; readonly text: string }> {
  const started = await startServer(options).catch((error: unknown) => error);
  if (!(started instanceof Error)) {
    await (started as TestServer).stop();
    throw new Error('The server started');
  }
  const [, code = '', text = ''] = /^The server ended with (\S+):\n([\s\S]*)$/.exec(started.message) ?? [];
  return { code, text };
}

describe('Starting', () => {
  it('names every address that is bound in its ready line', async () => {
    const server = await startServer();
    try {
      expect((await fetch(`${server.url}/health/ready`)).status).to.equal(200);
      expect(server.dimse).to.include({ host: '127.0.0.1', aeTitle: 'PASSERELLE' });
      expect(server.dimse.port).to.be.greaterThan(0);
    } finally {
      expect(await server.stop()).to.equal(0);
    }
  });

  it('prints every error of its configuration at once, without the values, and exits with 1', async () => {
    const { code, text } = await refusalOf({
      env: { HTTP_PORT: '99999', LOG_LEVEL: 'loud', NOTHING: 'hush-7731', TIME_ZONE: 'hush-7731', HOST: '0.0.0.0' },
    });
    expect(code).to.equal('1');
    for (const name of ['HTTP_PORT', 'LOG_LEVEL', 'NOTHING', 'TIME_ZONE', 'HOST', 'PUBLIC_URL'])
      expect(text).to.match(new RegExp(`^PASSERELLE_${name} `, 'm'));
    expect(text).to.not.include('hush-7731').and.not.include('    at ');
  });

  it('refuses the demonstration region outside development', async () => {
    const env = {
      DEVELOPMENT: '0',
      REGION: 'fixtures/region/region.json',
      REPOSITORY_UID: '2.25.1',
      HOME_COMMUNITY_ID: '2.25.2',
      AUDIT_ANCHOR: '/tmp/passerelle-mount/anchor',
      AUDIT_ANCHOR_KEY: '/tmp/passerelle-keys/key',
    };
    const { code, text } = await refusalOf({ env });
    expect(code).to.equal('1');
    expect(text)
      .to.match(/demonstration/i)
      .and.not.include('    at ');
  });

  it('refuses an identity provider whose secret it cannot read, and names no secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-providers-'));
    const provider = {
      issuer: 'https://idp.example',
      client_id: 'passerelle',
      identifierClaims: [{ claim: 'sub', system: 'urn:oid:2.25.1', kinds: ['practitioner'] }],
    };
    try {
      for (const [members, why] of [
        [{ client_secret_file: 'missing' }, 'cannot be read'],
        [{ client_secret: 'hush-7731' }, 'does not belong in the region file'],
      ] as const) {
        const path = join(folder, 'region.json');
        await writeProviders(path, [{ ...provider, ...members }]);
        const { code, text } = await refusalOf({ env: { REGION: path } });
        expect([code, text.includes(why)], text).to.deep.equal(['1', true]);
        expect(text).to.not.include('hush-7731').and.not.include('    at ');
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('goes on without an identity provider that does not answer, and logs its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-providers-'));
    const path = join(folder, 'region.json');
    await writeFile(join(folder, 'secret'), 'hush-7731');
    const claim = { claim: 'sub', system: 'urn:oid:2.25.1', kinds: ['practitioner'] };
    const issuer = `http://127.0.0.1:${await freePort()}`;
    const provider = { issuer, name: 'Carte', client_id: 'x', client_secret_file: 'secret', identifierClaims: [claim] };
    await writeProviders(path, [provider, { issuer: 'development' }]);
    const server = await startServer({ env: { REGION: path } });
    try {
      expect(server.log()).to.include('"provider":"Carte"').and.not.include('hush-7731');
      const page = await fetch(`${server.url}/auth/session/provider/0?to=/`, { redirect: 'manual' });
      expect(page.status).to.equal(503);
      expect((await fetch(`${server.url}/auth/session/provider/1?to=/`, { redirect: 'manual' })).status).to.equal(303);
    } finally {
      expect(await server.stop()).to.equal(0);
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuses a data folder on which a server runs; that one goes on', async function second() {
    this.timeout(30_000);
    const first = await startServer();
    try {
      const { code, text } = await refusalOf({ dataDir: first.dataDir });
      expect([code, text.trim()]).to.deep.equal(['1', 'Another server is running on this data folder']);
      expect((await fetch(`${first.url}/health/ready`)).status).to.equal(200);
      const caller = await establishmentCaller(first, 'strasbourg');
      const bundle = await buildReportBundle(
        aStudy({ key: 'start/second', patient: PATIENTS.gaetan }),
        reportTextOf('mr-head'),
      );
      expect((await caller.send('POST', '', bundle)).status).to.equal(200);
    } finally {
      expect(await first.stop()).to.equal(0);
    }
  });

  it('refuses a store that cannot be reached', async () => {
    const { code, text } = await refusalOf({
      store: `mongodb://127.0.0.1:${await freePort()}/passerelle?serverSelectionTimeoutMS=500`,
    });
    expect(code).to.equal('1');
    expect(text).to.include('store').and.not.include('    at ');
  });

  describe('on a MongoDB server without transactions', () => {
    let peer: ChildProcess | undefined;
    let folder = '';
    let port = 0;
    before(async function standalone() {
      if (!existsSync(MONGODB_PEER)) this.skip();
      this.timeout(30_000);
      folder = await mkdtemp(join(tmpdir(), 'passerelle-standalone-'));
      port = await freePort();
      peer = spawn(
        MONGODB_PEER,
        ['--host', '127.0.0.1', '--port', String(port), '--storage-path', folder, '--standalone'],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      await saying(peer, 'listening on');
    });
    after(async () => {
      if (peer === undefined) return;
      peer.kill('SIGKILL');
      await once(peer, 'exit');
      await rm(folder, { recursive: true, force: true });
    });

    it('says that a replica set is needed, and exits with 1', async function refused() {
      this.timeout(30_000);
      const { code, text } = await refusalOf({ store: `mongodb://127.0.0.1:${port}/passerelle` });
      expect(code).to.equal('1');
      expect(text)
        .to.match(/replica set/i)
        .and.not.include('    at ');
    });
  });
});

describe('Ending', () => {
  let server: TestServer;
  let document = '';
  let authorization = '';
  beforeEach(async function start() {
    this.timeout(30_000);
    server = await startServer();
    const caller = await establishmentCaller(server, 'strasbourg');
    authorization = `Bearer ${caller.token}`;
    document = await publishLarge(caller.send);
  });
  afterEach(async () => await server?.stop());

  it('SIGTERM lets a running download end, takes no new connections, and exits with 0', async function running() {
    this.timeout(30_000);
    const response = await fetch(document, { headers: { authorization } });
    const reader = response.body?.getReader();
    let received = (await reader?.read())?.value?.length ?? 0;
    process.kill(server.pid, 'SIGTERM');
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    const refused = await fetch(`${server.url}/health/live`, { headers: { connection: 'close' } }).then(
      () => 'answered',
      () => 'refused',
    );
    expect(refused).to.equal('refused');
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
      received += part.value.length;
    expect(received).to.equal(DOCUMENT_BYTES);
    expect(await server.stop()).to.equal(0);
  });

  it('SIGTERM does not wait for a client that reads no more', async function hanging() {
    this.timeout(30_000);
    const response = await fetch(document, { headers: { authorization } });
    await response.body?.getReader().read();
    const began = Date.now();
    expect(await server.stop()).to.equal(0);
    expect(Date.now() - began).to.be.lessThan(15_000);
  });
});

type Send = Awaited<ReturnType<typeof establishmentCaller>>['send'];

/** Publishes a report whose document is large; gives the document's address. */
async function publishLarge(send: Send): Promise<string> {
  const bundle = await buildReportBundle(
    aStudy({ key: 'start/large', patient: PATIENTS.gaetan }),
    reportTextOf('mr-head'),
  );
  const report = bundle.entry?.[1]?.resource as DiagnosticReport | undefined;
  const [form] = report?.presentedForm ?? [];
  if (form === undefined) throw new Error('The report has no document');
  const head = Buffer.from('%PDF-1.4\n');
  form.data = Buffer.concat([head, Buffer.alloc(DOCUMENT_BYTES - head.length, 0x41)]).toString('base64');
  const answer = await send('POST', '', bundle);
  expect(answer.status, answer.text.slice(0, 300)).to.equal(200);
  const location = answer.json<{ entry: { response: { location: string } }[] }>().entry[1]?.response.location ?? '';
  const stored = await send('GET', location.replace(/\/_history.*/, ''));
  return stored.json<DiagnosticReport>().presentedForm?.[0]?.url ?? '';
}

/** Waits for a text on either stream of a program. */
async function saying(program: ChildProcess, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-10_000);
    if (said.includes(text)) resolve();
  };
  program.stdout?.on('data', hear);
  program.stderr?.on('data', hear);
  program.once('exit', () => reject(new Error(`It ended: ${said}`)));
  await promise;
}
