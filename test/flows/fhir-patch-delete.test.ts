/** Patch, delete, and resources that are kept as they come: who may, what is told, what must not be seen. */
import type { Bundle, BundleEntry, Consent, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { PATIENTS } from '../../fixtures/people.ts';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { establishmentCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import {
  aPatient,
  conditionOf,
  consentFor,
  count,
  strasbourg,
  transactionOf,
  withdrawal,
} from './support/fhir-write.ts';
import { anOrder } from './support/orders.ts';
import { openTrail } from './support/trail.ts';

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

describe('FHIR patch, delete and resources kept as they come (FHIR R4 http.html#patch, #delete)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const pathOf = (answer: FhirAnswer): string =>
    (answer.headers.get('location') ?? '').split('/fhir/')[1]?.replace(/\/_history.*/, '') ?? '';
  const order = async (parts: Partial<ServiceRequest> = {}, by: FhirCaller = region.strasbourg): Promise<string> => {
    const answer = await by.send('POST', 'ServiceRequest', anOrder(`Patient/${region.patients.helene}`, parts));
    expect(answer.status, answer.text).to.equal(201);
    return pathOf(answer);
  };
  const patch = async (path: string, operations: unknown, headers = {}): Promise<FhirAnswer> =>
    await region.strasbourg.send('PATCH', path, JSON.stringify(operations), { ...JSON_PATCH, ...headers });

  describe('JSON Patch', () => {
    it('changes what it names, makes a new version, and is told to the patient', async () => {
      const path = `Patient/${region.patients.helene}`;
      const before = (await region.strasbourg.get(path)).json<Patient>();
      const answer = await patch(path, [
        { op: 'test', path: '/gender', value: before.gender },
        { op: 'add', path: '/telecom', value: [{ system: 'phone', value: '+33 1' }] },
        { op: 'add', path: '/telecom/-', value: { system: 'phone', value: '+33 2' } },
        { op: 'remove', path: '/telecom/0' },
      ]);
      expect([answer.status, answer.text]).to.deep.equal([200, '']);
      const after = (await region.strasbourg.get(path)).json<Patient>();
      expect(after.telecom).to.deep.equal([{ system: 'phone', value: '+33 2' }]);
      expect(Number(after.meta?.versionId)).to.equal(Number(before.meta?.versionId) + 1);
      const [event] = await eventsOf(region.patient, 'patch');
      expect([event?.action, JSON.stringify(event?.entity).includes(path)]).to.deep.equal(['U', true]);
    });

    it('by a condition, under If-Match, and as a Binary in a Bundle', async () => {
      const feed = `Patient?${conditionOf(strasbourg, 'P-1')}`;
      await region.strasbourg.send('PUT', feed, aPatient(strasbourg, 'P-1'));
      const operations = [{ op: 'replace', path: '/birthDate', value: '1985-05-05' }];
      expectOutcome(await patch(feed, operations, { 'if-match': 'W/"2"' }), 412, 'conflict');
      expect((await patch(feed, operations, { 'if-match': 'W/"1"' })).headers.get('etag')).to.equal('W/"2"');
      const data = Buffer.from(JSON.stringify([{ op: 'replace', path: '/birthDate', value: '1985-05-06' }]));
      const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json' } as const;
      const entry: BundleEntry = {
        resource: { ...binary, data: data.toString('base64') },
        request: { method: 'PATCH', url: feed, ifMatch: 'W/"2"' },
      };
      const bundle = await region.strasbourg.send('POST', '', transactionOf(entry));
      expect(bundle.json<Bundle>().entry?.[0]?.response?.status, bundle.text).to.equal('200 OK');
      expect((await region.strasbourg.findOne<Patient>(feed)).birthDate).to.equal('1985-05-06');
      const parameters: BundleEntry = {
        resource: { resourceType: 'Parameters' },
        request: { method: 'PATCH', url: feed },
      };
      expectOutcome(await region.strasbourg.send('POST', '', transactionOf(parameters)), 501, 'not-supported');
    });

    it('is refused as a whole: a failing test, what is not there, an invalid result, other media types', async () => {
      const path = await order();
      const before = (await region.strasbourg.get(path)).json();
      const draft = { op: 'replace', path: '/status', value: 'draft' };
      expectOutcome(await patch(path, [draft, { op: 'test', path: '/intent', value: 'plan' }]), 409, 'conflict');
      const broken: unknown[] = [
        [draft, { op: 'remove', path: '/note' }],
        [{ op: 'add', path: '/category/3', value: {} }],
        [{ op: 'replace', path: '/note/x', value: {} }],
        [{ op: 'add', path: '/__proto__/polluted', value: true }],
        [{ op: 'replace', path: '/status', value: 3 }],
        [{ op: 'add', path: '/nothing', value: 1 }],
        [{ op: 'replace', path: '/id', value: 'other' }],
        [{ op: 'replace', path: '/resourceType', value: 'Patient' }],
        [{ op: 'replace', path: '', value: {} }],
        [{ op: 'merge', path: '/status' }],
        [{ op: 'add', path: '/status' }],
        [],
        { op: 'remove', path: '/note' },
      ];
      for (const operations of broken)
        expect((await patch(path, operations)).status, JSON.stringify(operations)).to.equal(400);
      const many = Array.from({ length: 501 }, () => draft);
      expect(expectOutcome(await patch(path, many), 413, 'too-costly')).to.include('500');
      const growing = [
        { op: 'add', path: '/note', value: [{ text: 'x'.repeat(1000) }] },
        ...Array.from({ length: 30 }, () => ({ op: 'copy', from: '/note', path: '/contained' })),
        ...Array.from({ length: 30 }, () => ({ op: 'copy', from: '', path: '/a' })),
      ];
      expectOutcome(await patch(path, growing), 400, 'invalid');
      const doubling = Array.from({ length: 40 }, (_, at) => ({ op: 'copy', from: '/code', path: `/code/a${at}` }));
      expectOutcome(await patch(path, doubling), 413, 'too-costly');
      const parameters = { resourceType: 'Parameters', parameter: [{ name: 'operation' }] };
      const fhirPath = await region.strasbourg.send('PATCH', path, parameters);
      expect(expectOutcome(fhirPath, 415, 'not-supported')).to.include('FHIRPath');
      expect(fhirPath.headers.get('accept-patch')).to.equal('application/json-patch+json');
      expect((await region.strasbourg.get(path)).json()).to.deep.equal(before);
      expect(({} as { polluted?: true }).polluted).to.equal(undefined);
    });

    it('tells nothing, by its tests, of a row that is hidden', async () => {
      const path = await order();
      for (const value of ['active', 'draft']) {
        const headers = { ...JSON_PATCH };
        const test = JSON.stringify([{ op: 'test', path: '/status', value }]);
        const hidden = await region.nancy.send('PATCH', path, test, headers);
        const absent = await region.nancy.send('PATCH', 'ServiceRequest/nobody', test, headers);
        expectOutcome(hidden, 404, 'not-found');
        expect(hidden.text).to.equal(absent.text);
        const own = await region.strasbourg.send('PATCH', 'ServiceRequest/demo-strasbourg.nobody', test, headers);
        expect([own.status, own.text]).to.deep.equal([404, absent.text]);
      }
      // Nor of an own row, while the record hides it from its source.
      const [own, patient] = [await order(), withdrawal(region.patients.helene)];
      expect((await region.strasbourg.send('POST', 'Patient/$withdraw', patient)).status).to.equal(201);
      try {
        expectOutcome(await patch(own, [{ op: 'test', path: '/status', value: 'active' }]), 404, 'not-found');
        // Its source still names the Patient by the identifier there.
        const named = anOrder(`Patient?${conditionOf(strasbourg, PATIENTS.helene.localId.strasbourg)}`);
        const entry = { resource: named, request: { method: 'POST', url: 'ServiceRequest' } } as const;
        const bundle = await region.strasbourg.send('POST', '', transactionOf(entry));
        expect(bundle.status, bundle.text).to.equal(200);
      } finally {
        expect((await region.strasbourg.send('POST', 'Patient/$reconsent', patient)).status).to.equal(202);
      }
    });

    it('ends a declaration by its status, and changes nothing else of it', async () => {
      const body = consentFor(region.patients.helene, 'Practitioner/demo-stranger');
      const path = pathOf(await region.patient.send('POST', 'Consent', body));
      expect(await count(region.stranger, 'ImagingStudy')).to.equal(2);
      const send = async (operations: unknown): Promise<FhirAnswer> =>
        await region.patient.send('PATCH', path, JSON.stringify(operations), JSON_PATCH);
      expectOutcome(await send([{ op: 'replace', path: '/dateTime', value: '2026-01-01' }]), 501, 'not-supported');
      expect((await send([{ op: 'replace', path: '/status', value: 'inactive' }])).status).to.equal(200);
      expect(await count(region.stranger, 'ImagingStudy')).to.equal(0);
    });
  });

  describe('delete', () => {
    it('hides a resource and keeps its versions: 410 to who saw it, 404 to others', async () => {
      const path = await order();
      expect((await region.patient.get(path)).status).to.equal(200);
      expectOutcome(await region.strasbourg.send('DELETE', path, undefined, { 'if-match': 'W/"7"' }), 412);
      const deleted = await region.strasbourg.send('DELETE', path);
      expect([deleted.status, deleted.text, deleted.headers.get('etag')]).to.deep.equal([204, '', 'W/"2"']);
      for (const caller of [region.strasbourg, region.patient, region.declared])
        expectOutcome(await caller.get(path), 410, 'deleted');
      for (const caller of [region.nancy, region.stranger]) {
        expectOutcome(await caller.get(path), 404, 'not-found');
        expectOutcome(await caller.get(`${path}/_history`), 404, 'not-found');
        expectOutcome(await caller.get(`${path}/_history/1`), 404, 'not-found');
      }
      expect(await count(region.strasbourg, `ServiceRequest?_id=${path.split('/')[1]}`)).to.equal(0);
      expect((await region.patient.get(`${path}/_history/1`)).status).to.equal(200);
      expectOutcome(await region.patient.get(`${path}/_history/2`), 410, 'deleted');
      const history = (await region.patient.get(`${path}/_history`)).json<Bundle>();
      expect(history.entry?.map(({ request, resource }) => [request?.method, resource?.resourceType])).to.deep.equal([
        ['DELETE', undefined],
        ['POST', 'ServiceRequest'],
      ]);
      const [event] = await eventsOf(region.patient, 'delete');
      expect([event?.action, JSON.stringify(event?.entity).includes(path)]).to.deep.equal(['D', true]);
      const [refused] = (await eventsOf(region.patient, 'read')).filter(({ outcomeDesc }) => outcomeDesc === 'deleted');
      expect(refused?.outcome).to.equal('4');
      expect((await region.strasbourg.send('DELETE', path)).status).to.equal(204);
    });

    it('is for who wrote it: to others a hidden resource is as an absent one', async () => {
      const path = await order();
      const hidden = await region.nancy.send('DELETE', path);
      const absent = await region.nancy.send('DELETE', 'ServiceRequest/nobody');
      expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
      for (const person of [region.patient, region.declared])
        expectOutcome(await person.send('DELETE', path), 403, 'forbidden');
      expect((await region.strasbourg.get(path)).status).to.equal(200);
      const body = anOrder(`Patient/${region.patients.helene}`);
      for (const ifMatch of ['W/"1"', 'W/"7"', '*']) {
        const put = async (id: string): Promise<FhirAnswer> =>
          await region.nancy.send('PUT', `ServiceRequest/${id}`, { ...body, id }, { 'if-match': ifMatch });
        const [of, unknown] = [await put(path.split('/')[1] ?? ''), await put('nobody')];
        expect([of.status, of.text], ifMatch).to.deep.equal([404, unknown.text]);
        const removed = await region.nancy.send('DELETE', path, undefined, { 'if-match': ifMatch });
        expectOutcome(removed, 412, 'conflict');
      }
    });

    it('is recorded when it finds nothing, for nobody', async () => {
      const trail = await openTrail('sqlite', region.server.dataDir);
      try {
        const headers = { 'x-request-id': 'nothing-was-deleted' };
        const answer = await region.strasbourg.send('DELETE', 'ServiceRequest/nobody', undefined, headers);
        expect(answer.status).to.equal(204);
        const events = await trail.eventsNaming('nothing-was-deleted');
        expect(events.map(({ event, persons }) => [event.action, event.outcome, persons])).to.deep.equal([
          ['D', '0', []],
        ]);
      } finally {
        await trail.close();
      }
    });

    it('is made once by several at once under an id that they chose', async () => {
      const path = 'ServiceRequest/demo-strasbourg.at-once';
      const body = { ...anOrder(`Patient/${region.patients.helene}`), id: 'demo-strasbourg.at-once' };
      const put = async (): Promise<FhirAnswer> => await region.strasbourg.send('PUT', path, body);
      const answers = await Promise.all(Array.from({ length: 12 }, put));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([...Array<number>(11).fill(200), 201]);
      expect(new Set(answers.map(({ headers }) => headers.get('etag')))).to.deep.equal(new Set(['W/"1"']));
    });

    it('goes on with the version when the resource is put again', async () => {
      const path = await order();
      const [, id = ''] = path.split('/');
      await region.strasbourg.send('DELETE', path);
      const body = { ...anOrder(`Patient/${region.patients.helene}`), id };
      expectOutcome(await region.nancy.send('PUT', path, body), 404, 'not-found');
      const again = await region.strasbourg.send('PUT', path, body);
      expect([again.status, again.headers.get('etag')]).to.deep.equal([201, 'W/"3"']);
      const versions = (await region.patient.get(`${path}/_history`)).json<Bundle>().entry ?? [];
      expect(versions.map(({ response }) => response?.etag)).to.deep.equal(['W/"3"', 'W/"2"', 'W/"1"']);
    });

    it('does not move to another patient as it is put again, by its id or by a condition', async () => {
      const body = anOrder(`Patient/${region.patients.helene}`);
      const theirs = anOrder(`Patient/${region.patients.gaetan}`);
      const chosen = 'ServiceRequest/demo-strasbourg.gone';
      expect((await region.strasbourg.send('PUT', chosen, { ...body, id: 'demo-strasbourg.gone' })).status).to.equal(
        201,
      );
      for (const path of [await order(), chosen]) {
        const [, id = ''] = path.split('/');
        expect((await region.strasbourg.send('DELETE', path)).status).to.equal(204);
        const moved = await region.strasbourg.send('PUT', path, { ...theirs, id });
        expectOutcome(moved, 409, 'conflict');
        const standing = await order();
        const other = { ...theirs, id: standing.split('/')[1] };
        expect((await region.strasbourg.send('PUT', standing, other)).text, 'as of what stands').to.equal(moved.text);
        const absent = await region.nancy.send('PUT', 'ServiceRequest/nobody', { ...theirs, id: 'nobody' });
        const hidden = await region.nancy.send('PUT', path, { ...theirs, id });
        expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
        if (path === chosen) {
          const sought = await region.strasbourg.send('PUT', 'ServiceRequest?identifier=urn:a|none', { ...theirs, id });
          expectOutcome(sought, 409, 'conflict');
        }
        expect((await region.strasbourg.send('PUT', path, { ...body, id })).status).to.equal(201);
      }
    });

    it('by a condition deletes the one that matches, and none of several', async () => {
      const path = await order({ identifier: [{ system: 'urn:a', value: 'D-1' }] });
      expectOutcome(await region.strasbourg.send('DELETE', 'ServiceRequest?intent=order'), 412, 'conflict');
      expectOutcome(await region.strasbourg.send('DELETE', 'ServiceRequest?nothing=1'), 400, 'invalid');
      expectOutcome(await region.strasbourg.send('DELETE', 'ServiceRequest'), 400, 'required');
      expect((await region.nancy.send('DELETE', 'ServiceRequest?identifier=urn:a|D-1')).status).to.equal(204);
      expect((await region.strasbourg.get(path)).status).to.equal(200);
      expect((await region.strasbourg.send('DELETE', 'ServiceRequest?identifier=urn:a|D-1')).status).to.equal(204);
      expectOutcome(await region.strasbourg.get(path), 410, 'deleted');
    });

    it('of a Consent makes it inactive, and ends the rights that it gave', async () => {
      const body = consentFor(region.patients.helene, 'Practitioner/demo-stranger');
      const path = pathOf(await region.patient.send('POST', 'Consent', body));
      expect(await count(region.stranger, 'ImagingStudy')).to.equal(2);
      expect((await region.nancy.send('DELETE', path)).status).to.be.oneOf([204, 404]);
      expect(await count(region.stranger, 'ImagingStudy')).to.equal(2);
      expect((await region.patient.send('DELETE', path)).status).to.equal(204);
      expect(await count(region.stranger, 'ImagingStudy')).to.equal(0);
      expect((await region.patient.get(path)).json<Consent>().status).to.equal('inactive');
    });
  });

  describe('a resource that is kept as it comes', () => {
    it('is seen by its source, the patient and her correspondents, and gives nobody a right', async () => {
      const path = await order();
      for (const caller of [region.strasbourg, region.patient, region.declared])
        expect((await caller.get(path)).status).to.equal(200);
      for (const caller of [region.nancy, region.stranger]) expectOutcome(await caller.get(path), 404, 'not-found');
      expect(await count(region.stranger, 'Patient')).to.equal(0);
      const [event] = await eventsOf(region.patient, 'create');
      expect(JSON.stringify(event?.entity)).to.include(path);
    });

    it('is written by establishments, of a patient of theirs, and does not move', async () => {
      const body = anOrder(`Patient/${region.patients.helene}`);
      for (const person of [region.patient, region.declared])
        expectOutcome(await person.send('POST', 'ServiceRequest', body), 403, 'forbidden');
      const foreign = anOrder(`Patient/${region.patients.gaetan}`);
      expectOutcome(await region.nancy.send('POST', 'ServiceRequest', foreign), 400, 'invalid');
      const path = await order();
      const [, id = ''] = path.split('/');
      const moved = { ...anOrder(`Patient/${region.patients.gaetan}`), id };
      expectOutcome(await region.strasbourg.send('PUT', path, moved), 409, 'conflict');
      const nobody = { ...anOrder('Device/1'), id };
      expectOutcome(await region.strasbourg.send('PUT', path, nobody), 400, 'invalid');
      const weak = await establishmentCaller(region.server, 'strasbourg', 'system/ServiceRequest.cr');
      expectOutcome(await weak.send('PUT', path, { ...body, id }), 403, 'forbidden');
      expectOutcome(await weak.send('DELETE', path), 403, 'forbidden');
      const conditional = await weak.send('POST', 'ServiceRequest', body, { 'if-none-exist': 'status=active' });
      expectOutcome(conditional, 403, 'forbidden');
    });

    it('takes an id of the establishment’s own prefix, and tells nothing of others', async () => {
      const body = anOrder(`Patient/${region.patients.helene}`);
      const id = 'demo-strasbourg.order-1';
      const created = await region.strasbourg.send('PUT', `ServiceRequest/${id}`, { ...body, id });
      expect([created.status, created.headers.get('etag')]).to.deep.equal([201, 'W/"1"']);
      const theirs = { ...anOrder(`Patient/${region.patients.helene}`), id };
      const taken = await region.nancy.send('PUT', `ServiceRequest/${id}`, theirs);
      const other = 'demo-strasbourg.order-2';
      const free = await region.nancy.send('PUT', `ServiceRequest/${other}`, { ...theirs, id: other });
      expectOutcome(taken, 404, 'not-found');
      expect(taken.text).to.equal(free.text);
      const changed = await region.strasbourg.send('PUT', `ServiceRequest/${id}`, { ...body, id, status: 'completed' });
      expect([changed.status, changed.headers.get('etag')]).to.deep.equal([200, 'W/"2"']);
      const same = await region.strasbourg.send('PUT', `ServiceRequest/${id}`, { ...body, id, status: 'completed' });
      expect([same.status, same.headers.get('etag')]).to.deep.equal([200, 'W/"2"']);
    });
  });
});
