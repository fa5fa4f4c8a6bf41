/** `npm run region`: what is wrong with a file, what it changes, what is loaded; and the processes of one store. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { eventually, expectOutcome } from '../support/clients/fhir-caller.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { establishmentCaller, fillDemonstration, personCaller } from '../support/demonstration.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { changeResource, makeRegionFile, removeResource, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('npm run region', function () {
  this.timeout(120_000);
  let dataDir = '';
  let file: RegionFile;
  let other: RegionFile;
  let server: TestServer;
  const region = async (...args: readonly string[]): Promise<CommandResult> =>
    await runCommand('region', args, { dataDir, env: { REGION: file.path } });

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-region-'));
    file = await makeRegionFile();
    other = await makeRegionFile();
    server = await startServer({ dataDir, env: { REGION: file.path } });
    await fillDemonstration(server);
  });
  after(async () => {
    await server?.stop();
    await file?.remove();
    await other?.remove();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('check names every error of a file with place and reason (exit code 1), without a server, too', async () => {
    const before = await readFile(other.path, 'utf8');
    const wrong = JSON.parse(before) as { aeTitles: { addresses: string[] }[]; identityProviders: object[] };
    wrong.aeTitles[0]?.addresses.push('ct.example.org');
    wrong.identityProviders.push({ issuer: 'https://idp.example' });
    await writeFile(other.path, JSON.stringify(wrong));
    const empty = await mkdtemp(join(tmpdir(), 'passerelle-nothing-'));
    for (const place of [dataDir, join(empty, 'none')]) {
      const refused = await runCommand('region', ['check', other.path], { dataDir: place });
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.match(/^\/aeTitles\/0\/addresses\/2 is no address or range/m);
    }
    wrong.aeTitles[0]?.addresses.pop();
    await writeFile(other.path, JSON.stringify(wrong));
    expect((await region('check', other.path)).stderr).to.match(/^\/identityProviders\/1 .*idp\.example/m);
    await writeFile(other.path, before);
    const alone = await runCommand('region', ['check', other.path], { dataDir: join(empty, 'none') });
    expect([alone.code, alone.stdout]).to.deep.equal([
      0,
      'the file is valid\nthere is no data folder to compare it with\n',
    ]);
    await writeFile(other.path, '{');
    expect((await region('check', other.path)).stderr).to.include('is not valid JSON');
    await rm(empty, { recursive: true });
  });

  it('check tells how many records each change shows or hides, to whom, and changes nothing', async () => {
    await other.write();
    await other.write((edited) => {
      changeResource(edited, 'PractitionerRole/demo-radiologist-role', { active: false } as object);
      removeResource(edited, 'Practitioner/demo-stranger');
      removeResource(edited, 'PractitionerRole/demo-stranger-role');
      edited.persons = edited.persons.filter(({ login }) => login !== 'demo-stranger');
      edited.clients = edited.clients.filter(({ client_id }) => client_id !== 'demo-radiology-centre');
    });
    const { code, stdout, stderr } = await region('check', other.path);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^serial 1 -> 3$/m);
    expect(stdout).to.match(
      /^loses access: Practitioner\/demo-radiologist \(Dr .+\): 0 records shown, [1-9]\d* hidden$/m,
    );
    expect(stdout).to.match(/^loses access: Practitioner\/demo-stranger \(.+\): 0 records shown, 0 hidden$/m);
    expect(stdout).to.match(/^loses access: client demo-radiology-centre \(.+\): 0 records shown, [1-9]\d* hidden$/m);
    expect(stdout).to.include('removed: client demo-radiology-centre');
    expect(stdout).to.match(/^must be confirmed with --confirm 3: it removes 1 of [78] people/m);
    expect((await personCaller(server, 'demo-stranger')).token).to.not.equal('');
    expect((await establishmentCaller(server, 'nancy')).token).to.not.equal('');
    await other.write((edited) =>
      changeResource(edited, 'PractitionerRole/demo-declared-role', {
        organization: { reference: 'Organization/demo-strasbourg-imaging' },
        specialty: [{ coding: [{ code: 'SM44' }] }],
      } as object),
    );
    expect((await region('check', other.path)).stdout).to.match(
      /^sees other records: Practitioner\/demo-declared \(.+\): [1-9]\d* records shown, 0 hidden$/m,
    );
    // An office shows what is for its holders.
    const system = CODE_SYSTEM.regionRole;
    await other.write();
    await other.write((edited) =>
      changeResource(edited, 'PractitionerRole/demo-declared-role', {
        code: [{ coding: [{ system, code: 'region-desk' }] }],
      } as object),
    );
    expect((await region('check', other.path)).stdout).to.match(
      /^sees other records: Practitioner\/demo-declared \(.+\): \d+ records shown, 0 hidden$/m,
    );
  });

  it('check tells how many records are shown or hidden by what it says of informing patients', async () => {
    const saying = async (informsPatients: string | false): Promise<string> => {
      await other.write();
      await other.write((edited) => {
        edited.identifierDomains = edited.identifierDomains.map((domain) =>
          domain.organization === 'Organization/demo-strasbourg' ? { ...domain, informsPatients } : domain,
        );
      });
      return (await region('check', other.path)).stdout;
    };
    expect(await saying(false)).to.match(
      /^informs patients: Organization\/demo-strasbourg: 0 records shown, [1-9]\d* hidden$/m,
    );
    // Each was filed on a day since which patients are informed.
    expect(await saying('2026-01-06')).not.to.include('informs patients:');
  });

  it('show tells serial, counts, and establishments with their domains', async () => {
    const { code, stdout } = await region('show');
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^serial 1$/m)
      .and.match(/^Practitioner: 8$/m)
      .and.match(/^clients: 4$/m);
    expect(stdout).to.include('Organization/demo-nancy (').and.include('  informs patients: since 2026-01-05');
    expect(stdout).to.match(/^ {2}patients: urn:oid:2\.25\.200511774850911348183001992349381075021$/m);
  });

  it('reload tells what changed, and needs a server; check and show take the data of a stopped one, too', async () => {
    await file.write((edited) => changeResource(edited, 'Practitioner/demo-stranger', { gender: 'unknown' } as object));
    const { code, stdout } = await region('reload');
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^serial 1 -> 2$/m)
      .and.match(/^changed: Practitioner\/demo-stranger \(.+\)$/m);
    await server.stop();
    const refused = await region('reload');
    expect([refused.code, refused.stderr.includes('No server runs on')]).to.deep.equal([2, true]);
    const shown = await region('show');
    expect(shown.stdout).to.match(/^the store was written from serial 2$/m);
    await file.write((edited) => changeResource(edited, 'Practitioner/demo-declared', { active: false } as object));
    const checked = await region('check', file.path);
    expect(checked.stdout).to.match(/^serial 2 -> 3$/m);
    expect(checked.stdout).to.match(/^loses access: Practitioner\/demo-declared .* [1-9]\d* hidden$/m);
    server = await startServer({ dataDir, env: { REGION: file.path } });
  });

  it('says how it is used when it is not', async () => {
    for (const args of [[], ['check'], ['show', 'x'], ['reload', '--confirm', 'yes'], ['check', 'a', 'b']]) {
      const { code, stderr } = await region(...args);
      expect([code, stderr.startsWith('Usage: npm run -s region')], args.join(' ')).to.deep.equal([2, true]);
    }
  });
});

describe('The region of several processes on one MongoDB', function () {
  this.timeout(120_000);
  let peer: MongoPeer | undefined;
  let file: RegionFile;
  let behind: RegionFile;
  const servers: TestServer[] = [];
  const folders: string[] = [];
  let store = '';

  const started = async (path: string): Promise<TestServer> => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-region-'));
    folders.push(dataDir);
    const server = await startServer({ store, dataDir, env: { REGION: path } });
    servers.push(server);
    return server;
  };

  before(async function () {
    if (whyNoMongoPeer() !== undefined) this.skip();
    peer = await startMongoPeer();
    store = peer?.freshUri() ?? '';
    file = await makeRegionFile();
    behind = await makeRegionFile();
  });
  after(async () => {
    for (const server of servers) await server.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
    await file?.remove();
    await behind?.remove();
    await peer?.stop();
  });

  it('is written by one and followed by the others; whoever cannot read it warns, and starts no more', async () => {
    const [writer, follower] = [await started(file.path), await started(file.path)];
    const stale = await started(behind.path);
    const nancy = await establishmentCaller(follower, 'nancy');
    expect((await nancy.get('Patient')).status).to.equal(200);
    const serial = await file.write((edited) => {
      edited.clients = edited.clients.filter(({ client_id }) => client_id !== 'demo-radiology-centre');
    });
    const place = { store, dataDir: writer.dataDir, env: { REGION: file.path } };
    const done = await runCommand('region', ['reload'], place);
    expect(done.code, done.stderr).to.equal(0);
    expectOutcome(await nancy.get('Patient'), 401, 'login');
    await eventually(async () =>
      (await establishmentCaller(follower, 'nancy').catch(() => undefined)) === undefined ? true : undefined,
    );
    const checks = async (): Promise<string> => await (await fetch(`${stale.url}/health/ready`)).text();
    await eventually(async () => ((await checks()).includes(`serial ${serial}`) ? true : undefined));
    expect(stale.log()).to.include('another process loaded a newer region file');
    const refused = await started(behind.path).catch((error: Error) => error.message);
    expect(refused).to.include('is older than what the store holds');
  });
});
