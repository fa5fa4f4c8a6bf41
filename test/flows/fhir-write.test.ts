/** Writing at the FHIR door: identities, reports, transactions, and who may write what. */
import type { Bundle, BundleEntry, DiagnosticReport, DocumentReference, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { establishmentCaller, personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { orphanFiles } from '../support/orphan-files.ts';
import { eventsOf, eventually, expectOutcome, resourcesOf, type FhirCaller } from '../support/clients/fhir-caller.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const PERSON = {
  familyName: 'Orbélian',
  givenName: 'Ysaline',
  birthDate: '1979-03-05',
  gender: 'female',
  localId: { strasbourg: 'W-1', nancy: 'W-2' },
} as const;
const NATIONAL = { system: PATIENTS.helene.national.system, value: '279036799900491' };

/** A Patient of the tests; without `national` only its establishment knows who it is. */
function aPatient(
  establishment: typeof strasbourg | typeof nancy,
  number: string,
  national?: { readonly system: string; readonly value: string },
): Patient {
  const patient = toPatient(
    { ...PERSON, national: national ?? NATIONAL, localId: { [establishment.key]: number } },
    establishment,
  );
  return national === undefined ? { ...patient, identifier: (patient.identifier ?? []).slice(0, 1) } : patient;
}

function conditionOf(establishment: typeof strasbourg | typeof nancy, number: string): string {
  const { system } = patientIdentifier(PATIENTS.helene, establishment);
  return `identifier=${system}|${number}`;
}

function transactionOf(...entry: BundleEntry[]): Bundle {
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

async function count(caller: FhirCaller, path: string): Promise<number | undefined> {
  return (await caller.get(`${path}${path.includes('?') ? '&' : '?'}_summary=count`)).json<Bundle>().total;
}

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

    it('joins the Patients of two establishments by the qualified identifier: the person sees both', async () => {
      const first = await region.strasbourg.send(
        'PUT',
        `Patient?${conditionOf(strasbourg, 'W-20')}`,
        aPatient(strasbourg, 'W-20'),
      );
      const second = await region.nancy.send(
        'PUT',
        `Patient?${conditionOf(nancy, 'W-21')}`,
        aPatient(nancy, 'W-21', NATIONAL),
      );
      expect([first.status, second.status]).to.deep.equal([201, 201]);
      expect(await count(region.nancy, 'Patient?family=Orb%C3%A9lian')).to.equal(1);
      const third = await region.strasbourg.send(
        'PUT',
        `Patient?${conditionOf(strasbourg, 'W-20')}`,
        aPatient(strasbourg, 'W-20', NATIONAL),
      );
      expect(third.status).to.equal(200);
      // Each establishment goes on to see its own Patient alone.
      expect(await count(region.nancy, 'Patient?family=Orb%C3%A9lian')).to.equal(1);
      const consent = await region.strasbourg.send(
        'POST',
        'Consent',
        consentFor(third.headers.get('location')?.split('/').at(-3) ?? '', 'Practitioner/demo-stranger'),
      );
      expect(consent.status, consent.text).to.equal(201);
      const seen = await region.stranger.find<Patient>('Patient?family=Orb%C3%A9lian');
      expect(seen.map(({ managingOrganization }) => managingOrganization?.reference).sort()).to.deep.equal([
        nancy.organization,
        strasbourg.organization,
      ]);
    });

    it('shows a patient both of her Patients', async () => {
      const own = await region.patient.find<Patient>('Patient');
      expect(own.map(({ id }) => id).sort()).to.deep.equal(
        [region.patients.helene, region.patients.heleneNancy].sort(),
      );
    });

    it('creates conditionally by If-None-Exist: 201, then 200 of the same Patient', async () => {
      const headers = { 'if-none-exist': conditionOf(strasbourg, 'W-30') };
      const created = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30'), headers);
      const again = await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30'), headers);
      expect([created.status, again.status]).to.deep.equal([201, 200]);
      expect(again.headers.get('location')).to.equal(created.headers.get('location'));
      expectOutcome(await region.strasbourg.send('POST', 'Patient', aPatient(strasbourg, 'W-30')), 409, 'conflict');
    });

    it('refuses a condition that is not the own identifier, an identity of another issuer, and none', async () => {
      const patient = aPatient(strasbourg, 'W-40');
      expectOutcome(await region.strasbourg.send('PUT', 'Patient?family=Valbremont', patient), 501, 'not-supported');
      expectOutcome(await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-41')}`, patient), 501);
      expectOutcome(await region.strasbourg.send('PUT', 'Patient', patient), 501);
      expectOutcome(
        await region.nancy.send('PUT', `Patient?${conditionOf(strasbourg, 'W-40')}`, patient),
        400,
        'required',
      );
      const { identifier: _identifier, ...nobody } = patient;
      expectOutcome(await region.strasbourg.send('POST', 'Patient', nobody), 400, 'required');
    });

    it('does not join two persons by a corrected identifier, neither at once nor after leaving it out', async () => {
      const path = `Patient?${conditionOf(strasbourg, 'W-45')}`;
      const wrong = { ...NATIONAL, value: '279036799900895' };
      expect(
        (await region.nancy.send('PUT', `Patient?${conditionOf(nancy, 'W-46')}`, aPatient(nancy, 'W-46', wrong)))
          .status,
      ).to.equal(201);
      expect((await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-45', wrong))).status).to.equal(201);
      const heleneHers = aPatient(strasbourg, 'W-45', PATIENTS.helene.national);
      expectOutcome(await region.strasbourg.send('PUT', path, heleneHers), 409, 'conflict');
      expectOutcome(
        await region.strasbourg.send(
          'PUT',
          path,
          aPatient(strasbourg, 'W-45', { ...NATIONAL, value: '279036799900996' }),
        ),
        409,
        'conflict',
      );
      expect((await region.strasbourg.send('PUT', path, aPatient(strasbourg, 'W-45'))).status).to.equal(200);
      expectOutcome(await region.strasbourg.send('PUT', path, heleneHers), 409, 'conflict');
      expect(await count(region.patient, 'Patient')).to.equal(2);
    });

    it('refuses a Patient with two qualified identifiers of one system', async () => {
      const patient = aPatient(strasbourg, 'W-50', NATIONAL);
      const two = {
        ...patient,
        identifier: [...(patient.identifier ?? []), { ...NATIONAL, value: '279036799900592' }],
      };
      expectOutcome(
        await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, 'W-50')}`, two),
        400,
        'invalid',
      );
    });
  });

  describe('Reports and transactions', () => {
    it('stores a report with its document, once: the same identifier again is 409 and changes nothing', async () => {
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
      expectOutcome(await region.strasbourg.send('POST', '', bundle), 409, 'conflict');
      expect(await count(region.strasbourg, 'DiagnosticReport')).to.equal(before);
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

    it('refuses batches, other methods, unknown types and too many entries', async () => {
      const entry: BundleEntry = {
        resource: aPatient(strasbourg, 'W-60'),
        request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'W-60')}` },
      };
      const send = async (bundle: object): Promise<number> => (await region.strasbourg.send('POST', '', bundle)).status;
      expect(await send({ ...transactionOf(entry), type: 'batch' })).to.equal(501);
      expect(await send(transactionOf({ ...entry, request: { method: 'DELETE', url: 'Patient/1' } }))).to.equal(501);
      expect(await send(transactionOf({ ...entry, request: { method: 'POST', url: 'Consent' } }))).to.equal(400);
      expect(
        await send(
          transactionOf({
            resource: { resourceType: 'Organization', name: 'A' },
            request: { method: 'POST', url: 'Organization' },
          }),
        ),
      ).to.equal(501);
      expect(await send(transactionOf(...Array.from({ length: 201 }, () => entry)))).to.equal(403);
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'W-60')}`)).to.equal(0);
    });

    it('names one Patient once in a transaction', async () => {
      const entry: BundleEntry = {
        resource: aPatient(strasbourg, 'W-70'),
        request: { method: 'PUT', url: `Patient?${conditionOf(strasbourg, 'W-70')}` },
      };
      const answer = await region.strasbourg.send('POST', '', transactionOf(entry, entry));
      expect(answer.status, answer.text).to.be.oneOf([400, 409]);
      expect(await count(region.strasbourg, `Patient?${conditionOf(strasbourg, 'W-70')}`)).to.equal(0);
    });
  });

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

    it('C18 answers for a patient who is hidden as for one who does not exist', async () => {
      const hidden = await region.nancy.send(
        'POST',
        'Consent',
        consentFor(region.patients.gaetan, 'Practitioner/demo-stranger'),
      );
      const absent = await region.nancy.send('POST', 'Consent', consentFor('nobody', 'Practitioner/demo-stranger'));
      expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
    });

    it('C17 no item is moved to another patient: a report is for a patient of the establishment, and stays', async () => {
      const bundle = await buildReportBundle(
        aStudy({ key: 'write/moved', patient: PATIENTS.gaetan }),
        reportTextOf('mr-head'),
      );
      const report = bundle.entry?.[1]?.resource as DiagnosticReport;
      const foreign = { ...report, subject: { reference: `Patient/${region.patients.heleneNancy}` } };
      expectOutcome(await region.strasbourg.send('POST', 'DiagnosticReport', foreign), 400, 'invalid');
      const [standing] = await region.strasbourg.find<DiagnosticReport>('DiagnosticReport');
      const moved = { ...standing, subject: { reference: `Patient/${region.patients.gaetan}` } };
      expectOutcome(await region.strasbourg.send('PUT', `DiagnosticReport/${standing?.id ?? ''}`, moved), 405);
      expectOutcome(await region.strasbourg.send('PATCH', `DiagnosticReport/${standing?.id ?? ''}`, []), 405);
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

    it('hides the record from professionals at once and leaves it to the patient; $reconsent gives it back', async () => {
      const declared = await personCaller(region.server, 'demo-declared');
      const visible = await count(declared, 'ImagingStudy');
      expect(visible).to.equal(2);
      const answer = await region.nancy.send('POST', 'Patient/$withdraw', withdrawal(region.patients.heleneNancy));
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
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expect(await count(declared, 'ImagingStudy')).to.equal(visible);
    });
  });
});

const PERSON_OF_TESTS = {
  ...PERSON,
  national: { system: NATIONAL.system, value: '279036799900794' },
  localId: { strasbourg: 'W-99' },
};

function withdrawal(patient: string): object {
  return {
    resourceType: 'Parameters',
    parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }],
  };
}

function consentFor(patient: string, practitioner: string, purpose = 'TREAT'): object {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: '2026-01-20T10:00:00+01:00',
    policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal' }],
    provision: {
      type: 'permit',
      purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose }],
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: practitioner },
        },
      ],
    },
  };
}
