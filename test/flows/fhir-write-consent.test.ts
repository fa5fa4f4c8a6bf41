/** Writing at the FHIR door: identities, reports, transactions, and who may write what. */
import type { Bundle, Consent, DiagnosticReport, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { establishmentCaller, personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';

import { eventsOf, eventually, expectOutcome, resourcesOf } from '../support/clients/fhir-caller.ts';

import { aPatient, conditionOf, consentFor, count, strasbourg, withdrawal } from './support/fhir-write.ts';
describe('FHIR writes: Consent, and who may write (FHIR R4 http.html#create)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  describe('Consent and mass assignment', () => {
    it('is declared by an establishment for its patient, and by the patient for herself', async () => {
      const byPatient = await region.patient.send(
        'POST',
        'Consent',
        consentFor(region.patients.helene, 'Practitioner/demo-radiologist-nancy'),
      );
      expect(byPatient.status, byPatient.text).to.equal(201);
      const [event] = await eventsOf(region.patient, 'create');
      expect(JSON.stringify(event?.entity)).to.include('Consent/');
      const hers = await region.patient.get((byPatient.headers.get('location') ?? '').split('/fhir/')[1] ?? '');
      expect(hers.status).to.equal(200);
      expectOutcome(await region.nancy.get(`Consent/${hers.json<Patient>().id ?? ''}`), 404);
    });

    it('becomes inactive when its period is over, by itself, and an event tells the patient', async () => {
      const consent = consentFor(region.patients.helene, 'Practitioner/demo-stranger') as Consent;
      const end = new Date(Date.now() + 1_500).toISOString();
      const period = { start: '2026-01-05T00:00:00Z', end };
      const sent = { ...consent, provision: { ...consent.provision, period } };
      const created = await region.patient.send('POST', 'Consent', sent);
      expect(created.status, created.text).to.equal(201);
      const reference = created.headers.get('location')?.replace(/.*\/fhir\/|\/_history.*/g, '') ?? '';
      const ended = await eventually(async () => {
        const { status } = (await region.patient.get(reference)).json<Consent>();
        return status === 'inactive' ? status : undefined;
      });
      expect(ended).to.equal('inactive');
      const updates = (await eventsOf(region.patient, 'update')).map(({ entity }) => JSON.stringify(entity));
      expect(updates.filter((entity) => entity.includes(reference))).to.have.length(1);
      expect((await region.patient.get(reference)).json<Consent>().provision?.period, 'as it was said').to.deep.equal(
        period,
      );
    });

    it('C18 is not declared for another patient, by a professional, or for a purpose that is refused', async () => {
      expectOutcome(
        await region.patient.send('POST', 'Consent', consentFor(region.patients.gaetan, 'Practitioner/demo-stranger')),
        400,
        'invalid',
      );
      expectOutcome(
        await region.nancy.send('POST', 'Consent', consentFor(region.patients.gaetan, 'Practitioner/demo-stranger')),
        400,
        'invalid',
      );
      expectOutcome(
        await region.stranger.send('POST', 'Consent', consentFor(region.patients.helene, 'Practitioner/demo-stranger')),
        403,
        'forbidden',
      );
      expectOutcome(
        await region.declared.send('POST', 'Consent', consentFor(region.patients.helene, 'Practitioner/demo-declared')),
        403,
        'forbidden',
      );
      const paid = consentFor(region.patients.helene, 'Practitioner/demo-stranger', 'HPAYMT');
      expectOutcome(await region.patient.send('POST', 'Consent', paid), 403, 'forbidden');
      expect(await count(region.stranger, `ImagingStudy?patient=${region.patients.helene}`)).to.equal(0);
    });

    it('a request, and what stands of a filer for a patient, names so many actors; blocks count alone', async () => {
      const { provision, ...consent } = consentFor(region.patients.helene, 'Practitioner/demo-stranger') as Consent;
      const [one] = provision?.actor ?? [];
      const actor = Array.from({ length: 100 }, (_, at) => ({
        role: one?.role ?? {},
        reference: { type: 'Practitioner', identifier: { system: 'urn:test:unknown', value: `${at}` } },
      }));
      const of = (further: object): object => ({ ...consent, provision: { ...provision, actor, ...further } });
      const send = async (further: object, caller = region.patient) =>
        await caller.send('POST', 'Consent', of(further));
      const exams = ['1', '2', '3'].map((id) => ({ reference: `ImagingStudy/${id}` }));
      const data = exams.map((reference) => ({ meaning: 'instance', reference }));
      expect(expectOutcome(await send({ data }), 413, 'too-costly')).to.include('200');
      const entry = [1, 2, 3].map((year) => ({
        resource: of({ dataPeriod: { end: `200${year}` } }),
        request: { method: 'POST', url: 'Consent' },
      }));
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
      expectOutcome(await region.patient.send('POST', '', bundle), 413, 'too-costly');
      const made: Consent[] = [];
      for (const caller of [region.strasbourg, region.patient]) {
        for (let year = 2000; year < 2019; year += 1) {
          const answer = await caller.send('POST', 'Consent', of({ dataPeriod: { end: `${year}` } }), {
            Prefer: 'return=representation',
          });
          expect(answer.status, answer.text).to.equal(201);
          made.push(answer.json<Consent>());
        }
        const few = actor.slice(0, 99);
        const last = await caller.send('POST', 'Consent', of({ actor: few }), { Prefer: 'return=representation' });
        expect(last.status, last.text).to.equal(201);
        made.push(last.json<Consent>());
        const refused = await send({ dataPeriod: { end: '2020' } }, caller);
        expect(expectOutcome(refused, 413, 'too-costly')).to.include('2000');
      }
      expect((await send({ dataPeriod: { end: '2000' } })).status, 'said again').to.equal(200);
      const blocked = { ...consent, provision: { type: 'deny', actor: provision?.actor } };
      const block = await region.patient.send('POST', 'Consent', blocked);
      expect(block.status, block.text).to.equal(201);
      const all = made.map(({ id }) => ({ request: { method: 'DELETE', url: `Consent/${id}` } }));
      const ended = await region.patient.send('POST', '', { ...bundle, entry: all });
      expect(ended.status, ended.text).to.equal(200);
      await region.patient.send('DELETE', (block.headers.get('location') ?? '').split(/\/fhir\/|\/_history/)[1] ?? '');
      expect((await send({ dataPeriod: { end: '2020' } }, region.strasbourg)).status).to.equal(201);
    });

    it('C18 answers for a patient who is hidden as for one who does not exist', async () => {
      const hidden = await region.nancy.send(
        'POST',
        'Consent',
        consentFor(region.patients.gaetan, 'Practitioner/demo-stranger'),
      );
      const absent = await region.nancy.send('POST', 'Consent', consentFor('nobody', 'Practitioner/demo-stranger'));
      expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
    });

    it('C17 no item moves to another patient: a report is for a patient of the establishment, and stays', async () => {
      const bundle = await buildReportBundle(
        aStudy({ key: 'write/moved', patient: PATIENTS.gaetan }),
        reportTextOf('mr-head'),
      );
      const report = bundle.entry?.[1]?.resource as DiagnosticReport;
      const foreign = { ...report, subject: { reference: `Patient/${region.patients.josee}` } };
      expectOutcome(await region.strasbourg.send('POST', 'DiagnosticReport', foreign), 400, 'invalid');
      const query = `DiagnosticReport?patient=${region.patients.helene}`;
      const standing = await region.strasbourg.findOne<DiagnosticReport>(query);
      const path = `DiagnosticReport/${standing.id}`;
      const subject = { reference: `Patient/${region.patients.gaetan}` };
      expectOutcome(await region.strasbourg.send('PUT', path, { ...standing, subject }), 409, 'conflict');
      const patch = [{ op: 'replace', path: '/subject', value: subject }];
      const byPatch = { 'content-type': 'application/json-patch+json' };
      expectOutcome(await region.strasbourg.send('PATCH', path, patch, byPatch), 409, 'conflict');
      expect(await region.strasbourg.findOne<DiagnosticReport>(query)).to.deep.equal(standing);
    });

    it('C19 what a client says of ids, versions and labels of a Patient is not taken over', async () => {
      const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'U' };
      const patient = {
        ...aPatient(strasbourg, 'W-80'),
        id: 'mine',
        meta: { versionId: '77', lastUpdated: '2000-01-01T00:00:00Z', security: [label], tag: [{ code: 'a' }] },
      };
      const answer = await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-80')}`, patient);
      expect(answer.status).to.equal(201);
      const stored = await region.strasbourg.findOne<Patient>(`Patient?${conditionOf(strasbourg, 'W-80')}`);
      expect(stored.id).to.not.equal('mine');
      expect(stored.meta?.versionId).to.equal('1');
      expect(stored.meta?.security).to.equal(undefined);
      expect(stored.meta?.tag).to.equal(undefined);
    });

    it('C19 a client may make a report more confidential, never less than it is shown', async () => {
      const bundle = await buildReportBundle(
        aStudy({ key: 'write/private', patient: PATIENTS.helene }),
        reportTextOf('mr-head'),
      );
      const report = bundle.entry?.[1]?.resource as DiagnosticReport;
      const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
      const answer = await region.strasbourg.send('POST', 'DiagnosticReport', {
        ...report,
        meta: { security: [label] },
        subject: { reference: `Patient/${region.patients.helene}` },
      });
      expect(answer.status, answer.text).to.equal(201);
      const path = (answer.headers.get('location') ?? '').split('/fhir/')[1]?.replace(/\/_history.*/, '') ?? '';
      expect((await region.patient.get(path)).status).to.equal(200);
      expectOutcome(await region.declared.get(path), 404, 'not-found');
      const binary =
        (await region.patient.get(path)).json<DiagnosticReport>().presentedForm?.[0]?.url?.split('/fhir/')[1] ?? '';
      expectOutcome(await region.declared.get(binary), 404, 'not-found');
      const documents = (await region.declared.get(`DocumentReference?related=${path}`)).json<Bundle>();
      expect(documents.total).to.equal(0);
    });
  });

  describe('Who may write', () => {
    it('C20 a token without the letter creates nothing: 403 insufficient_scope', async () => {
      const reading = await establishmentCaller(
        region.server,
        'strasbourg',
        'system/ImagingStudy.rs system/Patient.rs',
      );
      const answer = await reading.send(
        'PUT',
        `Patient?${conditionOf(strasbourg, 'W-90')}`,
        aPatient(strasbourg, 'W-90'),
      );
      expectOutcome(answer, 403, 'forbidden');
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer error="insufficient_scope"');
      const bundle = await buildReportBundle(
        aStudy({ key: 'write/scope', patient: PATIENTS.gaetan }),
        reportTextOf('mr-head'),
      );
      expectOutcome(await reading.send('POST', '', bundle), 403, 'forbidden');
      expectOutcome(
        await reading.send('POST', 'Patient/$withdraw', withdrawal(region.patients.gaetan)),
        403,
        'forbidden',
      );
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'W-90')}`)).to.equal(0);
    });

    it('persons write no Patients and no reports', async () => {
      for (const person of [region.patient, region.declared]) {
        expectOutcome(
          await person.send('PUT', `Patient?${conditionOf(strasbourg, 'W-91')}`, aPatient(strasbourg, 'W-91')),
          403,
          'forbidden',
        );
        const bundle = await buildReportBundle(
          aStudy({ key: 'write/person', patient: PATIENTS.gaetan }),
          reportTextOf('mr-head'),
        );
        expectOutcome(await person.send('POST', '', bundle), 403, 'forbidden');
      }
    });
  });

  describe('$withdraw and $reconsent', () => {
    it('is done by an establishment for its own patient only; a hidden patient is as an absent one', async () => {
      const hidden = await region.nancy.send('POST', 'Patient/$withdraw', withdrawal(region.patients.gaetan));
      const absent = await region.nancy.send('POST', 'Patient/$withdraw', withdrawal('nobody'));
      expectOutcome(hidden, 404, 'not-found');
      expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
      expectOutcome(await region.nancy.send('POST', 'Patient/$withdraw'), 400, 'required');
      expectOutcome(
        await region.declared.send('POST', 'Patient/$withdraw', withdrawal(region.patients.helene)),
        403,
        'forbidden',
      );
      expectOutcome(
        await region.patient.send('POST', 'Patient/$withdraw', withdrawal(region.patients.gaetan)),
        404,
        'not-found',
      );
    });

    it('hides the record from professionals at once, not from the patient; who recorded it gives it back', async () => {
      const declared = await personCaller(region.server, 'demo-declared');
      const visible = await count(declared, 'ImagingStudy');
      expect(visible).to.equal(2);
      const answer = await region.nancy.send('POST', 'Patient/$withdraw', withdrawal(region.patients.helene));
      expect(answer.status, answer.text).to.equal(201);
      expect([
        await count(declared, 'ImagingStudy'),
        await count(declared, 'Patient'),
        await count(declared, 'DiagnosticReport'),
      ]).to.deep.equal([0, 0, 0]);
      expect(await count(region.patient, 'ImagingStudy')).to.equal(2);
      expect(
        resourcesOf((await region.patient.get('AuditEvent?subtype=AuthZ-Consent')).json<Bundle>()),
      ).to.not.have.length(0);
      const back = await region.nancy.send('POST', 'Patient/$reconsent', withdrawal(region.patients.helene));
      expect(back.status, back.text).to.equal(202);
      expect(await count(declared, 'ImagingStudy')).to.equal(visible);
    });
  });
});
