/** $ihe-pix over HTTP: who may see a patient learns her other numbers, and to all others she is unknown. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent, CapabilityStatement, Parameters, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { readSample } from '../support/clients/xds.ts';
import { expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf } from './support/fhir-write.ts';
import { openTrail } from './support/trail.ts';
import { onEachStore } from './support/each-store.ts';

const OWN = 'urn:oid:2.25.186985072874225505166103600283483536615';
const { strasbourg, nancy } = ESTABLISHMENTS;
const NATIONAL = { system: PATIENTS.helene.national.system, value: '279036799900487' };
const LOCAL = { strasbourg: oidUri(strasbourg.patientIdDomain), nancy: oidUri(nancy.patientIdDomain) };
const HELENE = {
  ins: `${PATIENTS.helene.national.system}|${PATIENTS.helene.national.value}`,
  strasbourg: `${LOCAL.strasbourg}|8000012345`,
  nancy: `${LOCAL.nancy}|NC-004711`,
};
const UNKNOWN = { ins: `${NATIONAL.system}|279036799900982`, strasbourg: `${LOCAL.strasbourg}|0000000000` };
const NOT_FOUND = 'sourceIdentifier Patient Identifier not found';

onEachStore('ITI-83 Mobile Patient Identifier Cross-reference Query (PIXm 2:3.83)', {}, (running) => {
  let region: Demonstration;

  before(async () => {
    region = await fillDemonstration(running().server);
  });

  async function feed(who: FhirCaller, patient: Patient, condition: string): Promise<void> {
    const answer = await who.send('PUT', `Patient?${condition}`, patient);
    expect(answer.status, answer.text).to.equal(201);
  }

  it('answers the patient all her numbers but the one that she asked by, and each of her Patients', async () => {
    const answer = await pix(region.patient, HELENE.ins);
    expect(identifiersOf(answer)).to.have.members([HELENE.strasbourg, HELENE.nancy]);
    const patients = await region.patient.find<Patient>('Patient');
    expect(patientsOf(answer)).to.have.members(patients.map(({ id }) => `Patient/${id}`));
    expect(identifiersOf(await pix(region.patient, HELENE.nancy))).to.have.members([HELENE.strasbourg, HELENE.ins]);
    const { validate } = await loadDefinitions();
    expect(() => validate(answer.json())).to.not.throw();
  });

  it('answers whom she declared the same, and a hospital what it sees of her', async () => {
    expect(identifiersOf(await pix(region.declared, HELENE.strasbourg))).to.have.members([HELENE.ins, HELENE.nancy]);
    expect(identifiersOf(await pix(region.strasbourg, HELENE.strasbourg))).to.deep.equal([HELENE.ins]);
    expect(identifiersOf(await pix(region.nancy, HELENE.ins))).to.deep.equal([HELENE.nancy]);
  });

  it('selects by target domains: those asked for, and an empty answer where she has no number of one', async () => {
    const of = async (...targets: string[]) => identifiersOf(await pix(region.patient, HELENE.ins, ...targets));
    expect(await of(LOCAL.nancy)).to.deep.equal([HELENE.nancy]);
    expect(await of(LOCAL.nancy, LOCAL.strasbourg)).to.have.members([HELENE.nancy, HELENE.strasbourg]);
    expect(await of(oidUri(ESTABLISHMENTS.luxembourg.patientIdDomain))).to.deep.equal([]);
    expect(await of(PATIENTS.helene.national.system)).to.deep.equal([]);
    expect(identifiersOf(await pix(region.strasbourg, HELENE.strasbourg, LOCAL.nancy))).to.deep.equal([]);
  });

  it('answers a POST of Parameters as a GET', async () => {
    const body: Parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', valueString: HELENE.ins },
        { name: 'targetSystem', valueUri: LOCAL.nancy },
      ],
    };
    const posted = await region.patient.send('POST', 'Patient/$ihe-pix', body);
    expect(posted.json()).to.deep.equal((await pix(region.patient, HELENE.ins, LOCAL.nancy)).json());
    const xml = { ...body, parameter: [...(body.parameter ?? []), { name: '_format', valueString: 'xml' }] };
    expectOutcome(await region.patient.send('POST', 'Patient/$ihe-pix', xml), 406);
    expectOutcome(await region.patient.send('POST', 'Patient/$ihe-pix', aPatient(strasbourg, 'X')), 400, 'invalid');
  });

  it('knows nobody whom the requester may not see: the same answer as for nobody at all', async () => {
    for (const [who, source, unknown] of [
      [region.stranger, HELENE.ins, UNKNOWN.ins],
      [region.stranger, HELENE.strasbourg, UNKNOWN.strasbourg],
      [region.nancy, HELENE.strasbourg, UNKNOWN.strasbourg],
      [region.declared, `${LOCAL.strasbourg}|${PATIENTS.gaetan.localId.strasbourg}`, UNKNOWN.strasbourg],
      [region.stranger, `${OWN}|${region.patients.helene}`, `${OWN}|nobody`],
      [region.stranger, `${region.server.url}/fhir|Patient/${region.patients.helene}`, `${OWN}|nobody`],
    ] as const) {
      const hidden = await pix(who, source);
      expect(expectOutcome(hidden, 404, 'not-found'), source).to.equal(NOT_FOUND);
      expect(hidden.text).to.equal((await pix(who, unknown)).text);
    }
  });

  it('answers both numbers that one hospital gave one person', async () => {
    await feed(region.strasbourg, aPatient(strasbourg, 'PIX-1', NATIONAL), conditionOf(strasbourg, 'PIX-1'));
    await feed(region.strasbourg, aPatient(strasbourg, 'PIX-2', NATIONAL), conditionOf(strasbourg, 'PIX-2'));
    await feed(region.nancy, aPatient(nancy, 'PIX-3', NATIONAL), conditionOf(nancy, 'PIX-3'));
    const ins = `${NATIONAL.system}|${NATIONAL.value}`;
    const both = [`${LOCAL.strasbourg}|PIX-1`, `${LOCAL.strasbourg}|PIX-2`];
    expect(identifiersOf(await pix(region.strasbourg, ins))).to.have.members(both);
    expect(identifiersOf(await pix(region.strasbourg, both[0] ?? ''))).to.have.members([both[1], ins]);
    expect(identifiersOf(await pix(region.strasbourg, ins, LOCAL.strasbourg))).to.have.members(both);
  });

  it('gives the region’s own identifier to whoever has none of the affinity domain, and finds by it', async () => {
    await feed(region.strasbourg, aPatient(strasbourg, 'PIX-9'), conditionOf(strasbourg, 'PIX-9'));
    const local = `${LOCAL.strasbourg}|PIX-9`;
    const { id } = await region.strasbourg.findOne<Patient>(`Patient?${conditionOf(strasbourg, 'PIX-9')}`);
    const own = `${OWN}|${id}`;
    expect(identifiersOf(await pix(region.strasbourg, local))).to.deep.equal([own]);
    expect(identifiersOf(await pix(region.strasbourg, local, OWN))).to.deep.equal([own]);
    expect(identifiersOf(await pix(region.strasbourg, own))).to.deep.equal([local]);
    expect(identifiersOf(await pix(region.strasbourg, `${region.server.url}/fhir|Patient/${id}`))).to.have.members([
      local,
      own,
    ]);
    // What is given finds her at the other doors.
    expect(await region.strasbourg.find<Patient>(`Patient?identifier=${own}`)).to.have.length(1);
    expect(await region.nancy.find<Patient>(`Patient?identifier=${own}`)).to.deep.equal([]);
    // Who has an INS bears it in the affinity domain.
    expect(identifiersOf(await pix(region.strasbourg, HELENE.strasbourg, OWN))).to.deep.equal([]);
  });

  it('believes nobody who writes the region’s own, and tells apart no two who share a number', async () => {
    const foreign = { system: LOCAL.nancy, value: 'PIX-SHARED' };
    for (const number of ['PIX-21', 'PIX-22']) {
      const patient = aPatient(strasbourg, number);
      const identifier = [...(patient.identifier ?? []), foreign, { system: OWN, value: region.patients.helene }];
      await feed(region.strasbourg, { ...patient, identifier }, conditionOf(strasbourg, number));
    }
    const answer = await pix(region.strasbourg, `${LOCAL.nancy}|PIX-SHARED`);
    expect(expectOutcome(answer, 404, 'not-found')).to.equal(NOT_FOUND);
    const numbers = identifiersOf(await pix(region.strasbourg, `${LOCAL.strasbourg}|PIX-21`));
    expect(numbers).to.not.include(`${OWN}|${region.patients.helene}`);
    expect(numbers.filter((number) => number.startsWith(OWN))).to.have.length(1);
  });

  it('refuses domains that the region does not know, and what is no identifier', async () => {
    const invalid = await pix(region.patient, 'urn:oid:1.2.3.4.5|1');
    expect(expectOutcome(invalid, 400, 'code-invalid')).to.equal('sourceIdentifier Assigning Authority not found');
    const target = await pix(region.patient, HELENE.ins, LOCAL.nancy, 'urn:oid:1.2.3.4.5');
    expect(expectOutcome(target, 403, 'code-invalid')).to.equal('targetSystem not found');
    expectOutcome(await region.patient.get('Patient/$ihe-pix'), 400, 'required');
    expectOutcome(await region.patient.get('Patient/$ihe-pix?sourceIdentifier=8000012345'), 400, 'invalid');
    const twice = `sourceIdentifier=${HELENE.ins}&sourceIdentifier=${HELENE.nancy}`;
    expectOutcome(await region.patient.get(`Patient/$ihe-pix?${twice}`), 400, 'invalid');
    expectOutcome(await region.patient.get(`${pathOf(HELENE.ins)}&_format=xml`), 406, 'not-supported');
  });

  it('needs the scopes to read and to search Patients', async () => {
    for (const scope of ['openid patient/Patient.r', 'openid patient/Patient.s', 'openid patient/ImagingStudy.rs']) {
      const caller = await personCaller(region.server, 'demo-patient', { scope });
      const answer = await pix(caller, HELENE.ins);
      expectOutcome(answer, 403, 'forbidden');
      expect(answer.headers.get('www-authenticate'), scope).to.include('insufficient_scope');
    }
    const caller = await personCaller(region.server, 'demo-patient', { scope: 'openid patient/Patient.rs' });
    expect(identifiersOf(await pix(caller, HELENE.ins))).to.have.length(2);
  });

  it('is announced with the definition of IHE; operations that change something are posted', async () => {
    const statement = (await region.patient.get('metadata')).json<CapabilityStatement>();
    const patient = statement.rest?.[0]?.resource?.find(({ type }) => type === 'Patient');
    expect(patient?.operation).to.deep.include({
      name: 'ihe-pix',
      definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix',
    });
    const got = await region.patient.get('Patient/$break-glass');
    expect([got.status, got.headers.get('allow')]).to.deep.equal([405, 'POST']);
    const put = await region.patient.send('PUT', 'Patient/$ihe-pix', aPatient(strasbourg, 'X'));
    expect(put.status, put.text).to.be.oneOf([400, 403, 404, 405]);
    expectOutcome(await region.patient.get('Patient/$unknown'), 501, 'not-supported');
  });

  describe('its event (PIXm 2:3.83.5.1.2)', () => {
    async function eventOf(who: FhirCaller, source: string) {
      const requestId = randomUUID();
      await who.get(pathOf(source), { 'x-request-id': requestId });
      const trail = await openTrail(running().store, region.server.dataDir);
      try {
        const [entry, ...others] = await trail.eventsOf(requestId);
        expect(others).to.deep.equal([]);
        if (entry === undefined) throw new Error('There is no event');
        return entry;
      } finally {
        await trail.close();
      }
    }

    it('is that of the published example: type, action, kind, roles, query', async function () {
      const { event, persons } = await eventOf(region.declared, HELENE.strasbourg);
      expect(persons).to.have.length(1);
      const query = event.entity?.find(({ role }) => role?.code === '24')?.query ?? '';
      expect(Buffer.from(query, 'base64').toString()).to.include('$ihe-pix').and.to.include('8000012345');
      const sample = readSample('ihe/pixm/AuditEvent-ex-auditPixmQuery-manager.json');
      if (sample === undefined) return this.skip();
      expect(shapeOf(event)).to.deep.equal(shapeOf(JSON.parse(sample.toString()) as AuditEvent));
    });

    it('tells of a refusal where nobody was found, and is read by no patient', async () => {
      for (const source of [HELENE.strasbourg, UNKNOWN.strasbourg]) {
        const { event, persons } = await eventOf(region.stranger, source);
        expect([event.outcome, event.outcomeDesc, persons]).to.deep.equal(['4', 'not-found', []]);
      }
    });

    it('is in the list of the patient', async () => {
      const { event } = await eventOf(region.nancy, HELENE.nancy);
      const mine = await region.patient.find<AuditEvent>('AuditEvent?subtype=ITI-83&_count=100');
      expect(mine.map(({ id }) => id)).to.include(event.id);
      expect(mine.some(({ outcome }) => outcome !== '0')).to.equal(false);
    });
  });

  describe('after her withdrawal', () => {
    it('is known no more, but to herself', async () => {
      const withdrawn = await region.patient.send('POST', 'Patient/$withdraw');
      expect(withdrawn.status, withdrawn.text).to.equal(201);
      expectOutcome(await pix(region.declared, HELENE.ins), 404, 'not-found');
      expect(identifiersOf(await pix(region.patient, HELENE.ins))).to.have.length(2);
    });
  });
});

function pathOf(source: string, targets: readonly string[] = []): string {
  const asked = new URLSearchParams({ sourceIdentifier: source });
  for (const target of targets) asked.append('targetSystem', target);
  return `Patient/$ihe-pix?${asked.toString()}`;
}

async function pix(who: FhirCaller, source: string, ...targets: string[]): Promise<FhirAnswer> {
  return await who.get(pathOf(source, targets));
}

function parametersOf(answer: FhirAnswer, wanted: string) {
  expect(answer.status, answer.text).to.equal(200);
  return (answer.json<Parameters>().parameter ?? []).filter((parameter) => parameter.name === wanted);
}

function identifiersOf(answer: FhirAnswer): string[] {
  return parametersOf(answer, 'targetIdentifier').map(
    ({ valueIdentifier }) => `${valueIdentifier?.system}|${valueIdentifier?.value}`,
  );
}

function patientsOf(answer: FhirAnswer): string[] {
  return parametersOf(answer, 'targetId').map(({ valueReference }) => valueReference?.reference ?? '');
}

/** What an event says of any request of its kind; the user and the token are of IUA, beyond the example. */
function shapeOf({ type, subtype = [], action, outcome, agent, entity = [] }: AuditEvent) {
  const isRole = ({ type: role }: (typeof agent)[number]): boolean =>
    role?.coding?.[0]?.code?.startsWith('1101') === true;
  return {
    type: type.code,
    subtypes: subtype.map(({ code }) => code).toSorted(),
    action,
    outcome,
    roles: agent.filter(isRole).map((one) => one.type?.coding?.[0]?.code),
    entities: entity.flatMap(({ role }) => role?.code ?? []).toSorted(),
  };
}
