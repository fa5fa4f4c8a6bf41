/**
 * A ticket of support, `Patient/$support-access` (access.md C7, R-18, R-64; smart-security.md C15): another person of
 * the region confirms it, it shows normal items until it ends, and the patient is told.
 */
import { expect } from 'chai';
import type {
  AuditEvent,
  Coding,
  Communication,
  Consent,
  Parameters,
  ParametersParameter,
  Practitioner,
  PractitionerRole,
  Task,
} from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { OFFICERS } from '../../fixtures/people.ts';
import {
  eventsOf,
  eventually,
  expectOutcome,
  type FhirAnswer,
  type FhirCaller,
} from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';

const { regionDesk, regionDpo } = OFFICERS;
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const NUMBERS = 'urn:oid:2.25.214150363587367596498171252735473154613';
const REGION_ROLE = 'urn:passerelle:CodeSystem:region-role';
const MASKED = { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'MASQUE_PS' };
const HOUR_MS = 3_600_000;

/** Somebody of the support, and a second account of hers at the desk. */
const PEOPLE = [
  { login: 'support', value: 'demo-2003', office: 'support' },
  { login: 'support-desk', value: 'demo-2004', office: 'region-desk' },
] as const;

function withSupport(region: EditedRegion, of: 'support' | 'region-desk' = 'support'): void {
  for (const { login, value, office } of PEOPLE) {
    const identifier = { system: NUMBERS, value };
    const practitioner: Practitioner = {
      resourceType: 'Practitioner',
      id: login,
      identifier: [identifier],
      active: true,
      name: [{ family: 'Marchecoul', given: ['Lucien'] }],
    };
    const role: PractitionerRole = {
      resourceType: 'PractitionerRole',
      id: `${login}-role`,
      active: true,
      practitioner: { reference: `Practitioner/${login}` },
      organization: { reference: regionDesk.organization },
      code: [{ coding: [{ system: REGION_ROLE, code: office === 'support' ? of : office }] }],
    };
    for (const resource of [practitioner, role])
      region.bundle.entry?.push({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      });
    region.persons.push({ login, name: 'Lucien Marchecoul', kind: 'practitioner', identifier });
  }
}

