/** The region file as the directory: what it ends or does not hold any more counts from the next request on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiagnosticReport, Organization, Practitioner } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { DEMO_APP, signIn, signInFully, signInOnPages } from '../../fixtures/sign-in.ts';
import { RawCaller } from '../server/endpoints/dimse/door.ts';
import { eventually, expectOutcome, fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { establishmentCaller, fillDemonstration, personCaller } from '../support/demonstration.ts';
import { EACH_STORE, type OpenedStore } from '../support/peers/each-store.ts';
import {
  changeResource,
  makeRegionFile,
  removeResource,
  type EditedRegion,
  type RegionFile,
} from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openTrail } from './support/trail.ts';

const RADIOLOGIST = 'Practitioner/demo-radiologist';
const ROLE = 'PractitionerRole/demo-radiologist-role';
const OFFLINE = 'openid fhirUser offline_access user/*.rs';
/** What the service of Strasbourg reads: all exams of its patients. */
const EXAMS = 3;
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString();

/** What the file may say of a professional who is to lose access, by what it is called. */
const ENDS: Readonly<Record<string, (region: EditedRegion) => void>> = {
  'Practitioner.active is false': (region) => changeResource(region, RADIOLOGIST, { active: false }),
  'the Practitioner is removed': (region) => {
    removeResource(region, RADIOLOGIST);
    removeResource(region, ROLE);
  },
  'PractitionerRole.active is false': (region) => changeResource(region, ROLE, { active: false }),
  'PractitionerRole.period has ended': (region) => changeResource(region, ROLE, { period: { end: YESTERDAY } }),
  'the PractitionerRole is removed': (region) => removeResource(region, ROLE),
};

