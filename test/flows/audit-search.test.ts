/** ITI-81: the patient searches the events of her record, by who, by what for, and without her own. */
import type { AuditEvent, ImagingStudy, OperationOutcome, Practitioner } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { signIn } from '../../fixtures/sign-in.ts';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { byStudyUid, fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { changeResource, type EditedRegion } from '../support/region-file.ts';
import { eventsForPatient } from './support/cell.ts';
import { onEachStore, onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import type { PersonKey } from './support/people.ts';
import { callOf, type World } from './support/world.ts';

const number = `${PATIENTS.helene.national.system}|${PATIENTS.helene.national.value}`;

async function events(world: World, query: string, who: PersonKey = 'patient'): Promise<readonly AuditEvent[]> {
  return await find<AuditEvent>(callOf(world, who), `AuditEvent?_count=200${query}`);
}

const idsOf = (found: readonly AuditEvent[]): readonly string[] => found.map(({ id = '' }) => id).toSorted();

function readersOf({ agent }: AuditEvent): readonly string[] {
  return agent.flatMap(({ requestor, who }) => (requestor && who?.reference !== undefined ? [who.reference] : []));
}

onEachWorld('A search of the trail (ITI-81)', (world) => {
  let all: readonly AuditEvent[];
  /** What was recorded since is not asked for. */
  let until: string;

  before(async () => {
    const { ids } = world();
    for (const who of ['declared', 'radiologist', 'patient'] as const)
      await find(callOf(world(), who), `ImagingStudy?_id=${ids.imagingStudy}`);
    await find(callOf(world(), 'patient'), 'ImagingStudy');
    until = `&date=lt${new Date().toISOString()}`;
    all = await events(world(), until);
  });

  it('leaves out her own accesses by agent:not, whichever of her Patients it names', async () => {
    const own = `Patient/${world().ids.patient}`;
    const others = await events(world(), `${until}&agent:not=${own}`);
    expect(others).to.not.be.empty;
    expect(idsOf(others)).to.deep.equal(idsOf(all.filter((event) => !readersOf(event).includes(own))));
    expect(others.length).to.be.lessThan(all.length);
    const [doctor] = others.flatMap(readersOf).filter((one) => one.startsWith('Practitioner/'));
    const without = await events(world(), `${until}&agent:not=${own},${doctor}`);
    expect(idsOf(without)).to.deep.equal(
      idsOf(others.filter((event) => !event.agent.some(({ who }) => who?.reference === doctor))),
    );
  });

  it('finds events by what for, and by what their reader is', async () => {
    const own = await events(world(), `${until}&purpose=PATRQT`);
    expect(idsOf(own)).to.deep.equal(
      idsOf(all.filter(({ purposeOfEvent }) => purposeOfEvent?.[0]?.coding?.[0]?.code === 'PATRQT')),
    );
    expect(own).to.not.be.empty;
    const roles = all.flatMap(({ agent }) =>
      agent.flatMap(({ role = [] }) => role.flatMap(({ coding = [] }) => coding)),
    );
    const [{ system, code } = { system: '', code: '' }] = roles;
    const found = await events(world(), `${until}&agent-role=${encodeURIComponent(`${system}|${code}`)}`);
    expect(found).to.not.be.empty;
    for (const { agent } of found)
      expect(
        agent.flatMap(({ role = [] }) => role.flatMap(({ coding = [] }) => coding.map((one) => one.code))),
      ).to.include(code);
  });

  it('finds events by what no index keeps: who by name, from where, through which door, what as', async () => {
    const named = (event: AuditEvent, name: string) => event.agent.some((one) => one.name?.startsWith(name) === true);
    const [name = ''] = all.flatMap(({ agent }) => agent.flatMap((one) => one.name ?? []));
    const [address = ''] = all.flatMap(({ agent }) => agent.flatMap(({ network }) => network?.address ?? []));
    const { site = '' } = all[0]?.source ?? {};
    const ofSite = all.filter(({ source }) => source.site === site);
    const queries: readonly (readonly [query: string, found: readonly AuditEvent[]])[] = [
      [`agent-name=${encodeURIComponent(name.toUpperCase())}`, all.filter((event) => named(event, name))],
      [`agent-name:exact=${encodeURIComponent(name)},nobody`, all.filter((event) => named(event, name))],
      [`agent-name:missing=true`, all.filter((event) => !named(event, ''))],
      [`address=${address}`, all.filter((event) => JSON.stringify(event.agent).includes(`"address":"${address}"`))],
      [`site=${encodeURIComponent(site)}`, ofSite],
      [`site:not=${encodeURIComponent(site)}`, all.filter((event) => !ofSite.includes(event))],
      [`entity-role=20`, []],
      [`source:missing=true`, all],
      [`agent-name=${encodeURIComponent(name)}&site=${encodeURIComponent(site)}&purpose=PATRQT`, []],
    ];
    for (const [query, found] of queries)
      expect(idsOf(await events(world(), `${until}&${query}`)), query).to.deep.equal(idsOf(found));
    for (const [, found] of queries.slice(0, 5)) expect(found).to.not.be.empty;
    expect(await events(world(), `${until}&agent-name=${encodeURIComponent(name)}`, 'declared')).to.deep.equal([]);
  });

  it('finds the events of whose number is asked for, and none by that of another, in one event of hers', async () => {
    expect(idsOf(await events(world(), `${until}&patient.identifier=${encodeURIComponent(number)}`))).to.deep.equal(
      idsOf(await events(world(), `${until}&patient=${world().ids.patient}`)),
    );
    const other = patientIdentifier(PATIENTS.gaetan, ESTABLISHMENTS.strasbourg);
    const query = `&patient.identifier=${encodeURIComponent(`${other.system}|${other.value}`)}`;
    expect(await events(world(), query)).to.deep.equal([]);
    const call = callOf(world(), 'patient');
    const headers = { Authorization: `Bearer ${call.token}`, 'X-Request-Id': call.requestId };
    await fetch(`${call.url}/fhir/AuditEvent?patient.identifier=${encodeURIComponent(number)}`, { headers });
    expect(await eventsForPatient(world(), call.requestId)).to.have.length(1);
  });

  it('finds events by the number of who acted, and of what they name, alone and together', async () => {
    const { ids } = world();
    const call = callOf(world(), 'patient');
    const [doctor] = await find<Practitioner>(call, 'Practitioner?_id=demo-declared');
    const { system = '', value = '' } = doctor?.identifier?.[0] ?? {};
    const [rpps, uid] = [`${system}|${value}`, `urn:dicom:uid|urn:oid:${ids.studyInstanceUID}`].map(encodeURIComponent);
    const acted = (event: AuditEvent) => event.agent.some(({ who }) => who?.reference === 'Practitioner/demo-declared');
    const exam = new RegExp(`"ImagingStudy/${ids.imagingStudy}"|"urn:oid:${ids.studyInstanceUID}"`);
    const names = ({ entity = [] }: AuditEvent) => exam.test(JSON.stringify(entity.map(({ what }) => what)));
    const numbers = all[0]?.entity?.flatMap(({ what }) => what?.identifier ?? []) ?? [];
    const requestId = numbers.find(({ system: domain }) => domain === undefined)?.value ?? '';
    const queries: readonly (readonly [query: string, found: readonly AuditEvent[]])[] = [
      [`agent.identifier=${rpps}`, all.filter(acted)],
      [`agent:identifier=${rpps},1|2`, all.filter(acted)],
      [`entity.identifier=${uid}`, all.filter(names)],
      [`entity:identifier=${uid}&agent.identifier=${rpps}`, all.filter((event) => names(event) && acted(event))],
      [`entity:ImagingStudy.identifier=${uid}`, all.filter(names)],
      [`entity.identifier=${requestId}`, all.filter((event) => JSON.stringify(event).includes(`"${requestId}"`))],
      [`patient.identifier=${encodeURIComponent(number)}&agent.identifier=${rpps}`, all.filter(acted)],
    ];
    for (const [query, found] of queries) {
      expect(found, query).to.not.be.empty;
      expect(idsOf(await events(world(), `${until}&${query}`)), query).to.deep.equal(idsOf(found));
      expect(await events(world(), `${until}&${query}`, 'declared'), query).to.deep.equal([]);
    }
    for (const query of ['entity.identifier=1|2', 'source.identifier=1|2', `agent.identifier=${uid}`])
      expect(await events(world(), `${until}&${query}`), query).to.deep.equal([]);
  });

  it('finds a professional nothing, however it is asked', async () => {
    for (const query of [
      '',
      `&patient.identifier=${encodeURIComponent(number)}`,
      '&agent:not=Patient/1',
      '&purpose=TREAT',
    ])
      expect(await events(world(), query, 'declared'), query).to.deep.equal([]);
  });

  it('shows the region to its data protection officer, from a date on, each time in an event', async () => {
    const { url } = callOf(world(), 'patient');
    const officer = { url, token: await signIn({ url, person: 'demo-region-dpo' }) };
    const found = await find<AuditEvent>(officer, `AuditEvent?_count=500&date=ge2020${until}`);
    expect(idsOf(found)).to.include.members([...idsOf(all)]);
    // Refusals are nobody's, and in her view.
    expect(found.length).to.be.greaterThan(all.length);
    const [reading] = await find<AuditEvent>(
      officer,
      'AuditEvent?date=ge2020&agent=Practitioner/demo-region-dpo&type=rest',
    );
    expect(Buffer.from(reading?.entity?.[0]?.query ?? '', 'base64').toString()).to.include('AuditEvent?');
    const headers = { Authorization: `Bearer ${officer.token}` };
    for (const query of ['', '?date=le2030', '?_count=1'])
      expect((await fetch(`${url}/fhir/AuditEvent${query}`, { headers })).status, query).to.equal(400);
    // She sees no Patients and no exams: that she finds nothing by a number would not be true.
    for (const param of ['patient.identifier', 'entity.identifier', 'entity:identifier', 'agent:Patient.identifier']) {
      const byNumber = `?date=ge2020&${param}=${encodeURIComponent(number)}`;
      expect((await fetch(`${url}/fhir/AuditEvent${byNumber}`, { headers })).status, param).to.equal(501);
    }
    const byDoctor = `${until}&date=ge2020&agent-name=${encodeURIComponent('dr ')}`;
    const acted = found.filter(({ agent }) => agent.some(({ name = '' }) => name.startsWith('Dr ')));
    expect(acted).to.not.be.empty;
    expect(idsOf(await find<AuditEvent>(officer, `AuditEvent?_count=500${byDoctor}`))).to.deep.equal(idsOf(acted));
    const desk = { url, token: await signIn({ url, person: 'demo-region-desk' }) };
    expect(await find<AuditEvent>(desk, 'AuditEvent?date=ge2020')).to.deep.equal([]);
    expect(idsOf(await events(world(), until))).to.deep.equal(idsOf(all));
  });

  it('takes :not of agents alone', async () => {
    const { url, token } = callOf(world(), 'patient');
    const headers = { Authorization: `Bearer ${token}`, Prefer: 'handling=strict' };
    for (const [query, status] of [
      ['agent:not=Patient/1', 200],
      ['entity:not=Patient/1', 400],
      ['patient:not=Patient/1', 400],
      ['agent.name=Zoé', 400],
      ['agent.identifier:not=1', 400],
      ['entity:ImagingStudy.status=available', 400],
      ['entity:identifier:not=1', 400],
      ['source:not=Device/1', 400],
      ['agent-name:not=Zoé', 400],
      ['address:above=1', 400],
      ['_sort=agent-name', 400],
    ] as const) {
      const answer = await fetch(`${url}/fhir/AuditEvent?${query}`, { headers });
      expect(answer.status, query).to.equal(status);
      const { issue = [] } = (await answer.json()) as Partial<OperationOutcome>;
      const [param = ''] = query.split(/[.:=]/);
      if (status === 400) expect(issue[0]?.expression?.[0]?.split(/[.:]/)[0], query).to.equal(param);
    }
  });
});

/** Those who work at the desks of the demonstration look after data protection instead. */
function withOfficers(region: EditedRegion): void {
  const code = [{ coding: [{ system: CODE_SYSTEM.regionRole, code: 'establishment-dpo' }] }];
  changeResource(region, 'PractitionerRole/demo-strasbourg-desk-role', { code });
  const organization = { reference: ESTABLISHMENTS.nancy.organization };
  changeResource(region, 'PractitionerRole/demo-region-desk-role', { code, organization });
}

onEachStore('The trail of an establishment (ITI-81)', { region: withOfficers }, (running) => {
  type Place = 'strasbourg' | 'nancy';
  let demonstration: Demonstration;
  let officers: Readonly<Record<Place, FhirCaller>>;
  let exams: Readonly<Record<Place, string>>;
  /** Who read what, by the number of the request. */
  const reads = ['list', 'strasbourg', 'nancy', 'people', 'nancy-itself'] as const;
  type Read = (typeof reads)[number];

  before(async () => {
    const { server } = running();
    demonstration = await fillDemonstration(server);
    const { declared, nancy, patient, studies } = demonstration;
    officers = {
      strasbourg: await personCaller(server, 'demo-strasbourg-desk'),
      nancy: await personCaller(server, 'demo-region-desk'),
    };
    const idOf = async (study: typeof studies.helene) =>
      `ImagingStudy/${(await patient.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`)).id}`;
    exams = { strasbourg: await idOf(studies.helene), nancy: await idOf(studies.heleneNancy) };
    const radiologist = await personCaller(server, 'demo-radiologist');
    const asked: Readonly<Record<Read, readonly [FhirCaller, string]>> = {
      list: [declared, 'ImagingStudy'],
      strasbourg: [declared, exams.strasbourg],
      nancy: [declared, exams.nancy],
      people: [radiologist, exams.nancy],
      'nancy-itself': [nancy, exams.nancy],
    };
    for (const [read, [caller, path]] of Object.entries(asked)) {
      const answer = await caller.get(path, { 'X-Request-Id': `read-${read}-` });
      expect(answer.status, answer.text).to.equal(200);
    }
  });

  const trailOf = async (place: Place, query = ''): Promise<readonly AuditEvent[]> =>
    await officers[place].find<AuditEvent>(`AuditEvent?date=ge2020&_count=500${query}`);
  const readsIn = (found: readonly AuditEvent[]): readonly Read[] =>
    reads.filter((read) => found.some((event) => JSON.stringify(event).includes(`"read-${read}-"`)));

  it('is what its people did, those of its parts too, and what was done with its exams, and nothing else', async () => {
    const found = await trailOf('strasbourg');
    expect(readsIn(found)).to.deep.equal(['list', 'strasbourg', 'people']);
    expect(readsIn(await trailOf('nancy'))).to.deep.equal(['list', 'nancy', 'people', 'nancy-itself']);
    const { organization, service } = ESTABLISHMENTS.strasbourg;
    for (const event of found) {
      const isOfPeople = event.agent.some(({ who }) => [organization, service].some((one) => who?.reference === one));
      const text = JSON.stringify(event);
      if (!isOfPeople) expect(text).to.not.include(exams.nancy);
      expect(text).to.not.match(/"(?:started|modality)"/);
    }
  });

  it('is found by what its officer may see of an event, and by nothing else', async () => {
    const asked = (exam: string) => `&entity=${exam}`;
    expect(readsIn(await trailOf('strasbourg', asked(exams.strasbourg)))).to.deep.equal(['list', 'strasbourg']);
    expect(readsIn(await trailOf('strasbourg', asked(exams.nancy)))).to.deep.equal(['people']);
    const [hidden] = (await trailOf('nancy')).filter((event) => readsIn([event]).includes('nancy-itself'));
    const answer = await officers.strasbourg.get(`AuditEvent/${hidden?.id}`);
    const unknown = await officers.strasbourg.get('AuditEvent/unknown');
    expect([answer.status, answer.text]).to.deep.equal([404, unknown.text]);
    expect((await officers.nancy.get(`AuditEvent/${hidden?.id}`)).status).to.equal(200);
  });

  it('is read as its officer may see it, where what no index keeps is asked for', async () => {
    const found = await trailOf('strasbourg');
    const roles = (event: AuditEvent) => (event.entity ?? []).map(({ role }) => role?.code);
    for (const role of ['3', '4', '24'])
      expect(
        idsOf(await trailOf('strasbourg', `&entity-role=${role}`)).filter((id) => idsOf(found).includes(id)),
        role,
      ).to.deep.equal(idsOf(found.filter((event) => roles(event).includes(role))));
    const name = found.flatMap(({ agent }) => agent.flatMap((one) => one.name ?? [])).at(-1) ?? '';
    const named = idsOf(found.filter(({ agent }) => agent.some((one) => one.name === name)));
    const asked = idsOf(await trailOf('strasbourg', `&agent-name:exact=${encodeURIComponent(name)}`));
    expect(asked.filter((id) => idsOf(found).includes(id))).to.deep.equal(named);
    expect(named).to.not.be.empty;
  });

  it('is asked for from a date on, through no Patient and by no kind of entity, each time in an event', async () => {
    const { strasbourg } = officers;
    expectOutcome(await strasbourg.get('AuditEvent'), 400, 'invalid');
    for (const query of [`patient.identifier=${encodeURIComponent(number)}`, 'entity-type=Patient'])
      expectOutcome(await strasbourg.get(`AuditEvent?date=ge2020&${query}`), 501, 'not-supported');
    const own = '&agent=Practitioner/demo-strasbourg-desk&type=rest';
    const asked = (await trailOf('strasbourg', own)).flatMap(({ entity = [] }) =>
      entity.map(({ query = '' }) => query),
    );
    expect(asked.map((query) => Buffer.from(query, 'base64').toString()).join(' ')).to.include(
      'AuditEvent?date=ge2020',
    );
    expect(await trailOf('nancy', own)).to.deep.equal([]);
  });
});