// What a ticket gives is materialised as every right is (test/contract): one store is enough.
describe('A ticket of support', function () {
  this.timeout(120_000);
  let file: RegionFile;
  let server: TestServer;
  let region: Demonstration;
  let support: FhirCaller;
  let desk: FhirCaller;
  let officer: FhirCaller;

  before(async () => {
    file = await makeRegionFile();
    await file.write((edited) => withSupport(edited));
    server = await startServer({ env: { REGION: file.path } });
    region = await fillDemonstration(server);
    support = await personCaller(server, 'support');
    desk = await personCaller(server, regionDesk.login);
    officer = await personCaller(server, regionDpo.login);
  });
  after(async () => {
    await server?.stop();
    await file?.remove();
  });

  const asked = async (caller: FhirCaller, ...others: ParametersParameter[]): Promise<FhirAnswer> => {
    const said: readonly ParametersParameter[] = [
      { name: 'patient', valueReference: { reference: `Patient/${region.patients.helene}` } },
      { name: 'ticket', valueString: 'INC-4711' },
      { name: 'reason', valueString: 'L’examen ne s’affiche pas' },
      { name: 'until', valueDateTime: new Date(Date.now() + HOUR_MS).toISOString() },
    ];
    const names = others.map(({ name }) => name);
    const parameter = [...said.filter(({ name }) => !names.includes(name)), ...others];
    return await caller.send('POST', 'Patient/$support-access', { resourceType: 'Parameters', parameter });
  };
  const decided = async (caller: FhirCaller, task: string, valueCode: string): Promise<FhirAnswer> =>
    await caller.send('POST', `${task}/$decide`, {
      resourceType: 'Parameters',
      parameter: [
        { name: 'verdict', valueCode },
        { name: 'comment', valueString: 'Ticket vérifié' },
      ],
    });
  const seen = async (): Promise<number> => (await support.find('ImagingStudy')).length;
  const filed = async (...others: ParametersParameter[]): Promise<string> => {
    const answer = await asked(support, ...others);
    expect(answer.status, answer.text).to.equal(202);
    return answer.headers.get('location')?.replace(/^.*\/fhir\//, '') ?? '';
  };
  const given = async (...others: ParametersParameter[]): Promise<string> => {
    const task = await filed(...others);
    const answer = await decided(desk, task, 'confirmed');
    expect(answer.status, answer.text).to.equal(200);
    return task;
  };
  const consentOf = async (task: string): Promise<string> => {
    const { output } = (await region.patient.get(task)).json<Task>();
    return output?.[0]?.valueReference?.reference ?? '';
  };

  const statusOf = async (reference: string): Promise<string | undefined> =>
    (await region.patient.get(reference)).json<Consent | Task>().status;

  it('C15 is asked for by the support alone; without one nothing is there for it', async () => {
    const [exam] = await region.patient.find('ImagingStudy');
    expectOutcome(await support.get(`ImagingStudy/${exam?.id}`), 404, 'not-found');
    expectOutcome(await support.get(`Patient/${region.patients.helene}`), 404, 'not-found');
    expect(await seen()).to.equal(0);
    for (const other of [desk, officer, region.declared, region.strasbourg, region.patient])
      expectOutcome(await asked(other), 403, 'forbidden');
    for (const operation of ['break-glass', 'redeem-presence-code'])
      expectOutcome(
        await support.send('POST', `Patient/$${operation}`, { resourceType: 'Parameters', parameter: [] }),
        403,
        'forbidden',
      );
    const refused = `AuditEvent?outcome=4&date=ge${new Date(Date.now() - HOUR_MS).toISOString()}`;
    for (const [who, least] of [
      ['support', 2],
      ['demo-declared', 1],
    ] as const)
      expect(await officer.find(`${refused}&agent=Practitioner/${who}`), who).to.have.length.least(least);
    expectOutcome(
      await asked(support, { name: 'patient', valueReference: { reference: 'Patient/nobody' } }),
      404,
      'not-found',
    );
    expectOutcome(await asked(support, { name: 'ticket', valueString: 'I'.repeat(65) }), 400, 'invalid');
    expectOutcome(await asked(support, { name: 'reason', valueString: ' ' }), 400, 'required');
    for (const ms of [-1, 25 * HOUR_MS]) {
      const until = { name: 'until', valueDateTime: new Date(Date.now() + ms).toISOString() };
      expectOutcome(await asked(support, until), 400, 'invalid');
    }
    expectOutcome(await asked(support, { name: 'item', valueReference: { reference: 'Consent/1' } }), 400, 'invalid');
    expect(await desk.find('Task?code=support-access')).to.deep.equal([]);
  });

  it('shows nothing until another person confirms it, then normal items, and the patient is told', async () => {
    const task = await filed();
    expect(await seen(), 'nobody has confirmed it').to.equal(0);
    const same = await personCaller(server, 'support-desk');
    expectOutcome(await decided(support, task, 'confirmed'), 403, 'forbidden');
    expectOutcome(await decided(same, task, 'confirmed'), 403, 'forbidden');
    const strasbourg = await personCaller(server, OFFICERS.strasbourgDesk.login);
    expectOutcome(await decided(strasbourg, task, 'confirmed'), 404, 'not-found');
    expectOutcome(await decided(officer, task, 'justified'), 400, 'invalid');
    expectOutcome(await decided(officer, task, 'ended'), 409, 'conflict');
    expect(await seen()).to.equal(0);
    const confirmed = await decided(officer, task, 'confirmed');
    expect(confirmed.status, confirmed.text).to.equal(200);
    expectOutcome(await decided(desk, task, 'confirmed'), 409, 'conflict');
    const exams = await support.find('ImagingStudy');
    expect(exams).to.have.length.greaterThan(0);
    const consent = await consentOf(task);
    expect((await region.patient.get(consent)).json<Consent>().sourceAttachment?.title).to.include('INC-4711');
    const notices = await region.patient.find<Communication>('Communication?category=correspondent');
    const notice = notices.find(({ about }) => about?.[0]?.reference === consent);
    expect(notice?.payload?.[0]?.contentString).to.include('assistance technique').and.to.include('Marchecoul');
    expect(await listed()).to.deep.equal(['Practitioner/support record true']);

    const path = `ImagingStudy/${exams[0]?.id}`;
    expect((await support.get(path)).status).to.equal(200);
    const [event] = (await eventsOf(region.patient, 'read')).filter(({ agent }) => isBySupport(agent));
    expect(event?.purposeOfEvent?.[0]?.coding?.[0]?.code).to.equal('HSYSADMIN');
    const history = (await region.patient.get('Patient/$access-history')).text;
    expect(history).to.include('au titre de l’assistance technique (ticket)');

    for (const coding of [...['R', 'V'].map((code) => ({ system: CONFIDENTIALITY, code })), MASKED]) {
      await label(path, coding);
      expectOutcome(await support.get(path), 404, 'not-found');
    }
    await label(path);
    expect((await support.get(path)).status).to.equal(200);
    const { provision, policy: _, ...permit } = demoConsent(`Patient/${region.patients.helene}`);
    const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference: 'Practitioner/support' } }));
    const deny = {
      ...permit,
      policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-deny' }],
      provision: { ...provision, type: 'deny', actor },
    };
    const blocked = await region.patient.send('POST', 'Consent', deny);
    expect(blocked.status, blocked.text).to.equal(201);
    expectOutcome(await support.get(path), 404, 'not-found');
    const block = blocked.headers.get('location')?.replace(/^.*\/fhir\/(Consent\/[^/]+).*$/, '$1') ?? '';
    expect((await region.patient.send('DELETE', block)).status).to.be.oneOf([200, 204]);
    expect((await support.get(path)).status).to.equal(200);
    expect((await decided(desk, task, 'ended')).status).to.equal(200);
    expectOutcome(await support.get(path), 404, 'not-found');
    expect(await seen()).to.equal(0);
    expect((await region.patient.get(consent)).json<Consent>().status).to.equal('inactive');
    expectOutcome(await decided(officer, task, 'ended'), 409, 'conflict');
    expect(await listed(), 'it was temporary').to.deep.equal(['Practitioner/support nothing true']);
  });

  it('of one exam shows that alone; one that is refused, or over, nothing', async () => {
    const [exam, other] = await region.patient.find('ImagingStudy');
    const item = { name: 'item', valueReference: { reference: `ImagingStudy/${exam?.id}` } };
    const task = await given(item);
    expect((await support.find('ImagingStudy')).map(({ id }) => id)).to.deep.equal([exam?.id]);
    expectOutcome(await support.get(`ImagingStudy/${other?.id}`), 404, 'not-found');
    expect((await decided(officer, task, 'ended')).status).to.equal(200);
    const refused = await filed();
    expect((await decided(desk, refused, 'refused')).status).to.equal(200);
    expect((await support.get(refused)).json<Task>().status).to.equal('rejected');
    expect(await seen()).to.equal(0);
    const brief = await given({ name: 'until', valueDateTime: new Date(Date.now() + 3_000).toISOString() });
    expect(await seen()).to.be.greaterThan(0);
    await eventually(async () => ((await seen()) === 0 ? true : undefined));
    await eventually(async () => ((await statusOf(brief)) === 'completed' ? true : undefined));
    expect(await statusOf(await consentOf(brief))).to.equal('inactive');
  });

  it('ends by the patient, by her withdrawal, and with the office', async () => {
    const task = await given();
    const consent = await consentOf(task);
    expect(await seen()).to.be.greaterThan(0);
    const said = (await region.patient.get(consent)).json<Consent>();
    const ended = await region.patient.send('PUT', consent, { ...said, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    expect(await seen()).to.equal(0);
    expect(await statusOf(task), 'the patient ended it').to.equal('completed');
    const withdrawn = await given();
    expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
    expect(await seen()).to.equal(0);
    expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
    expect(await seen(), 'none lives on').to.equal(0);
    expect(await statusOf(withdrawn)).to.equal('completed');
    expect(await statusOf(await consentOf(withdrawn))).to.equal('inactive');
    await given();
    expect(await seen()).to.be.greaterThan(0);
    await file.write((edited) => withSupport(edited, 'region-desk'));
    const done = await runCommand('region', ['reload'], { ...server, env: { REGION: file.path } });
    expect(done.code, done.stderr).to.equal(0);
    const another = await personCaller(server, 'support');
    expect(await another.find('ImagingStudy'), 'the office is another one').to.deep.equal([]);
    expectOutcome(await asked(another), 403, 'forbidden');
  });

  async function listed(): Promise<readonly string[]> {
    const { parameter = [] } = (await region.patient.get('Patient/$who-can-access')).json<Parameters>();
    const all = parameter.map(({ part = [] }) => part);
    return all
      .filter((part) => part.some(({ name, valueCode }) => name === 'relation' && valueCode === 'support'))
      .map((part) => {
        const of = (name: string) => part.find((one) => one.name === name);
        const who = of('who')?.valueReference?.reference;
        return `${who} ${of('reach')?.valueCode} ${of('temporary')?.valueBoolean}`;
      });
  }

  async function label(path: string, valueCoding?: Coding): Promise<void> {
    const parameter = [{ name: 'confidentiality', valueCoding }];
    const body = { resourceType: 'Parameters', ...(valueCoding === undefined ? {} : { parameter }) };
    const answer = await region.patient.send('POST', `${path}/$set-confidentiality`, body);
    expect(answer.status, answer.text).to.equal(200);
  }
});

function isBySupport(agents: AuditEvent['agent']): boolean {
  return agents.some(({ who }) => who?.reference === 'Practitioner/support');
}
