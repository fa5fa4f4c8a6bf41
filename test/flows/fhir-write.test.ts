/** Writing at the FHIR door: identities, reports, transactions, and who may write what. */
import type {
  Bundle,
  BundleEntry,
  DiagnosticReport,
  DocumentReference,
  OperationOutcome,
  Patient,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { orphanFiles } from '../support/data-folder/orphan-files.ts';
import { eventually, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';

import { visited } from './support/feed.ts';
import {
  aPatient,
  conditionOf,
  consentFor,
  count,
  NATIONAL,
  nancy,
  PERSON_OF_TESTS,
  strasbourg,
  transactionOf,
} from './support/fhir-write.ts';
describe('FHIR writes (FHIR R4 http.html#create, #transaction)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  describe('Patient Identity Feed (PIXm ITI-104)', () => {
    it('creates by conditional update, updates what differs, and leaves what is the same', async () => {
      const path = `Patient?${conditionOf(strasbourg, 'W-10')}`;
      const created = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-10'));
      expect([created.status, created.headers.get('etag')]).to.deep.equal([201, 'W/"1"']);
      const location = created.headers.get('location') ?? '';
      expect(location).to.match(/\/fhir\/Patient\/[^/]+\/_history\/1$/);
      const again = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-10'));
      expect([again.status, again.headers.get('etag'), again.headers.get('location')]).to.deep.equal([
        200,
        'W/"1"',
        location,
      ]);
      const changed = await region.strasbourg.send('PUT', path, {
        ...aPatient(strasbourg, 'W-10'),
        birthDate: '1979-03-06',
      });
      expect([changed.status, changed.headers.get('etag')]).to.deep.equal([200, 'W/"2"']);
    });

    it('joins what two establishments know of a person by the qualified identifier: she is one Patient', async () => {
      const [inStrasbourg, inNancy] = [
        `Patient?${conditionOf(strasbourg, 'W-20')}`,
        `Patient?${conditionOf(nancy, 'W-21')}`,
      ];
      const first = await region.strasbourg.send('PUT', inStrasbourg, aPatient(strasbourg, 'W-20'));
      const second = await region.nancy.send('PUT', inNancy, aPatient(nancy, 'W-21', NATIONAL));
      expect([first.status, second.status]).to.deep.equal([201, 201]);
      const id = idIn(first);
      expect([await idsOf(region.strasbourg, inStrasbourg), await idsOf(region.nancy, inNancy)]).to.deep.equal([
        [id],
        [idIn(second)],
      ]);
      const third = await region.strasbourg.send('PUT', inStrasbourg, aPatient(strasbourg, 'W-20', NATIONAL));
      expect(third.status).to.equal(200);
      // Each goes on to find her by its own number alone.
      expect([await idsOf(region.strasbourg, inStrasbourg), await idsOf(region.nancy, inNancy)]).to.deep.equal([
        [id],
        [id],
      ]);
      expect(await idsOf(region.nancy, inStrasbourg)).to.deep.equal([]);
      await visited(region.strasbourg, id);
      const consent = await region.strasbourg.send('POST', 'Consent', consentFor(id, 'Practitioner/demo-stranger'));
      expect(consent.status, consent.text).to.equal(201);
      expect(await idsOf(region.stranger, 'Patient?family=Orb%C3%A9lian')).to.deep.equal([id]);
    });

    it('shows a patient one Patient, whoever knows her', async () => {
      expect(await idsOf(region.patient, 'Patient')).to.deep.equal([region.patients.helene]);
    });

    it('creates conditionally by If-None-Exist: 201, then 200 of the same Patient', async () => {
      const headers = { 'if-none-exist': conditionOf(strasbourg, 'W-30') };
      const created = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30'), headers);
      const again = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30'), headers);
      expect([created.status, again.status]).to.deep.equal([201, 200]);
      expect(again.headers.get('location')).to.equal(created.headers.get('location'));
      const twice = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30'));
      expect(expectOutcome(twice, 409, 'conflict')).to.include('stands already');
    });

    it('refuses a condition that is not the own identifier, an identity of another issuer, and none', async () => {
      const patient = aPatient(strasbourg, 'W-40');
      expectOutcome(await region.strasbourg.send('PUT', 'Patient?family=Valbremont', patient), 501, 'not-supported');
      expectOutcome(await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-41')}`, patient), 501);
      const others = conditionOf(strasbourg, 'W-40').replace('identifier', 'family');
      expectOutcome(await region.strasbourg.send('PUT', `Patient?${others}`, patient), 501, 'not-supported');
      expectOutcome(await region.strasbourg.send('PUT', 'Patient', patient), 501);
      const foreign = await region.nancy.send('PUT', `Patient?${conditionOf(strasbourg, 'W-40')}`, patient);
      expectOutcome(foreign, 422, 'business-rule');
      expect(foreign.json<OperationOutcome>().issue[0]?.expression).to.deep.equal(['Patient.identifier']);
      const { identifier: _identifier, ...nobody } = patient;
      expectOutcome(await region.strasbourg.send('POST', 'Patient', nobody), 400, 'required');
    });

    it('separates by a corrected identifier what the wrong one had joined, and joins nobody by another’s', async () => {
      const path = `Patient?${conditionOf(strasbourg, 'W-45')}`;
      const inNancy = `Patient?${conditionOf(nancy, 'W-46')}`;
      const wrong = { ...NATIONAL, value: '279036799900883' };
      const older = await region.nancy.send('PUT', inNancy, aPatient(nancy, 'W-46', wrong));
      const made = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-45', wrong));
      expect([older.status, made.status]).to.deep.equal([201, 201]);
      const isJoined = async (): Promise<boolean> => {
        const [one, ...others] = await idsOf(region.strasbourg, path);
        expect(others).to.deep.equal([]);
        expect(one).to.be.oneOf([idIn(older), idIn(made)]);
        expect(await idsOf(region.nancy, inNancy)).to.deep.equal([idIn(older)]);
        return one === idIn(older);
      };
      expect(await isJoined()).to.equal(true);
      // A number that the establishment does not qualify corrects nothing.
      const { identifier = [], ...known } = aPatient(strasbourg, 'W-45', wrong);
      const both = [...identifier, { system: 'urn:oid:1.3.182.4.4', value: '1979030512345' }];
      expect((await region.strasbourg.send('PUT', path, { ...known, identifier: both })).status).to.equal(200);
      expect(await isJoined()).to.equal(true);
      for (const [national, joins] of [
        [{ ...NATIONAL, value: '279036799900982' }, false],
        [wrong, true],
        [undefined, false],
        // What she is called contradicts: the number alone joins her with nobody.
        [PATIENTS.helene.national, false],
      ] as const) {
        const answer = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-45', national));
        expect(answer.status, answer.text).to.equal(200);
        expect(await isJoined()).to.equal(joins);
      }
      const [own] = await region.patient.find<Patient>('Patient');
      expect(own?.name?.[0]?.family).to.equal(PATIENTS.helene.familyName);
      expect(JSON.stringify(await region.patient.find('Patient'))).to.not.include('W-45');
    });

    it('lets a Patient take the qualified identifier by which another establishment knows her', async () => {
      const [path, inNancy] = [`Patient?${conditionOf(strasbourg, 'W-47')}`, `Patient?${conditionOf(nancy, 'W-48')}`];
      const [first, second] = ['279036799901180', '279036799901279'].map((value) => ({ ...NATIONAL, value }));
      const made = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-47', first));
      const theirs = await region.nancy.send('PUT', inNancy, aPatient(nancy, 'W-48', second));
      expect([made.status, theirs.status]).to.deep.equal([201, 201]);
      const taken = await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-47', second));
      expect(taken.status, taken.text).to.equal(200);
      expect(await idsOf(region.nancy, inNancy)).to.deep.equal([idIn(made)]);
      const numbers = (await region.nancy.findOne<Patient>(inNancy)).identifier?.map(({ value }) => value);
      expect(numbers).to.have.members([second?.value, 'W-48']);
    });

    it('refuses a Patient with two qualified identifiers of one system', async () => {
      const patient = aPatient(strasbourg, 'W-50', NATIONAL);
      const two = {
        ...patient,
        identifier: [...(patient.identifier ?? []), { ...NATIONAL, value: '279036799900586' }],
      };
      expectOutcome(
        await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-50')}`, two),
        400,
        'invalid',
      );
      const [own, current, former] = two.identifier;
      const one = { ...patient, identifier: [own, current, { ...former, use: 'old' }] };
      const marked = await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-50')}`, one);
      expect(marked.status, marked.text).to.equal(201);
    });
  });

  describe('Reports and transactions', () => {
    it('stores a report with its document once: the same again is 200, another content 409', async () => {
      const bundle = await buildReportBundle(
        aStudy({ key: 'write/report', patient: PATIENTS.gaetan }),
        reportTextOf('mr-head'),
      );
      const answer = await region.strasbourg.send('POST', '', bundle);
      expect(answer.status, answer.text).to.equal(200);
      const [, written] = answer.json<Bundle>().entry ?? [];
      expect(written?.response?.status).to.equal('201 Created');
      const report = (
        await region.strasbourg.get((written?.response?.location ?? '').replace(/\/_history.*/, ''))
      ).json<DiagnosticReport>();
      const documents = await region.strasbourg.find<DocumentReference>(
        `DocumentReference?related=DiagnosticReport/${report.id ?? ''}`,
      );
      expect(documents.map(({ content }) => content[0]?.attachment?.url)).to.deep.equal([
        report.presentedForm?.[0]?.url,
      ]);
      const before = await count(region.strasbourg, 'DiagnosticReport');
      const again = await region.strasbourg.send('POST', '', bundle);
      expect(again.status, again.text).to.equal(200);
      const statuses = again.json<Bundle>().entry?.map(({ response }) => [response?.status, response?.location]);
      expect(statuses?.[1]).to.deep.equal(['200 OK', written?.response?.location]);
      const [, entry] = bundle.entry ?? [];
      const other = {
        ...bundle,
        entry: [bundle.entry?.[0], { ...entry, resource: { ...entry?.resource, conclusion: 'Autre' } }],
      };
      const text = expectOutcome(await region.strasbourg.send('POST', '', other), 409, 'conflict');
      expect(text).to.include(`PUT DiagnosticReport/${report.id ?? ''}`);
      expect(await count(region.strasbourg, 'DiagnosticReport')).to.equal(before);
      expect(await count(region.strasbourg, `DocumentReference?related=DiagnosticReport/${report.id}`)).to.equal(1);
      const standing = await region.strasbourg.get(`DiagnosticReport/${report.id ?? ''}`);
      expect(standing.json()).to.deep.equal(report);
    });

    it('is atomic: one bad entry and nothing is stored, no file is left', async function atomic() {
      this.timeout(30_000);
      const alone = await startDemonstration();
      try {
        const [patient, report] =
          (await buildReportBundle(aStudy({ key: 'write/atomic', patient: PERSON_OF_TESTS }), reportTextOf('mr-head')))
            .entry ?? [];
        if (patient === undefined || report === undefined) throw new Error('The bundle lacks entries');
        const unknownSubject = {
          ...report,
          fullUrl: 'urn:uuid:0',
          resource: {
            ...(report.resource as DiagnosticReport),
            subject: { reference: 'Patient/nobody' },
            identifier: [{ system: 'urn:a', value: '2' }],
          },
        };
        expectOutcome(
          await alone.strasbourg.send('POST', '', transactionOf(patient, report, unknownSubject)),
          400,
          'invalid',
        );
        expect(await count(alone.strasbourg, 'Patient?family=Orb%C3%A9lian')).to.equal(0);
        expect(await count(alone.strasbourg, 'DiagnosticReport')).to.equal(2);
        await eventually(async () => ((await orphanFiles(alone.server.dataDir)).length === 0 ? true : undefined));
      } finally {
        await alone.server.stop();
      }
    });

    it('refuses other methods and types, and too many entries', async () => {
      const entry: BundleEntry = {
        resource: aPatient(strasbourg, 'W-60'),
        request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'W-60')}` },
      };
      const send = async (bundle: object): Promise<number> => (await region.strasbourg.send('POST', '', bundle)).status;
      expect(await send({ resourceType: 'Bundle', type: 'collection' })).to.equal(501);
      expect(await send(transactionOf({ request: { method: 'DELETE', url: 'Patient/1' } }))).to.equal(501);
      expect(await send(transactionOf({ ...entry, request: { method: 'POST', url: 'Consent' } }))).to.equal(400);
      expect(await send(transactionOf({ ...entry, request: { method: 'PUT', url: 'Patient' } }))).to.equal(400);
      expect(
        await send(
          transactionOf({
            resource: { resourceType: 'Organization', name: 'A' },
            request: { method: 'POST', url: 'Organization' },
          }),
        ),
      ).to.equal(501);
      for (const type of ['transaction', 'batch']) {
        const bundle = { ...transactionOf(...Array.from({ length: 201 }, () => entry)), type };
        expect(expectOutcome(await region.strasbourg.send('POST', '', bundle), 413, 'too-costly')).to.include('200');
      }
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'W-60')}`)).to.equal(0);
    });

    it('names one Patient once in a transaction', async () => {
      const entry: BundleEntry = {
        resource: aPatient(strasbourg, 'W-70'),
        request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'W-70')}` },
      };
      const answer = await region.strasbourg.send('POST', '', transactionOf(entry, entry));
      expectOutcome(answer, 400, 'invalid');
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'W-70')}`)).to.equal(0);
    });
  });
});

/** The id of the Patient that an answer to a feed names. */
function idIn({ headers }: FhirAnswer): string {
  return headers.get('location')?.split('/').at(-3) ?? '';
}

/** The ids of what a search finds. */
async function idsOf(caller: FhirCaller, path: string): Promise<readonly (string | undefined)[]> {
  return (await caller.find(path)).map(({ id }) => id);
}
