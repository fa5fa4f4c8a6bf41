/**
 * Conditions and preconditions at the FHIR door, in the forms that clients send, and what an answer holds. Row D08 of
 * smart-security.md.
 */
import type { Bundle, DiagnosticReport, DocumentReference, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { eventsOf, expectOutcome, type FhirAnswer } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf, count, nancy, strasbourg, transactionOf } from './support/fhir-write.ts';
import { openTrail } from './support/trail.ts';

describe('FHIR conditions and preconditions (FHIR R4 http.html#cond-create, #concurrency)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const put = async (number: string, headers: Record<string, string> = {}, birthDate?: string): Promise<FhirAnswer> => {
    const patient = { ...aPatient(strasbourg, number), ...(birthDate === undefined ? {} : { birthDate }) };
    return await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, number)}`, patient, headers);
  };
  const idOf = (answer: FhirAnswer): string => (answer.headers.get('location') ?? '').split('/').at(-3) ?? '';
  const aReport = async (key: string): Promise<DiagnosticReport> => {
    const study = aStudy({ key: `conditional/${key}`, patient: PATIENTS.gaetan });
    const report = (await buildReportBundle(study, reportTextOf('mr-head'))).entry?.[1]?.resource as DiagnosticReport;
    return { ...report, subject: { reference: `Patient/${region.patients.gaetan}` } };
  };
  const identifierOf = ({ identifier = [] }: DiagnosticReport): string =>
    `identifier=${identifier[0]?.system}|${identifier[0]?.value}`;

  describe('If-None-Exist', () => {
    it('is taken as a query, with its type, absolute at this server, and with what is of the answer', async () => {
      const query = conditionOf(strasbourg, 'C-1');
      const forms = [
        query,
        `?${query}`,
        `Patient?${query}`,
        `${region.server.url}/fhir/Patient?${query}`,
        `Patient?${query}&_format=json`,
        `Patient?${query.replace('|', '%7C')}&_pretty=true`,
      ];
      const ids = new Set<string>();
      for (const [at, form] of forms.entries()) {
        const answer = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'C-1'), {
          'if-none-exist': form,
        });
        expect(answer.status, `${form}: ${answer.text}`).to.equal(at === 0 ? 201 : 200);
        ids.add(idOf(answer));
      }
      expect(ids.size).to.equal(1);
    });

    it('is refused of another type or server', async () => {
      const query = conditionOf(strasbourg, 'C-2');
      for (const form of [`Consent?${query}`, `http://other.example/fhir/Patient?${query}`]) {
        const answer = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'C-2'), {
          'if-none-exist': form,
        });
        expectOutcome(answer, 400, 'invalid');
      }
      expect(await count(region.strasbourg, `Patient?${query}`)).to.equal(0);
    });

    it('in an entry whose url begins with a slash or is absolute', async () => {
      for (const url of ['/Patient', `${region.server.url}/fhir/Patient`, 'Patient']) {
        const entry = {
          resource: aPatient(strasbourg, 'C-3'),
          request: { method: 'POST', url, ifNoneExist: `Patient?${conditionOf(strasbourg, 'C-3')}` },
        } as const;
        const answer = await region.strasbourg.send('POST', '', transactionOf(entry));
        expect(answer.status, answer.text).to.equal(200);
      }
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'C-3')}`)).to.equal(1);
    });

    it('finds a report under the sender’s own rights: what is hidden does not match', async () => {
      const report = await aReport('own');
      const headers = { 'if-none-exist': identifierOf(report) };
      const created = await region.strasbourg.send('POST', 'DiagnosticReport', report, headers);
      expect(created.status, created.text).to.equal(201);
      const other = { ...report, conclusion: 'Autre' };
      const again = await region.strasbourg.send('POST', 'DiagnosticReport', other, headers);
      expect([again.status, idOf(again)]).to.deep.equal([200, idOf(created)]);
      // Whatever it is sought by, it is the one of its identifiers.
      const sought = await region.strasbourg.send('POST', 'DiagnosticReport', report, { 'if-none-exist': '_id=none' });
      expect([sought.status, idOf(sought)]).to.deep.equal([200, idOf(created)]);
      // To Nancy the report is as absent as any other.
      const performer = [{ reference: nancy.service }];
      const theirs = { ...report, performer, subject: { reference: `Patient/${region.patients.helene}` } };
      const hidden = await region.nancy.send('POST', 'DiagnosticReport', theirs, headers);
      expect(hidden.status, hidden.text).to.equal(201);
      expect(idOf(hidden)).to.not.equal(idOf(created));
    });

    it('is a search in the trail, which tells what was sought', async () => {
      const trail = await openTrail('sqlite', region.server.dataDir);
      try {
        const report = await aReport('sought');
        const headers = { 'if-none-exist': '_id=none', 'x-request-id': 'sought-and-created' };
        expect((await region.strasbourg.send('POST', 'DiagnosticReport', report, headers)).status).to.equal(201);
        const events = (await trail.eventsNaming('sought-and-created')).map(({ event }) => event);
        const [search, ...others] = events.filter(({ subtype }) => subtype?.[0]?.code === 'search-type');
        const [asked] = search?.entity ?? [];
        expect(Buffer.from(asked?.query ?? '', 'base64').toString()).to.equal('DiagnosticReport?_id=none');
        expect([asked?.detail, others.length, events.length]).to.deep.equal([undefined, 0, 2]);
      } finally {
        await trail.close();
      }
    });

    it('creates one of several at once, whatever the type', async () => {
      const code = { coding: [{ system: 'http://loinc.org', code: '29463-7' }] };
      const observation = { resourceType: 'Observation', status: 'final', code } as const;
      const subject = { reference: `Patient/${region.patients.gaetan}` };
      const headers = { 'if-none-exist': `code=http://loinc.org|29463-7&patient=${subject.reference}` };
      const send = async (): Promise<FhirAnswer> =>
        await region.strasbourg.send('POST', 'Observation', { ...observation, subject }, headers);
      const answers = await Promise.all(Array.from({ length: 12 }, send));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([...Array<number>(11).fill(200), 201]);
      expect(new Set(answers.map(idOf)).size).to.equal(1);
      const put = async (): Promise<FhirAnswer> =>
        await region.strasbourg.send('PUT', 'Observation?status=amended', {
          ...observation,
          status: 'amended',
          subject,
        });
      const put12 = await Promise.all(Array.from({ length: 12 }, put));
      expect(new Set(put12.map(idOf)).size).to.equal(1);
      expect(put12.filter(({ status }) => status === 201).length).to.equal(1);
    });

    it('that matches several is 412, and creates nothing', async () => {
      const before = await count(region.strasbourg, 'DiagnosticReport');
      const headers = { 'if-none-exist': 'status=final' };
      const answer = await region.strasbourg.send('POST', 'DiagnosticReport', await aReport('several'), headers);
      expectOutcome(answer, 412, 'conflict');
      expect(await count(region.strasbourg, 'DiagnosticReport')).to.equal(before);
    });
  });

  describe('If-Match and If-None-Match', () => {
    it('are honoured on a Patient by condition and by id: stale 412, garbage 400, and nothing changes', async () => {
      const created = await put('C-10');
      const id = idOf(created);
      const byId = async (headers: Record<string, string>, birthDate: string): Promise<FhirAnswer> =>
        await region.strasbourg.send(
          'PUT',
          `Patient/${id}`,
          { ...aPatient(strasbourg, 'C-10'), id, birthDate },
          headers,
        );
      for (const change of [async (h: Record<string, string>, d: string) => await put('C-10', h, d), byId]) {
        expectOutcome(await change({ 'if-match': 'W/"7"' }, '1980-01-01'), 412, 'conflict');
        expectOutcome(await change({ 'if-match': 'seven' }, '1980-01-01'), 400, 'invalid');
        expectOutcome(await change({ 'if-match': '"0"' }, '1980-01-01'), 400, 'invalid');
        expectOutcome(await change({ 'if-none-match': '*' }, '1980-01-01'), 412, 'conflict');
      }
      const patient = (await region.strasbourg.get(`Patient/${id}`)).json<Patient>();
      expect([patient.birthDate, patient.meta?.versionId]).to.deep.equal(['1979-03-05', '1']);
      const updates = [
        await put('C-10', { 'if-match': 'W/"1"' }, '1980-01-02'),
        await byId({ 'if-match': '"2"' }, '1980-01-03'),
        await byId({ 'if-match': 'W/"9", W/"3"' }, '1980-01-04'),
        await byId({ 'if-match': '*' }, '1980-01-05'),
      ];
      expect(updates.map(({ status, headers }) => [status, headers.get('etag')])).to.deep.equal([
        [200, 'W/"2"'],
        [200, 'W/"3"'],
        [200, 'W/"4"'],
        [200, 'W/"5"'],
      ]);
    });

    it('let one of several writers through that all know one version', async () => {
      const created = await put('C-13');
      const writers = Array.from({ length: 8 }, async (_, at) =>
        put('C-13', { 'if-match': 'W/"1"' }, `1990-01-0${at + 1}`),
      );
      const statuses = (await Promise.all(writers)).map(({ status }) => status).toSorted();
      expect(statuses).to.deep.equal([200, ...Array.from({ length: 7 }, () => 412)]);
      const patient = (await region.strasbourg.get(`Patient/${idOf(created)}`)).json<Patient>();
      expect(patient.meta?.versionId).to.equal('2');
      const makers = Array.from({ length: 8 }, async () => put('C-14', { 'if-none-match': '*' }));
      const made = (await Promise.all(makers)).map(({ status }) => status).toSorted();
      expect(made).to.deep.equal([201, ...Array.from({ length: 7 }, () => 412)]);
    });

    it('If-Match of what does not stand is 412; If-None-Match: * creates once', async () => {
      expectOutcome(await put('C-11', { 'if-match': 'W/"1"' }), 412, 'conflict');
      expect((await put('C-11', { 'if-none-match': '*' })).status).to.equal(201);
      expectOutcome(await put('C-11', { 'if-none-match': '*' }), 412, 'conflict');
    });

    it('are honoured in entries', async () => {
      const created = await put('C-12');
      const request = { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'C-12')}` } as const;
      const resource = { ...aPatient(strasbourg, 'C-12'), birthDate: '1981-01-01' };
      const send = async (more: object): Promise<FhirAnswer> =>
        await region.strasbourg.send('POST', '', transactionOf({ resource, request: { ...request, ...more } }));
      expectOutcome(await send({ ifMatch: 'W/"4"' }), 412, 'conflict');
      expectOutcome(await send({ ifMatch: 'four' }), 400, 'invalid');
      expectOutcome(await send({ ifNoneMatch: '*' }), 412, 'conflict');
      expect((await send({ ifMatch: 'W/"1"' })).status).to.equal(200);
      expect((await region.strasbourg.get(`Patient/${idOf(created)}`)).json<Patient>().birthDate).to.equal(
        '1981-01-01',
      );
    });
  });

  describe('update by id', () => {
    it('of a Patient is for the establishment whose identity it is', async () => {
      const id = idOf(await put('C-20'));
      const patient = { ...aPatient(strasbourg, 'C-20'), id, birthDate: '1982-02-02' };
      const hidden = await region.nancy.send('PUT', `Patient/${id}`, patient);
      const absent = await region.nancy.send('PUT', 'Patient/nobody', { ...patient, id: 'nobody' });
      expectOutcome(hidden, 404, 'not-found');
      expect(hidden.text).to.equal(absent.text);
      expectOutcome(await region.strasbourg.send('PUT', `Patient/${id}`, { ...patient, id: 'other' }), 400, 'invalid');
      const { id: _id, ...nameless } = patient;
      expectOutcome(await region.strasbourg.send('PUT', `Patient/${id}`, nameless), 400, 'invalid');
      const renamed = { ...aPatient(strasbourg, 'C-21'), id };
      expectOutcome(await region.strasbourg.send('PUT', `Patient/${id}`, renamed), 409, 'conflict');
      expect((await region.strasbourg.send('PUT', `Patient/${id}`, patient)).status).to.equal(200);
      const update = await put('C-20', {}, '1982-02-03');
      expect([update.status, idOf(update)]).to.deep.equal([200, id]);
      const other = { ...aPatient(strasbourg, 'C-20'), id: 'other' };
      const path = `Patient?${conditionOf(strasbourg, 'C-20')}`;
      expectOutcome(await region.strasbourg.send('PUT', path, other), 400, 'invalid');
    });

    it('takes an id that is not known under the establishment’s own prefix only', async () => {
      const own = 'demo-strasbourg.p1';
      const patient = aPatient(strasbourg, 'C-22');
      for (const id of ['p1', 'demo-nancy.p1', 'demo-strasbourg']) {
        expectOutcome(await region.strasbourg.send('PUT', `Patient/${id}`, { ...patient, id }), 404, 'not-found');
      }
      const created = await region.strasbourg.send('PUT', `Patient/${own}`, { ...patient, id: own });
      expect([created.status, idOf(created)]).to.deep.equal([201, own]);
      expect((await region.strasbourg.get(`Patient/${own}`)).status).to.equal(200);
    });

    it('gives a report a new version, with its own document, whose bytes stand when it comes without', async () => {
      const report = await aReport('versions');
      const created = await region.strasbourg.send('POST', 'DiagnosticReport', report);
      const path = `DiagnosticReport/${idOf(created)}`;
      const first = (await region.strasbourg.get(path)).json<DiagnosticReport>();
      const amended = { ...first, status: 'amended', conclusion: 'Complété' };
      const kept = await region.strasbourg.send('PUT', path, amended, { 'if-match': 'W/"1"' });
      expect([kept.status, kept.headers.get('etag')], kept.text).to.deep.equal([200, 'W/"2"']);
      const second = (await region.strasbourg.get(path)).json<DiagnosticReport>();
      const described = ({ presentedForm: [one] = [] }: DiagnosticReport): object => ({ ...one, url: '' });
      expect(described(second)).to.deep.equal(described(first));
      expect((await region.strasbourg.send('PUT', path, second)).headers.get('etag')).to.equal('W/"2"');
      const [form] = report.presentedForm ?? [];
      const pdf = Buffer.concat([Buffer.from(form?.data ?? '', 'base64'), Buffer.from('\n% deux\n')]);
      const renewed = { ...second, presentedForm: [{ ...form, data: pdf.toString('base64') }] };
      const third = await region.strasbourg.send('PUT', `DiagnosticReport?${identifierOf(report)}`, renewed);
      expect([third.status, third.headers.get('etag')], third.text).to.deep.equal([200, 'W/"3"']);
      const current = (await region.strasbourg.get(path)).json<DiagnosticReport>();
      const url = current.presentedForm?.[0]?.url?.split('/fhir/')[1] ?? '';
      const bytes = await region.strasbourg.get(url, { accept: 'application/fhir+json' });
      expect(bytes.json<{ data: string }>().data).to.equal(pdf.toString('base64'));
      const documents = await region.strasbourg.find<DocumentReference>(`DocumentReference?related=${path}`);
      const published = documents.toSorted((one, other) => ((one.id ?? '') < (other.id ?? '') ? -1 : 1));
      expect(published.map(({ status }) => status)).to.deep.equal(['superseded', 'superseded', 'current']);
      const sizes = published.map(({ content }) => content[0]?.attachment.size);
      expect(sizes).to.deep.equal([first.presentedForm?.[0]?.size, first.presentedForm?.[0]?.size, pdf.length]);
      const foreign = { ...current, presentedForm: [{ ...current.presentedForm?.[0], url: `${url}x` }] };
      expectOutcome(await region.strasbourg.send('PUT', path, foreign), 501, 'not-supported');
      expectOutcome(await region.nancy.send('PUT', path, second), 404, 'not-found');
    });

    it('and a patch hold a report to the same rules as its creation', async () => {
      const created = await region.strasbourg.send('POST', 'DiagnosticReport', await aReport('rules'));
      const path = `DiagnosticReport/${idOf(created)}`;
      const standing = (await region.strasbourg.get(path)).json<DiagnosticReport>();
      const foreign = [{ identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' } }];
      const message = expectOutcome(await region.strasbourg.send('PUT', path, { ...standing, basedOn: foreign }), 400);
      const patch = JSON.stringify([{ op: 'add', path: '/basedOn', value: foreign }]);
      const headers = { 'content-type': 'application/json-patch+json' };
      expect(expectOutcome(await region.strasbourg.send('PATCH', path, patch, headers), 400)).to.equal(message);
      const form = JSON.stringify([{ op: 'replace', path: '/presentedForm/0/url', value: 'Binary/other' }]);
      expectOutcome(await region.strasbourg.send('PATCH', path, form, headers), 501, 'not-supported');
      expect((await region.strasbourg.get(path)).json()).to.deep.equal(standing);
    });

    it('is told to the patient', async () => {
      const id = region.patients.helene;
      const patient = (await region.strasbourg.get(`Patient/${id}`)).json<Patient>();
      const changed = await region.strasbourg.send('PUT', `Patient/${id}`, { ...patient, language: 'fr' });
      expect(changed.status, changed.text).to.equal(200);
      const [event] = await eventsOf(region.patient, 'update');
      expect([event?.action, event?.outcome]).to.deep.equal(['U', '0']);
      expect(JSON.stringify(event?.entity)).to.include(`Patient/${id}`);
    });
  });

  describe('answers', () => {
    it('are JSON for every media range that means it, whatever its parameters', async () => {
      const path = `Patient/${region.patients.gaetan}`;
      const taken = [
        'application/fhir+json;charset=utf-8',
        'application/fhir+json; fhirVersion=4.0',
        'text/html, application/json;q=0.9',
        '*/*;q=0.1',
      ];
      for (const accept of taken) expect((await region.strasbourg.get(path, { accept })).status, accept).to.equal(200);
      for (const accept of [
        'application/fhir+xml',
        'application/fhir+json;q=0',
        'application/fhir+json;fhirVersion=3.0',
      ])
        expect((await region.strasbourg.get(path, { accept })).status, accept).to.equal(406);
      const headers = {
        accept: 'application/fhir+json;charset=utf-8',
        'content-type': 'application/fhir+json; charset=UTF-8; fhirVersion=4.0',
      };
      expect((await put('C-33', headers)).status).to.equal(201);
    });

    it('hold what the client prefers: nothing, the resource, or an OperationOutcome', async () => {
      const created = await put('C-30');
      expect([created.text, created.headers.get('content-type')]).to.deep.equal(['', null]);
      expect(created.headers.get('last-modified')).to.match(/GMT$/);
      const minimal = await put('C-30', { prefer: 'return=minimal' }, '1983-03-03');
      expect([minimal.status, minimal.text]).to.deep.equal([200, '']);
      const whole = await put('C-30', { prefer: 'return=representation' }, '1983-03-04');
      expect(whole.json<Patient>()).to.deep.include({ resourceType: 'Patient', birthDate: '1983-03-04' });
      expect(whole.headers.get('content-type')).to.include('application/fhir+json');
      expect(whole.headers.get('content-location')).to.equal(whole.headers.get('location'));
      const outcome = await put('C-30', { prefer: 'return=OperationOutcome' }, '1983-03-05');
      expect(outcome.json<OperationOutcome>().issue?.[0]?.severity).to.equal('information');
    });

    it('hold it of each entry of a transaction', async () => {
      const entry = {
        resource: aPatient(strasbourg, 'C-31'),
        request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'C-31')}` },
      } as const;
      const prefer = async (preference: string) =>
        (
          await region.strasbourg.send('POST', '', transactionOf(entry), { prefer: `return=${preference}` })
        ).json<Bundle>().entry?.[0];
      const whole = await prefer('representation');
      expect([whole?.resource?.resourceType, whole?.response?.status]).to.deep.equal(['Patient', '201 Created']);
      expect(whole?.fullUrl).to.match(/\/fhir\/Patient\/[^/]+$/);
      expect(whole?.response?.lastModified).to.match(/^\d{4}-/);
      expect((await prefer('OperationOutcome'))?.response?.outcome?.resourceType).to.equal('OperationOutcome');
      expect(await prefer('minimal')).to.have.all.keys('response');
    });

    it('are 304 to a version or date that the client has, in weak and strong form', async () => {
      const created = await put('C-32');
      const path = `Patient/${idOf(created)}`;
      for (const tag of ['W/"1"', '"1"', 'W/"7", "1"'])
        expect((await region.strasbourg.get(path, { 'if-none-match': tag })).status, tag).to.equal(304);
      expect((await region.strasbourg.get(path, { 'if-none-match': '"2"' })).status).to.equal(200);
      const modified = created.headers.get('last-modified') ?? '';
      expect((await region.strasbourg.get(path, { 'if-modified-since': modified })).status).to.equal(304);
      const before = new Date(Date.parse(modified) - 60_000).toUTCString();
      expect((await region.strasbourg.get(path, { 'if-modified-since': before })).status).to.equal(200);
    });
  });
});
