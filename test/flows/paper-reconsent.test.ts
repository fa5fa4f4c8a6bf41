/** A withdrawal or opposition that is ended by a signed paper (access.md C10): two persons of the region's desk. */
import { expect } from 'chai';
import type {
  AuditEvent,
  Communication,
  Consent,
  ParametersParameter,
  Practitioner,
  PractitionerRole,
  Provenance,
  Task,
} from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, OFFICERS, PATIENTS } from '../../fixtures/people.ts';
import {
  eventsOf,
  eventually,
  expectOutcome,
  type FhirAnswer,
  type FhirCaller,
} from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { expectUnshared, fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { EACH_STORE, type OpenedStore } from '../support/peers/each-store.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';

const { regionDesk } = OFFICERS;
const DESK_NUMBERS = 'urn:oid:2.25.214150363587367596498171252735473154613';

/** A colleague at the desk, and a second account of the same human being. */
const COLLEAGUES = [
  { login: 'second-desk', value: 'demo-2001', family: 'Quenneville', given: 'Aubin' },
  { login: 'same-desk', value: 'demo-2002', family: 'Ferrandelle', given: 'Ondine' },
] as const;

function withColleagues(region: EditedRegion): void {
  for (const { login, value, family, given } of COLLEAGUES) {
    const identifier = { system: DESK_NUMBERS, value };
    const practitioner: Practitioner = {
      resourceType: 'Practitioner',
      id: login,
      identifier: [identifier],
      active: true,
      name: [{ family, given: [given] }],
    };
    const role: PractitionerRole = {
      resourceType: 'PractitionerRole',
      id: `${login}-role`,
      active: true,
      practitioner: { reference: `Practitioner/${login}` },
      organization: { reference: regionDesk.organization },
      code: [{ coding: [{ system: 'urn:passerelle:CodeSystem:region-role', code: 'region-desk' }] }],
    };
    for (const resource of [practitioner, role])
      region.bundle.entry?.push({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      });
    region.persons.push({ login, name: `${given} ${family}`, kind: 'practitioner', identifier });
  }
}

// What a desk confirms is the same on every store: one is enough.
for (const { name, missing, open } of EACH_STORE.slice(0, 1)) {
  describe(`A withdrawal that is ended on paper: ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let file: RegionFile;
    let server: TestServer;
    let region: Demonstration;
    let desk: FhirCaller;
    let second: FhirCaller;

    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      file = await makeRegionFile();
      await file.write(withColleagues);
      server = await startServer({ store: opened.store, env: { REGION: file.path } });
      region = await fillDemonstration(server);
      desk = await personCaller(server, regionDesk.login);
      second = await personCaller(server, 'second-desk');
    });
    after(async () => {
      await server?.stop();
      await file?.remove();
      await opened?.close();
    });

    const asked = async (
      caller: FhirCaller,
      operation: string,
      ...parameter: ParametersParameter[]
    ): Promise<FhirAnswer> => await caller.send('POST', operation, { resourceType: 'Parameters', parameter });
    const ofHelene = (): ParametersParameter => ({
      name: 'patient',
      valueReference: { reference: `Patient/${region.patients.helene}` },
    });
    const PAPER: ParametersParameter = {
      name: 'paper',
      valueAttachment: { title: 'Classeur 7, feuille 12', creation: '2026-02-01' },
    };
    const CHECKED: ParametersParameter = { name: 'identity', valueString: 'Carte d’identité vue au guichet' };
    const recorded = async (caller: FhirCaller, paper = PAPER): Promise<FhirAnswer> =>
      await asked(caller, 'Patient/$reconsent', ofHelene(), paper, CHECKED);
    const decided = async (caller: FhirCaller, task: string, verdict = 'confirmed'): Promise<FhirAnswer> =>
      await asked(
        caller,
        `${task}/$decide`,
        { name: 'verdict', valueCode: verdict },
        { name: 'comment', valueString: 'Signature comparée' },
      );
    const account = async (active: boolean): Promise<void> => {
      const answer = await asked(desk, 'Patient/$set-account', ofHelene(), { name: 'active', valueBoolean: active });
      expect(answer.status, answer.text).to.equal(200);
    };
    const seen = async (): Promise<number> => (await region.declared.find('ImagingStudy')).length;
    /** The Task of a paper that is taken. */
    const taken = async (): Promise<string> => {
      const answer = await recorded(desk);
      expect(answer.status, answer.text).to.equal(202);
      return pathOf(answer);
    };

    it('is recorded by the desk of the region alone, and where she has no account', async () => {
      expectOutcome(await recorded(desk), 422, 'business-rule');
      expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
      await expectUnshared(region);
      expectOutcome(await recorded(desk), 422, 'business-rule');
      for (const other of [regionDesk.login.replace('desk', 'dpo'), OFFICERS.strasbourgDesk.login, 'demo-stranger'])
        expectOutcome(await recorded(await personCaller(server, other)), 403, 'forbidden');
      expectOutcome(await recorded(region.strasbourg), 400, 'invalid');
      const stranger = { name: 'patient', valueReference: { reference: 'Patient/nobody' } };
      expectOutcome(await asked(desk, 'Patient/$reconsent', stranger, PAPER, CHECKED), 404, 'not-found');
      expectOutcome(await asked(desk, 'Patient/$reconsent', ofHelene(), CHECKED), 400, 'required');
      expectOutcome(await asked(desk, 'Patient/$reconsent', ofHelene(), PAPER), 400, 'required');
      const [report] = await region.patient.find('DocumentReference?status=current');
      const other = { name: 'paper', valueReference: { reference: `DocumentReference/${report?.id}` } };
      const scan = { name: 'paper', valueAttachment: { title: 'Feuille 12', data: 'JVBERi0=' } };
      await account(false);
      expectOutcome(await recorded(desk, other), 400, 'required');
      expectOutcome(await recorded(desk, scan), 400, 'invalid');
      expect(await desk.find('Task?code=paper-reconsent')).to.deep.equal([]);
      expect(await seen()).to.equal(0);
      await account(true);
    });

    it('changes nothing until another person confirms it; then she shares, and is told who verified it', async () => {
      await account(false);
      const task = await taken();
      expect(await seen(), 'nobody has confirmed it').to.equal(0);
      expectOutcome(await recorded(second), 409, 'conflict');
      for (const [who, status] of [
        [desk, 403],
        [await personCaller(server, 'same-desk'), 403],
        [await personCaller(server, OFFICERS.regionDpo.login), 404],
        [await personCaller(server, OFFICERS.strasbourgDesk.login), 404],
        [region.strasbourg, 403],
      ] as const)
        expect((await decided(who, task)).status).to.equal(status);
      expectOutcome(await decided(second, task, 'justified'), 400, 'invalid');
      expect(await seen()).to.equal(0);
      const confirmed = await decided(second, task);
      expect(confirmed.status, confirmed.text).to.equal(200);
      expect(await seen()).to.equal(2);
      expectOutcome(await decided(second, task), 409, 'conflict');
      await account(true);
      const done = (await region.patient.get(task)).json<Task>();
      expect([done.status, done.requester?.reference, done.owner?.reference]).to.deep.equal([
        'completed',
        regionDesk.reference,
        'Practitioner/second-desk',
      ]);
      expect(done.note?.[0]?.text).to.equal(CHECKED.valueString);
      const reference = done.focus?.reference ?? '';
      const consent = (await region.patient.get(reference)).json<Consent>();
      expect(consent).to.deep.include({ status: 'active', sourceAttachment: PAPER.valueAttachment });
      expect(consent.verification?.[0]).to.include({ verified: true });
      expect(consent.meta?.profile).to.equal(undefined);
      const [provenance] = await region.patient.find<Provenance>(`Provenance?target=${reference}`);
      expect(provenance?.agent.map(({ type, who }) => [type?.coding?.[0]?.code, who.reference])).to.deep.equal([
        ['enterer', regionDesk.reference],
        ['verifier', 'Practitioner/second-desk'],
      ]);
      const [notice] = await region.patient.find<Communication>('Communication?category=reconsent');
      expect(notice?.about?.[0]?.reference).to.equal(reference);
      expect(notice?.payload?.[0]?.contentString).to.include('signé de votre main');
      const changes = (await eventsOf(region.patient, 'AuthZ-Consent')).map((event) => changeOf(event));
      expect(changes.slice(0, 2)).to.deep.equal(['reconsent', 'reconsent-request']);
      for (const other of [region.declared, region.nancy])
        for (const path of [task, reference, `Provenance/${provenance?.id}`])
          expectOutcome(await other.get(path), 404, 'not-found');
    });

    it('that is refused, by one alone, ends nothing; one that nothing is left for is closed', async () => {
      await region.patient.send('POST', 'Patient/$withdraw');
      await account(false);
      for (const alone of [second, desk, await personCaller(server, 'same-desk')]) {
        const refused = await taken();
        expect((await decided(alone, refused, 'refused')).status).to.equal(200);
        expect(await seen()).to.equal(0);
        expect((await desk.get(refused)).json<Task>().status).to.equal('rejected');
      }
      const late = await taken();
      await account(true);
      expectOutcome(await decided(second, late), 409, 'conflict');
      expect(await seen()).to.equal(0);
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
      expect((await desk.get(late)).json<Task>().status).to.equal('cancelled');
      await account(false);
      expectOutcome(await decided(second, late), 409, 'conflict');
      expect(await seen(), 'she withdrew after it was recorded').to.equal(0);
      const fresh = await taken();
      await account(true);
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expectOutcome(await decided(second, fresh, 'refused'), 409, 'conflict');
      expect(await seen()).to.equal(2);
    });

    it('is an opposition, too, of an establishment that has left the region', async () => {
      const said = opposition(region.patients.helene);
      const opposed = await region.nancy.send('POST', 'Consent', said);
      expect(opposed.status, opposed.text).to.equal(201);
      expect(await seen()).to.equal(0);
      expectOutcome(await recorded(desk), 422, 'business-rule');
      const josee = await personCaller(server, 'demo-patient-lu');
      expect((await josee.send('POST', 'Patient/$withdraw')).status).to.equal(201);
      await eventually(async () => (await josee.find('Communication?status=not-done'))[0]);
      const serial = await file.write((edited) => {
        withColleagues(edited);
        for (const left of ['nancy', 'luxembourg']) leave(edited, `Organization/demo-${left}`);
      });
      const on = { store: opened.store, dataDir: server.dataDir, env: { REGION: file.path } };
      const done = await runCommand('region', ['reload', '--confirm', String(serial)], on);
      expect(done.code, done.stderr).to.equal(0);
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expect(await seen(), 'it is not hers to end').to.equal(0);
      const task = await taken();
      expect((await decided(second, task)).status).to.equal(200);
      expect(await seen()).to.be.greaterThan(0);
      expect((await region.patient.get(pathOf(opposed))).json<Consent>().status).to.equal('inactive');
    });

    it('of whom no establishment of the region knows any more is told by a letter of the region’s desk', async () => {
      const { system, value } = patientIdentifier(PATIENTS.josee, ESTABLISHMENTS.luxembourg);
      const josee: ParametersParameter = { name: 'patient', valueReference: { identifier: { system, value } } };
      const byNumber = async (): Promise<FhirAnswer> => await asked(desk, 'Patient/$reconsent', josee, PAPER, CHECKED);
      expectOutcome(await byNumber(), 422, 'business-rule');
      const { josee: id } = region.patients;
      const off = { name: 'active', valueBoolean: false };
      const patient = { name: 'patient', valueReference: { reference: `Patient/${id}` } };
      expect((await asked(desk, 'Patient/$set-account', patient, off)).status).to.equal(200);
      const recording = await byNumber();
      expect(recording.status, recording.text).to.equal(202);
      expect((await decided(second, pathOf(recording))).status).to.equal(200);
      const letters = await eventually(async () => {
        const found = await desk.find<Communication>('Communication?medium=MAILWRIT');
        return found.length === 0 ? undefined : found;
      });
      expect(letters.map(({ subject, category }) => [subject, category?.[0]?.coding?.[0]?.code])).to.deep.equal([
        [{ reference: `Patient/${id}`, identifier: { system, value } }, 'reconsent'],
      ]);
    });
  });
}

function opposition(patient: string): Consent {
  const { provision: _, policy: __, ...frame } = demoConsent(`Patient/${patient}`);
  const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }];
  return { ...frame, policyRule: { coding }, provision: { type: 'deny' } };
}

/** `Type/id` of what was made. */
function pathOf(answer: FhirAnswer): string {
  return answer.headers.get('location')?.replace(/^.*\/fhir\/|\/_history.*$/g, '') ?? '';
}

/** Takes an establishment out of what the region file says of it; its people and places stay in the directory. */
function leave(region: EditedRegion, organization: string): void {
  region.identifierDomains = region.identifierDomains.filter((one) => one.organization !== organization);
  region.clients = region.clients.filter((one) => !('organization' in one) || one.organization !== organization);
  region.aeTitles = region.aeTitles.filter((one) => one.organization !== organization);
  region.imagingServices = region.imagingServices.filter((one) => one.establishment !== organization);
}

function changeOf({ entity = [] }: AuditEvent): string | undefined {
  return entity.flatMap(({ detail = [] }) => detail).find(({ type }) => type === 'change')?.valueString;
}
