/**
 * Histories and deletions at the FHIR door: what is told of former versions, to whom, and its event. Row D09 of smart-
 * security.md.
 */
import type { Bundle, CapabilityStatement, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { eventsOf, expectOutcome, resourcesOf } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf, strasbourg } from './support/fhir-write.ts';

describe('FHIR history (FHIR R4 http.html#history)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const feed = async (birthDate: string): Promise<string> => {
    const patient = { ...aPatient(strasbourg, 'H-1'), birthDate };
    const answer = await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'H-1')}`, patient);
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    return (answer.headers.get('location') ?? '').split('/').at(-3) ?? '';
  };

  it('lists the versions of a resource, latest first, as a valid Bundle', async () => {
    await feed('1979-03-05');
    await feed('1979-03-06');
    const id = await feed('1979-03-07');
    const answer = await region.strasbourg.get(`Patient/${id}/_history`);
    expect(answer.status, answer.text).to.equal(200);
    const bundle = answer.json<Bundle<Patient>>();
    expect(bundle.type).to.equal('history');
    const { validate } = await loadDefinitions();
    expect(() => validate(answer.json())).to.not.throw();
    expect(resourcesOf<Patient>(bundle).map(({ birthDate }) => birthDate)).to.deep.equal([
      '1979-03-07',
      '1979-03-06',
      '1979-03-05',
    ]);
    expect(bundle.entry?.map(({ request }) => [request?.method, request?.url])).to.deep.equal([
      ['PUT', `Patient/${id}`],
      ['PUT', `Patient/${id}`],
      ['POST', 'Patient'],
    ]);
    expect(bundle.entry?.map(({ response }) => response?.etag)).to.deep.equal(['W/"3"', 'W/"2"', 'W/"1"']);
    for (const { fullUrl } of bundle.entry ?? []) expect(fullUrl).to.match(new RegExp(`/fhir/Patient/${id}$`));
  });

  it('gives pages, and what changed since an instant', async () => {
    const id = await feed('1979-03-08');
    const first = (await region.strasbourg.get(`Patient/${id}/_history?_count=1`)).json<Bundle<Patient>>();
    expect(resourcesOf<Patient>(first)).to.have.length(1);
    const next = first.link?.find(({ relation }) => relation === 'next')?.url?.split('/fhir/')[1] ?? '';
    const second = (await region.strasbourg.get(next)).json<Bundle<Patient>>();
    expect(resourcesOf<Patient>(second)[0]?.birthDate).to.equal('1979-03-07');
    expectOutcome(await region.nancy.get(next), 404, 'not-found');
    const latest = resourcesOf<Patient>(first)[0]?.meta?.lastUpdated ?? '';
    const since = await region.strasbourg.get(`Patient/${id}/_history?_since=${encodeURIComponent(latest)}`);
    expect(resourcesOf(since.json<Bundle>())).to.have.length(1);
    const later = (await region.strasbourg.get(`Patient/${id}/_history?_since=2999-01-01T00:00:00Z`)).json<Bundle>();
    expect(later).to.not.have.property('entry');
    expectOutcome(await region.strasbourg.get(`Patient/${id}/_history?_since=yesterday`), 400, 'invalid');
    expectOutcome(await region.strasbourg.get(`Patient/${id}/_history?_count=x`), 400, 'invalid');
    expectOutcome(await region.strasbourg.get(`Patient/${id}/_history?_at=2026`), 501, 'not-supported');
  });

  it('of a type holds the versions of what the requester may see, and nothing else', async () => {
    const own = (await region.strasbourg.get('ImagingStudy/_history?_count=500')).json<Bundle<ImagingStudy>>();
    const seen = new Set(resourcesOf<ImagingStudy>(own).map(({ id }) => id));
    const listed = await region.strasbourg.find<ImagingStudy>('ImagingStudy');
    expect([...seen].sort()).to.deep.equal(listed.map(({ id }) => id).sort());
    const others = (await region.stranger.get('ImagingStudy/_history')).json<Bundle>();
    expect(others).to.not.have.property('entry');
  });

  it('is absent of what is hidden as of what is unknown, and each passage is told', async () => {
    const id = await feed('1979-03-09');
    const hidden = await region.nancy.get(`Patient/${id}/_history`);
    const absent = await region.nancy.get('Patient/nobody/_history');
    expectOutcome(hidden, 404, 'not-found');
    expect(hidden.text).to.equal(absent.text);
    expect((await region.declared.get(`Patient/${region.patients.helene}/_history`)).status).to.equal(200);
    const [event] = await eventsOf(region.patient, 'history-instance');
    expect(event?.action).to.equal('R');
    expect(JSON.stringify(event?.entity)).to.include(`Patient/${region.patients.helene}`);
  });

  it('is served where it is announced, and refused where it is not', async () => {
    const statement = (await region.strasbourg.get('metadata')).json<CapabilityStatement>();
    for (const { type, readHistory, interaction = [] } of statement.rest?.[0]?.resource ?? []) {
      const codes = interaction.map(({ code }) => code);
      expect(readHistory, type).to.equal(codes.includes('history-instance'));
      const ofType = await region.strasbourg.get(`${type}/_history`);
      expect(ofType.status, type).to.equal(codes.includes('history-type') ? 200 : 405);
      const ofOne = await region.strasbourg.get(`${type}/nothing/_history`);
      expect(ofOne.status, type).to.equal(codes.includes('history-instance') ? 404 : 405);
    }
  });
});
