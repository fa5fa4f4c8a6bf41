/** Batches and transactions: links between entries, order, what fails alone and what fails together. */
import type { Bundle, BundleEntry, Patient, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { eventsOf, expectOutcome, type FhirAnswer } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf, count, strasbourg, transactionOf } from './support/fhir-write.ts';
import { anOrder, ORDERS } from './support/orders.ts';

const PATIENT_URL = 'urn:uuid:3f0d2c0a-5d3e-4f5e-8a7e-2f1b8c9d0e1f';
const ORDER_URL = 'urn:uuid:7b1c9a52-6c1e-4b7d-9f0a-1d2e3f4a5b6c';

describe('FHIR batch and transaction (FHIR R4 http.html#transaction)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const post = async (bundle: object): Promise<FhirAnswer> => await region.strasbourg.send('POST', '', bundle);
  const patientEntry = (number: string, fullUrl = PATIENT_URL): BundleEntry => ({
    fullUrl,
    resource: aPatient(strasbourg, number),
    request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, number)}` },
  });
  const orderEntry = (order: Partial<ServiceRequest>, fullUrl = ORDER_URL): BundleEntry => ({
    fullUrl,
    resource: anOrder(PATIENT_URL, order),
    request: { method: 'POST', url: 'ServiceRequest' },
  });
  const statusesOf = (answer: FhirAnswer): (string | undefined)[] =>
    (answer.json<Bundle>().entry ?? []).map(({ response }) => response?.status?.slice(0, 3));
  const locationOf = (answer: FhirAnswer, at: number): string =>
    (answer.json<Bundle>().entry?.[at]?.response?.location ?? '').replace(/\/_history.*/, '');

  it('says when each entry was last changed: now, or before when it is as it stands', async () => {
    const changed = { ...aPatient(strasbourg, 'B-0'), birthDate: '1979-03-06' };
    const times: (string | undefined)[] = [];
    for (const resource of [aPatient(strasbourg, 'B-0'), changed, changed]) {
      const answer = await post(transactionOf({ ...patientEntry('B-0'), resource }));
      const { lastModified } = answer.json<Bundle>().entry?.[0]?.response ?? {};
      const patient = (await region.strasbourg.get(locationOf(answer, 0))).json<Resource>();
      expect(lastModified).to.equal(patient.meta?.lastUpdated);
      times.push(lastModified);
    }
    const [made, updated, same] = times;
    expect(Date.parse(updated ?? '')).to.be.greaterThan(Date.parse(made ?? ''));
    expect(same).to.equal(updated);
  });

  describe('links between the entries of a transaction', () => {
    it('are replaced in references, uris, extensions, contained resources, narratives, and not in texts', async () => {
      const extension = [
        { url: 'urn:a:reference', valueReference: { reference: PATIENT_URL } },
        { url: 'urn:a:uri', valueUri: PATIENT_URL },
        { url: 'urn:a:uuid', valueUuid: PATIENT_URL },
        { url: 'urn:a:string', valueString: PATIENT_URL },
      ];
      const order = orderEntry({
        identifier: [{ system: 'urn:ietf:rfc:3986', value: PATIENT_URL }],
        instantiatesUri: [PATIENT_URL],
        extension,
        contained: [{ resourceType: 'RelatedPerson', id: 'r', patient: { reference: PATIENT_URL } }],
        requester: { reference: '#r' },
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${PATIENT_URL}">la patiente</a></div>`,
        },
        note: [{ text: PATIENT_URL, _time: { extension: [{ url: 'urn:a:uri', valueUri: PATIENT_URL }] } } as never],
      });
      // The entry that refers comes first.
      const answer = await post(transactionOf(order, patientEntry('B-1')));
      expect(statusesOf(answer), answer.text).to.deep.equal(['201', '201']);
      const patient = locationOf(answer, 1);
      const stored = (await region.strasbourg.get(locationOf(answer, 0))).json<ServiceRequest>();
      expect(stored.subject?.reference).to.equal(patient);
      expect(stored.instantiatesUri).to.deep.equal([patient]);
      expect(stored.extension).to.deep.equal([
        { url: 'urn:a:reference', valueReference: { reference: patient } },
        { url: 'urn:a:uri', valueUri: patient },
        { url: 'urn:a:uuid', valueUuid: patient },
        { url: 'urn:a:string', valueString: PATIENT_URL },
      ]);
      expect(stored.contained).to.deep.equal([
        { resourceType: 'RelatedPerson', id: 'r', patient: { reference: patient } },
      ]);
      expect(stored.text?.div).to.include(`href="${patient}"`);
      expect(stored.identifier?.[0]?.value, 'a text is no link').to.equal(PATIENT_URL);
      expect(stored.note?.[0]?.text).to.equal(PATIENT_URL);
      expect(JSON.stringify(stored.note)).to.include(`"valueUri":"${patient}"`);
    });

    it('may be conditional: to what stands, to what the transaction makes, and to nothing that is hidden', async () => {
      const byIdentifier = `Patient?${conditionOf(strasbourg, 'B-2')}`;
      const order = { ...orderEntry({}), resource: anOrder(byIdentifier) };
      expectOutcome(await post(transactionOf(order)), 400, 'invalid');
      const made = await post(transactionOf(order, patientEntry('B-2')));
      expect(statusesOf(made), made.text).to.deep.equal(['201', '201']);
      const stands = await post(transactionOf(order));
      expect(statusesOf(stands)).to.deep.equal(['201']);
      const stored = (await region.strasbourg.get(locationOf(stands, 0))).json<ServiceRequest>();
      expect(stored.subject?.reference).to.equal(locationOf(made, 1));
      expectOutcome(await region.nancy.send('POST', '', transactionOf(order)), 400, 'invalid');
      const several = { ...order, resource: { ...anOrder(byIdentifier, {}), basedOn: [{ reference: ORDERS }] } };
      expectOutcome(await post(transactionOf(several)), 412, 'conflict');
    });

    it('may be absolute at this server', async () => {
      const subject = `${region.server.url}/fhir/Patient/${region.patients.gaetan}`;
      const answer = await region.strasbourg.send('POST', 'ServiceRequest', anOrder(subject));
      expect(answer.status, answer.text).to.equal(201);
      const path = (answer.headers.get('location') ?? '').split('/fhir/')[1]?.replace(/\/_history.*/, '') ?? '';
      const stored = (await region.strasbourg.get(path)).json<ServiceRequest>();
      expect(stored.subject?.reference).to.equal(`Patient/${region.patients.gaetan}`);
    });
  });

  describe('a transaction', () => {
    it('is searched for what none of its entries is', async () => {
      const { system, value } = { system: 'urn:a', value: 'B-9' };
      const order = (reference: string): BundleEntry => ({
        ...orderEntry({}),
        resource: anOrder(reference),
      });
      const identifier = conditionOf(strasbourg, 'B-9');
      expect((await post(transactionOf(patientEntry('B-9'), order(`Patient?${identifier}`)))).status).to.equal(200);
      for (const other of [`identifier=${system}|${value}`, identifier.replace('B-9', 'B-8')])
        expectOutcome(await post(transactionOf(patientEntry('B-9'), order(`Patient?${other}`))), 400, 'invalid');
    });

    it('sent again finds the Patients that its POSTs made: nothing is made twice, and nothing is changed', async () => {
      const create = (number: string, parts: Partial<Patient> = {}): BundleEntry => ({
        fullUrl: `urn:uuid:${number}`,
        resource: { ...aPatient(strasbourg, number), ...parts },
        request: { method: 'POST', url: 'Patient' },
      });
      const sent = transactionOf(create('B-30'), create('B-31'));
      const answers = [await post(sent), await post(sent)];
      expect(answers.map(statusesOf)).to.deep.equal([
        ['201', '201'],
        ['200', '200'],
      ]);
      const [first, again] = answers.map((answer) => [locationOf(answer, 0), locationOf(answer, 1)]);
      expect(again).to.deep.equal(first);
      const stands = await region.strasbourg.get(first?.[0] ?? '');
      expect(stands.json<Patient>().meta?.versionId).to.equal('1');
      const other = transactionOf(create('B-30', { birthDate: '1979-03-07' }), create('B-32'));
      expectOutcome(await post(other), 409, 'conflict');
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'B-32')}`)).to.equal(0);
    });

    it('means each resource once', async () => {
      const twice = await post(transactionOf(patientEntry('B-10'), patientEntry('B-10', 'urn:uuid:0')));
      expectOutcome(twice, 400, 'invalid');
      const condition = `ServiceRequest?identifier=${encodeURIComponent('urn:a|B-10')}`;
      const create = (fullUrl: string): BundleEntry => ({
        ...orderEntry({ identifier: [{ system: 'urn:a', value: 'B-10' }] }, fullUrl),
        request: { method: 'POST', url: 'ServiceRequest', ifNoneExist: condition },
      });
      expectOutcome(
        await post(transactionOf(patientEntry('B-10'), create(ORDER_URL), create('urn:uuid:1'))),
        400,
        'invalid',
      );
      expectOutcome(await post(transactionOf(patientEntry('B-10'), orderEntry({}, PATIENT_URL))), 400, 'invalid');
      const otherwise = { ...patientEntry('B-10', 'urn:uuid:1'), request: { method: 'POST', url: 'Patient' } as const };
      expectOutcome(await post(transactionOf(patientEntry('B-10'), otherwise)), 400, 'invalid');
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'B-10')}`)).to.equal(0);
    });

    it('without entries is answered without entries', async () => {
      const { validate } = await loadDefinitions();
      for (const type of ['transaction', 'batch']) {
        const answer = await post({ resourceType: 'Bundle', type });
        expect([answer.status, answer.json()]).to.deep.equal([
          200,
          { resourceType: 'Bundle', type: `${type}-response` },
        ]);
        expect(() => validate(answer.json())).to.not.throw();
      }
    });

    it('deletes, creates, updates, and reads what it did last', async () => {
      const patient = locationOf(await post(transactionOf(patientEntry('B-11'))), 0);
      const order = locationOf(await post(transactionOf({ ...orderEntry({}), resource: anOrder(patient) })), 0);
      const answer = await post(
        transactionOf(
          { request: { method: 'GET', url: patient } },
          { request: { method: 'GET', url: order } },
          { request: { method: 'GET', url: `ServiceRequest?patient=${patient}&status=draft` } },
          { ...patientEntry('B-11'), resource: { ...aPatient(strasbourg, 'B-11'), birthDate: '1990-01-01' } },
          { ...orderEntry({}), resource: anOrder(patient, { status: 'draft' }) },
          { request: { method: 'DELETE', url: order } },
        ),
      );
      expect(statusesOf(answer), answer.text).to.deep.equal(['200', '410', '200', '200', '201', '204']);
      const [read, , search] = answer.json<Bundle>().entry ?? [];
      expect(read?.resource).to.deep.include({ birthDate: '1990-01-01' });
      expect(search?.resource).to.have.property('entry').with.length(1);
      const { validate } = await loadDefinitions();
      expect(() => validate(answer.json())).to.not.throw();
    });

    it('stands as a whole or not at all: one refused, all refused', async () => {
      const foreign = { ...orderEntry({}), resource: anOrder(`Patient/${region.patients.josee}`) };
      expectOutcome(await post(transactionOf(patientEntry('B-12'), orderEntry({}), foreign)), 400, 'invalid');
      expectOutcome(
        await post(
          transactionOf(patientEntry('B-12'), { request: { method: 'DELETE', url: 'Consent/none' } }, foreign),
        ),
        400,
      );
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'B-12')}`)).to.equal(0);
    });

    it('is told once to each person whose record it changes', async () => {
      const { helene } = region.patients;
      const subject = `Patient/${helene}`;
      const before = (await eventsOf(region.patient, 'transaction')).length;
      const answer = await post(
        transactionOf(
          { ...orderEntry({}), resource: anOrder(subject) },
          { ...orderEntry({}, 'urn:uuid:2'), resource: anOrder(subject) },
          patientEntry('B-13'),
        ),
      );
      expect(statusesOf(answer)).to.deep.equal(['201', '201', '201']);
      const events = await eventsOf(region.patient, 'transaction');
      expect(events).to.have.length(before + 1);
      const told = JSON.stringify(events[0]?.entity);
      expect(told).to.include(locationOf(answer, 0)).and.to.include(locationOf(answer, 1));
      expect(told).to.not.include(locationOf(answer, 2));
    });
  });

  describe('a batch', () => {
    it('answers each entry alone, what fails included', async () => {
      const gaetan = `Patient/${region.patients.gaetan}`;
      const entries: BundleEntry[] = [
        { request: { method: 'GET', url: gaetan } },
        patientEntry('B-20'),
        {
          resource: { resourceType: 'Patient', nothing: 1 } as unknown as Resource,
          request: { method: 'POST', url: 'Patient' },
        },
        { request: { method: 'GET', url: `Patient/${region.patients.josee}` } },
        { request: { method: 'DELETE', url: gaetan } },
        { request: { method: 'GET', url: gaetan, ifNoneMatch: 'W/"1", W/"2", W/"3"' } },
        { request: { method: 'GET', url: `${region.server.url}/fhir/${gaetan}/_history` } },
        { request: { method: 'GET', url: '/ImagingStudy?_count=1' } },
        { request: { method: 'HEAD', url: gaetan } },
        { request: { method: 'GET', url: 'Patient/$everything' } },
        { resource: anOrder(gaetan, {}), request: { method: 'PUT', url: 'ServiceRequest/unknown' } },
      ];
      const answer = await post({ ...transactionOf(...entries), type: 'batch' });
      expect(answer.status, answer.text).to.equal(200);
      expect(statusesOf(answer)).to.deep.equal([
        '200',
        '201',
        '400',
        '404',
        '405',
        '304',
        '200',
        '200',
        '200',
        '501',
        '400',
      ]);
      const bundle = answer.json<Bundle>();
      expect(bundle.type).to.equal('batch-response');
      for (const { response } of bundle.entry ?? []) {
        const failed = Number(response?.status?.slice(0, 3)) >= 400;
        expect(response?.outcome !== undefined, response?.status).to.equal(failed);
      }
      const { validate } = await loadDefinitions();
      expect(() => validate(bundle)).to.not.throw();
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'B-20')}`)).to.equal(1);
    });

    it('records each entry as the interaction that it is', async () => {
      const before = (await eventsOf(region.patient, 'read')).length;
      const url = `Patient/${region.patients.helene}`;
      await region.strasbourg.send('POST', '', {
        ...transactionOf({ request: { method: 'GET', url } }, { request: { method: 'GET', url } }),
        type: 'batch',
      });
      expect(await eventsOf(region.patient, 'read')).to.have.length(before + 2);
    });
  });
});
