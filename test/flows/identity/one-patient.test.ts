/** One Patient for one person, whoever knows her: what each reader sees of her, on both stores. */
import type { AuditEvent, Bundle, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { PATIENTS } from '../../../fixtures/people.ts';
import { oidUri } from '../../../profiles/codes.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../../support/demonstration.ts';
import { expectOutcome, resourcesOf } from '../../support/clients/fhir-caller.ts';
import { aLocalId, anINS, domainOf, feed, idIn, somebody, valuesOf } from './people.ts';
import { onEachStore } from '../support/each-store.ts';

const { helene } = PATIENTS;
const INS = helene.national.system;

onEachStore('One Patient for one person (FHIR R4 patient.html#linking)', {}, (running) => {
  let region: Demonstration;
  before(async () => {
    region = await fillDemonstration(running().server);
  });

  it('shows the patient one Patient with all of her numbers, and the exams of both establishments', async () => {
    const [own, ...others] = await region.patient.find<Patient>('Patient');
    if (own?.id === undefined) throw new Error('She sees no Patient');
    expect(others).to.deep.equal([]);
    expect(valuesOf(own, INS)).to.deep.equal([helene.national.value]);
    expect(valuesOf(own, domainOf('strasbourg'))).to.deep.equal([helene.localId.strasbourg]);
    expect(valuesOf(own, domainOf('nancy'))).to.deep.equal([helene.localId.nancy]);
    const exams = await region.patient.find<ImagingStudy>(`ImagingStudy?patient=${own.id}`);
    const uids = [region.studies.helene, region.studies.heleneNancy].map(({ studyInstanceUID }) => studyInstanceUID);
    expect(exams.map(({ identifier = [] }) => identifier[0]?.value).sort()).to.deep.equal(uids.map(oidUri).sort());
    expect(new Set(exams.map(({ subject }) => subject.reference))).to.deep.equal(new Set([`Patient/${own.id}`]));
    const chained = await region.patient.find<ImagingStudy>(
      `ImagingStudy?patient.identifier=${domainOf('nancy')}|${helene.localId.nancy}`,
    );
    expect(chained).to.have.lengthOf(2);
  });

  it('shows an establishment the qualified number and its own, and finds her by no other', async () => {
    const [seen, ...others] = await region.strasbourg.find<Patient>(
      `Patient?identifier=${INS}|${helene.national.value}`,
    );
    if (seen === undefined) throw new Error('She is not found');
    expect(others).to.deep.equal([]);
    expect(valuesOf(seen, domainOf('strasbourg'))).to.deep.equal([helene.localId.strasbourg]);
    expect(valuesOf(seen, domainOf('nancy'))).to.deep.equal([]);
    expect(JSON.stringify(seen)).to.not.include('urn:passerelle');
    const foreign = `identifier=${domainOf('nancy')}|${helene.localId.nancy}`;
    expect(await region.strasbourg.find(`Patient?${foreign}`)).to.deep.equal([]);
    expect(await region.strasbourg.find(`ImagingStudy?patient.${foreign}`)).to.deep.equal([]);
    expect(await region.nancy.find(`Patient?${foreign}`)).to.have.lengthOf(1);
    expect(await region.strasbourg.find('ImagingStudy?patient=' + seen.id)).to.have.lengthOf(1);
  });

  it('shows a declared professional the local numbers of those whose exams are seen', async () => {
    const [seen] = await region.declared.find<Patient>(`Patient?identifier=${INS}|${helene.national.value}`);
    if (seen === undefined) throw new Error('She is not found');
    expect(valuesOf(seen, domainOf('nancy'))).to.deep.equal([helene.localId.nancy]);
    const third = { ...somebody(), ...traitsOfHelene(), numbers: [nationalOfHelene()] };
    const fed = await feed(region.luxembourg, 'luxembourg', aLocalId(), third);
    expect(fed.status, fed.text).to.equal(201);
    const [after] = await region.declared.find<Patient>(`Patient?identifier=${INS}|${helene.national.value}`);
    expect(valuesOf(after ?? seen, domainOf('luxembourg'))).to.deep.equal([]);
  });

  it('answers the former id by what replaced it, to whoever sees the person, and to nobody else', async () => {
    const [one, ins] = [somebody(), anINS()];
    const known = { ...one, numbers: [ins] };
    const first = await feed(region.strasbourg, 'strasbourg', aLocalId(), known);
    const second = await feed(region.nancy, 'nancy', aLocalId(), known);
    expect([first.status, second.status], `${first.text}${second.text}`).to.deep.equal([201, 201]);
    const [older, later] = [idIn(first), idIn(second)];
    expect(older).to.not.equal(later);
    const stub = await region.nancy.get(`Patient/${later}`);
    expect(stub.status, stub.text).to.equal(200);
    expect(stub.json<Patient>()).to.deep.include({
      id: later,
      active: false,
      link: [{ other: { reference: `Patient/${older}` }, type: 'replaced-by' }],
    });
    expect((await region.nancy.get(`Patient/${older}`)).status).to.equal(200);
    expectOutcome(await region.luxembourg.get(`Patient/${later}`), 404, 'not-found');
    expectOutcome(await region.stranger.get(`Patient/${later}`), 404, 'not-found');
  });

  it('tells whoever knows a version from before that the Patient was replaced', async () => {
    const [one, local, ins] = [somebody(), aLocalId(), anINS()];
    await feed(region.nancy, 'nancy', aLocalId(), { ...one, numbers: [ins] });
    const id = idIn(await feed(region.strasbourg, 'strasbourg', local, one));
    const before = (await region.strasbourg.get(`Patient/${id}`)).json<Patient>();
    await feed(region.strasbourg, 'strasbourg', local, { ...one, numbers: [ins] });
    for (const version of [1, 2, 3, 4, 5, 6].map(String)) {
      const answer = await region.strasbourg.get(`Patient/${id}`, { 'if-none-match': `W/"${version}"` });
      expect(answer.status, version).to.equal(200);
      expect(answer.json<Patient>().active).to.equal(false);
    }
    const stub = await region.strasbourg.get(`Patient/${id}`);
    const { meta } = stub.json<Patient>();
    expect(String(meta?.lastUpdated) > String(before.meta?.lastUpdated), meta?.lastUpdated).to.equal(true);
    const known = { 'if-none-match': stub.headers.get('etag') ?? '' };
    expect((await region.strasbourg.get(`Patient/${id}`, known)).status).to.equal(304);
  });

  it('has of the former id the one version that is read, in the history, too, and it is told', async () => {
    const known = { ...somebody(), ...traitsOfHelene(), numbers: [nationalOfHelene()] };
    const id = idIn(await feed(region.nancy, 'nancy', aLocalId(), known));
    const read = await region.nancy.get(`Patient/${id}`);
    const stub = read.json<Patient>();
    expect([read.status, stub.active], read.text).to.deep.equal([200, false]);
    const version = Number(stub.meta?.versionId);
    const history = await region.nancy.get(`Patient/${id}/_history`);
    expect(history.status, history.text).to.equal(200);
    expect(resourcesOf<Patient>(history.json<Bundle>())).to.deep.equal([stub]);
    expect((await region.nancy.get(`Patient/${id}/_history/${version}`)).json()).to.deep.equal(stub);
    expectOutcome(await region.nancy.get(`Patient/${id}/_history/${version + 1}`), 404, 'not-found');
    const later = await region.nancy.get(`Patient/${id}/_history?_since=2999-01-01T00:00:00Z`);
    expect(later.json()).to.not.have.property('entry');
    for (const nobody of [region.stranger, await personCaller(running().server, 'demo-patient-lu')])
      for (const path of ['_history', `_history/${version}`])
        expectOutcome(await nobody.get(`Patient/${id}/${path}`), 404, 'not-found');
    const events = await region.patient.find<AuditEvent>('AuditEvent?_count=100');
    const told = events.filter(({ entity }) => entity?.some(({ what }) => what?.reference === `Patient/${id}`));
    const kinds = told.map(({ subtype }) => subtype?.[0]?.code);
    expect(kinds).to.include.members(['read', 'vread', 'history-instance']);
  });
});

function traitsOfHelene() {
  const { familyName: family, givenName: given, birthDate, gender } = helene;
  return { family, given, birthDate, gender };
}

function nationalOfHelene() {
  return { system: INS, value: helene.national.value };
}