for (const { name, missing, open } of EACH_STORE) {
  describe(`The region file of a running server: ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let store = 'sqlite';
    let dataDir = '';
    let file: RegionFile;
    let server: TestServer;

    const started = async (...args: readonly string[]): Promise<TestServer> =>
      await startServer({ store, dataDir, env: { REGION: file.path }, args });
    const region = async (...args: readonly string[]): Promise<CommandResult> =>
      await runCommand('region', args, { store, dataDir, env: { REGION: file.path } });
    /** Loads a changed file into the running server, and confirms it. */
    const load = async (change?: (region: EditedRegion) => void): Promise<CommandResult> => {
      const serial = await file.write(change);
      const done = await region('reload', '--confirm', String(serial));
      expect(done.code, done.stderr).to.equal(0);
      return done;
    };
    const seen = async (caller: FhirCaller): Promise<number> => (await caller.find('ImagingStudy')).length;

    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      store = opened.store;
      dataDir = await mkdtemp(join(tmpdir(), 'passerelle-region-'));
      file = await makeRegionFile();
      server = await started();
      await fillDemonstration(server);
    });
    afterEach(async () => {
      if (server !== undefined) await load();
    });
    after(async () => {
      await server?.stop();
      await file?.remove();
      await opened?.close();
      await rm(dataDir, { recursive: true, force: true });
    });

    for (const [what, change] of Object.entries(ENDS)) {
      it(`A11 where ${what}: no access at the next request, no sign-in, no token and session that lasts`, async () => {
        const tokens = await signInFully({ url: server.url, person: 'demo-radiologist', scope: OFFLINE });
        const caller = fhirCaller(server.url, tokens.access_token);
        const session = await signInOnPages({ url: server.url, person: 'demo-radiologist' });
        const page = async (): Promise<string> =>
          await (await fetch(`${server.url}/voir`, { headers: { cookie: session }, redirect: 'manual' })).text();
        expect(await seen(caller)).to.equal(EXAMS);
        expect(await page()).to.include('href="/viewer/');
        const { stdout } = await load(change);
        expect(stdout).to.match(/^(?:ended|removed|changed): Practitioner/m);
        expectOutcome(await caller.get('ImagingStudy'), 401, 'login');
        expect(await page()).to.not.include('href="/viewer/');
        expect(await refresh(server, String(tokens['refresh_token']))).to.include({ error: 'invalid_grant' });
        expect(await signIn({ url: server.url, person: 'demo-radiologist' }).catch(() => 'refused')).to.equal(
          'refused',
        );
        await load();
        // What was given before does not come back with the person.
        expectOutcome(await caller.get('ImagingStudy'), 401, 'login');
        expect(await refresh(server, String(tokens['refresh_token']))).to.include({ error: 'invalid_grant' });
        expect(await seen(await personCaller(server, 'demo-radiologist'))).to.equal(EXAMS);
      });
    }

    it('A11 ends them at a start as at a reload, and gives back what it holds again', async () => {
      const { access_token: token } = await signInFully({ url: server.url, person: 'demo-radiologist' });
      await server.stop();
      await file.write(ENDS['PractitionerRole.active is false']);
      server = await started();
      expectOutcome(await fhirCaller(server.url, token).get('ImagingStudy'), 401, 'login');
      expect(await signIn({ url: server.url, person: 'demo-radiologist' }).catch(() => 'refused')).to.equal('refused');
      await server.stop();
      await file.write();
      server = await started();
      expect(await seen(await personCaller(server, 'demo-radiologist'))).to.equal(EXAMS);
    });

    it('keeps the names of whom records refer to, as resources that say that they have ended', async () => {
      await load(ENDS['the Practitioner is removed']);
      const stranger = await personCaller(server, 'demo-stranger');
      const gone = await stranger.get(RADIOLOGIST);
      expect(gone.status, gone.text).to.equal(200);
      expect(gone.json<Practitioner>()).to.deep.include({ active: false });
      expect(gone.json<Practitioner>().name?.[0]?.family).to.equal('Hartmannsweil');
      const strasbourg = await establishmentCaller(server, 'strasbourg');
      const [report] = await strasbourg.find<DiagnosticReport>('DiagnosticReport');
      const reader = report?.resultsInterpreter?.[0]?.reference ?? '';
      expect(reader).to.equal(RADIOLOGIST);
      expect((await strasbourg.get(reader)).json<Practitioner>().name?.[0]?.family).to.equal('Hartmannsweil');
    });

    it('ends clients and AE titles: their tokens, their associations, and the next ones', async () => {
      const nancy = await establishmentCaller(server, 'nancy');
      const { host, port } = server.dimse;
      const calling = { calling: 'DEMO_NANCY', called: server.dimse.aeTitle };
      const association = await RawCaller.associate({ address: { host, port } }, undefined, calling);
      const other = await RawCaller.associate({ address: { host, port } }, undefined, {
        ...calling,
        calling: 'DEMO_MODALITY',
      });
      const { stdout } = await load((edited) => {
        edited.clients = edited.clients.filter(({ client_id }) => client_id !== 'demo-radiology-centre');
        edited.aeTitles = edited.aeTitles.filter(({ aeTitle }) => aeTitle !== 'DEMO_NANCY');
      });
      expect(stdout).to.include('removed: client demo-radiology-centre').and.include('removed: AE title DEMO_NANCY');
      expectOutcome(await nancy.get('Patient'), 401, 'login');
      expect(await establishmentCaller(server, 'nancy').catch(() => 'refused')).to.equal('refused');
      await association.closed();
      expect(other.socket.closed).to.equal(false);
      other.socket.destroy();
      const study = aStudy({ key: 'region/nancy', patient: PATIENTS.helene, establishment: 'nancy', instances: 1 });
      expect(await sendStudy(server, study).catch((error: Error) => error.message)).to.include('rejected');
      await load();
      expectOutcome(await nancy.get('Patient'), 401, 'login');
      expect(await seen(await establishmentCaller(server, 'nancy'))).to.equal(1);
      expect(await sendStudy(server, study)).to.deep.equal([0]);
    });

    it('takes a key away with the tokens that it got, and narrows scopes at the next request', async () => {
      const nancy = await establishmentCaller(server, 'nancy');
      const strasbourg = await establishmentCaller(server, 'strasbourg');
      await load((edited) => {
        const keys = edited.clients.find(({ client_id }) => client_id === 'demo-establishment')?.jwks;
        edited.clients = edited.clients.map((client) =>
          client.client_id === 'demo-radiology-centre' && keys !== undefined
            ? { ...client, jwks: keys }
            : { ...client, scope: client.scope.replace('system/*.cruds', 'system/Patient.rs') },
        );
      });
      expectOutcome(await nancy.get('Patient'), 401, 'login');
      expect((await strasbourg.get('Patient')).status).to.equal(200);
      expectOutcome(await strasbourg.get('ImagingStudy'), 403);
    });

    it('takes in what it adds: a client, an AE title, a professional', async () => {
      await load((edited) => {
        const [client] = edited.clients;
        const [title] = edited.aeTitles;
        if (client !== undefined) edited.clients = [{ ...client, client_id: 'demo-radiology-centre' }];
        if (title !== undefined) edited.aeTitles.push({ ...title, aeTitle: 'DEMO_NEW', addresses: ['127.0.0.0/8'] });
        edited.bundle.entry?.push({
          resource: { resourceType: 'Organization', id: 'demo-new', name: 'Nouveau' },
          request: { method: 'PUT', url: 'Organization/demo-new' },
        });
      });
      const study = aStudy({ key: 'region/new', patient: PATIENTS.gaetan, instances: 1 });
      expect(await sendStudy(server, study, 'DEMO_NEW')).to.deep.equal([0]);
      const stranger = await personCaller(server, 'demo-stranger').catch(() => undefined);
      expect(stranger, 'the application is gone').to.equal(undefined);
    });

    it('refuses what is older, or changed under one serial, and goes on with what it has', async () => {
      const { stdout } = await region('show');
      const loaded = Number(/^serial (\d+)$/m.exec(stdout)?.[1]);
      await file.write((edited) => (edited.serial = loaded - 1));
      const older = await region('reload');
      expect(older.code).to.equal(2);
      expect(older.stderr).to.include(`its serial is ${loaded - 1}, that of the store ${loaded}`);
      await file.write((edited) => {
        edited.serial = loaded;
        changeResource(edited, 'Organization/demo-nancy', { name: 'Autre' } as Partial<Organization>);
      });
      expect((await region('reload')).stderr).to.include('was changed, but not its serial');
      await server.stop();
      const refused = await started().catch((error: Error) => error.message);
      expect(refused).to.include('ended with 1').and.include('was changed, but not its serial');
      await file.write();
      server = await started();
    });

    it('asks for a confirmation before it removes an Organization with records, or a tenth of the people', async () => {
      const serial = await file.write((edited) => {
        removeResource(edited, 'Practitioner/demo-stranger');
        removeResource(edited, 'PractitionerRole/demo-stranger-role');
        edited.persons = edited.persons.filter(({ login }) => login !== 'demo-stranger');
        withoutNancy(edited);
      });
      const refused = await region('reload');
      expect(refused.code).to.equal(2);
      expect(refused.stderr).to.match(/it removes Organization\/demo-nancy \(.+\), which has [1-9]\d* records/);
      expect(refused.stderr).to.match(/it removes 2 of 8 people: .*Practitioner\/demo-stranger \(.+\)/);
      expect(refused.stderr).to.not.include('Organization/demo-cardiology');
      expect(refused.stderr).to.include(`--confirm ${serial}`).and.include(`--confirm-region ${serial}`);
      expect(await seen(await personCaller(server, 'demo-stranger'))).to.equal(0);
      expect((await region('reload', '--confirm', String(serial + 1))).code).to.equal(2);
      await server.stop();
      expect(await started().catch((error: Error) => error.message)).to.include(`--confirm-region ${serial}`);
      server = await started('--confirm-region', String(serial));
      const trail = await openTrail(store, dataDir);
      const [told] = await eventually(async () => {
        const events = await trail.eventsNaming('it removes Organization/demo-nancy');
        return events.length === 0 ? undefined : events;
      }).finally(async () => await trail.close());
      expect(told?.event.subtype?.map(({ code }) => code)).to.deep.equal(['110137']);
      expect([told?.persons, told?.event.outcome]).to.deep.equal([[], '0']);
      expect(JSON.stringify(told?.event.entity)).to.include('Practitioner/demo-stranger').and.include(`"${serial}"`);
      expect(await signIn({ url: server.url, person: 'demo-stranger' }).catch(() => 'refused')).to.equal('refused');
      expect(await seen(await establishmentCaller(server, 'strasbourg'))).to.be.greaterThan(0);
    });

    it('loads it at SIGHUP, and logs why it does not', async () => {
      await file.write((edited) => changeResource(edited, RADIOLOGIST, { active: false }));
      process.kill(server.pid, 'SIGHUP');
      await eventually(async () =>
        (await signIn({ url: server.url, person: 'demo-radiologist' }).catch(() => undefined)) === undefined
          ? true
          : undefined,
      );
      await file.write((edited) => (edited.serial = 0));
      process.kill(server.pid, 'SIGHUP');
      await eventually(async () => (server.log().includes('the region file is not loaded') ? true : undefined));
      expect(server.log()).to.include('/serial');
      expect((await fetch(`${server.url}/health/live`)).status).to.equal(200);
    });

    it('writes no resource of the directory by FHIR (405)', async () => {
      const strasbourg = await establishmentCaller(server, 'strasbourg');
      const organization = (await strasbourg.get('Organization/demo-nancy')).json<Organization>();
      const practitioner = { resourceType: 'Practitioner', name: [{ family: 'Neu' }] };
      for (const [method, path, body] of [
        ['PUT', 'Organization/demo-nancy', { ...organization, name: 'Autre' }],
        ['POST', 'Practitioner', practitioner],
        ['DELETE', 'PractitionerRole/demo-radiologist-role', undefined],
        ['PUT', 'Endpoint?identifier=a|b', { resourceType: 'Endpoint' }],
      ] as const) {
        const answer = await strasbourg.send(method, path, body);
        expectOutcome(answer, 405, 'not-supported');
        expect(answer.headers.get('allow')).to.include('GET');
      }
      const patch = [{ op: 'replace', path: '/name', value: 'Autre' }];
      const type = { 'content-type': 'application/json-patch+json' };
      expectOutcome(await strasbourg.send('PATCH', 'Organization/demo-nancy', patch, type), 405, 'not-supported');
      const entry = [{ resource: practitioner, request: { method: 'POST', url: 'Practitioner' } }];
      const bundle = await strasbourg.send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      expectOutcome(bundle, 501, 'not-supported');
      expect((await strasbourg.get('Organization/demo-nancy')).json<Organization>().name).to.equal(organization.name);
    });
  });
}

/** Takes an establishment away with all that hangs on it. */
function withoutNancy(edited: EditedRegion): void {
  const gone = ['Organization/demo-nancy', 'Organization/demo-nancy-imaging'];
  const people = ['Practitioner/demo-radiologist-nancy', 'PractitionerRole/demo-radiologist-nancy-role'];
  for (const reference of [...gone, ...people, 'Organization/demo-region']) removeResource(edited, reference);
  const others = (entry: { readonly organization?: string }): boolean => !gone.includes(entry.organization ?? '');
  edited.clients = edited.clients.filter(others);
  edited.aeTitles = edited.aeTitles.filter(others);
  edited.identifierDomains = edited.identifierDomains.filter(others);
  edited.imagingServices = edited.imagingServices.filter(others);
  for (const role of ['region-desk', 'region-dpo'])
    changeResource(edited, `PractitionerRole/demo-${role}-role`, {
      organization: { reference: 'Organization/demo-practice' },
    } as object);
}

async function refresh(server: TestServer, token: string): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: DEMO_APP.clientId, refresh_token: token });
  return (await (await fetch(`${server.url}/auth/token`, { method: 'POST', body })).json()) as Record<string, unknown>;
}
