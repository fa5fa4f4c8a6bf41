/** Break-glass as a professional, the patient and everybody else meet it. Row M08 of smart-security.md, too. */
import type { Bundle, Communication, Consent, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { chainedBodies } from '../support/data-folder/chained-bodies.ts';
import { storedRows } from '../support/data-folder/stored-rows.ts';
import { establishmentCaller, personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { comparable, count, declare, emergency, JUSTIFICATION, UNKNOWN } from './support/emergencies.ts';
import { eventsOf, expectOutcome, type FhirAnswer } from '../support/clients/fhir-caller.ts';

const DECLARED_BY = 'Dr Côme Vaudrémont-Ciel';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

/** The events of refused emergencies, as they are chained. */
function refusals(dataDir: string): string[] {
  return chainedBodies(dataDir, '110127').filter((body) => body.includes('"outcome":"4"'));
}

describe('Break-glass (Patient/$break-glass)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    for (const code of ['V', 'R']) await publishLabelled(region, code);
  });
  after(async () => await region?.server.stop());

  it('F01 needs a justification of 15 characters, a reason of the list, and each parameter once', async () => {
    for (const justification of ['', '   ', 'trop court', ' '.repeat(40)])
      expectOutcome(await declare(region.stranger, { justification }), 400);
    expectOutcome(await declare(region.stranger, { justification: 'x'.repeat(2001) }), 400);
    for (const justification of [
      '.'.repeat(15),
      'aaaaaaaaaaaaaaaaaaaa',
      'coma grave 112233445566',
      'a b c d e f g h i j k',
    ])
      expectOutcome(await declare(region.stranger, { justification }), 400, 'invalid');
    expectOutcome(await declare(region.stranger, { reason: 'HRESCH' }), 400, 'invalid');
    for (const left of [0, 1, 2]) {
      const { parameter, ...rest } = emergency() as { parameter: object[] };
      expectOutcome(
        await region.stranger.send('POST', 'Patient/$break-glass', {
          ...rest,
          parameter: parameter.toSpliced(left, 1),
        }),
        400,
        'required',
      );
      expectOutcome(
        await region.stranger.send('POST', 'Patient/$break-glass', {
          ...rest,
          parameter: [...parameter, parameter[left]],
        }),
        400,
        'invalid',
      );
    }
    expect(await count(region.stranger, 'ImagingStudy')).to.equal(0);
  });

  it('F02 is for professionals: patients and establishments are refused', async () => {
    expectOutcome(await declare(region.patient), 403, 'forbidden');
    expectOutcome(await declare(region.strasbourg), 403, 'forbidden');
    const narrow = await personCaller(region.server, 'demo-stranger', {
      scope: 'openid fhirUser user/ImagingStudy.rs',
    });
    expectOutcome(await declare(narrow), 403, 'forbidden');
  });

  it('F03 needs a sign-in of the last five minutes: 401 insufficient_user_authentication (RFC 9470)', async () => {
    const old = await personCaller(region.server, 'demo-stranger', { authTime: Math.floor(Date.now() / 1000) - 600 });
    const answer = await declare(old);
    expectOutcome(answer, 401, 'login');
    expect(answer.headers.get('www-authenticate')).to.equal(
      'Bearer error="insufficient_user_authentication", max_age="300"',
    );
    expect(await count(old, 'ImagingStudy')).to.equal(0);
  });

  it('F06 answers for a patient who is not known as for one who is', async () => {
    const unknown = await declare(region.stranger, { identifier: UNKNOWN });
    expect(unknown.status, unknown.text).to.equal(201);
    const other = await personCaller(region.server, 'demo-declared');
    const known = await declare(other);
    expect(comparable(unknown)).to.equal(comparable(known));
    expect(await count(region.stranger, 'ImagingStudy')).to.equal(0);
  });

  it('F09 a purpose alone gives nothing: without an open emergency everything stays hidden', async () => {
    expect([
      await count(region.stranger, 'Patient'),
      await count(region.stranger, 'ImagingStudy'),
      await count(region.stranger, 'DocumentReference'),
    ]).to.deep.equal([0, 0, 0]);
  });

  describe('once opened', () => {
    let opened: FhirAnswer;
    before(async () => {
      opened = await declare(region.stranger);
      expect(opened.status, opened.text).to.equal(201);
    });

    it('shows the normal exams of the patient at once, those of all establishments, and nobody else’s', async () => {
      const studies = await region.stranger.find<ImagingStudy>('ImagingStudy');
      expect(studies.map(({ started }) => started?.slice(0, 10))).to.deep.equal(['2026-01-15', '2025-05-20']);
      expect(await count(region.stranger, 'Patient')).to.equal(1);
      const reports = await region.stranger.find<DiagnosticReport>('DiagnosticReport');
      expect(reports).to.have.length(2);
      const document = reports[0]?.presentedForm?.[0]?.url ?? '';
      expect(
        (await fetch(document, { headers: { authorization: `Bearer ${region.stranger.token}` } })).status,
      ).to.equal(200);
    });

    it('F04 leaves R and V items hidden', async () => {
      const all = await region.patient.find<DiagnosticReport>('DiagnosticReport');
      const labelled = all.filter(({ meta }) => meta?.security !== undefined);
      expect(labelled.map(({ meta }) => meta?.security?.[0]?.code).sort()).to.deep.equal(['R', 'V']);
      for (const { id = '' } of labelled)
        expectOutcome(await region.stranger.get(`DiagnosticReport/${id}`), 404, 'not-found');
    });

    it('F07 tells the patient: the event, the notice, the Consent that later events cite', async () => {
      const [start] = await eventsOf(region.patient, '110127');
      expect(start?.type.code).to.equal('110113');
      expect(JSON.stringify(start?.agent)).to.include('Practitioner/demo-stranger').and.include('BTG');
      const [notice] = await region.patient.find<Communication>('Communication');
      expect(notice?.sender).to.deep.equal({ reference: 'Practitioner/demo-stranger', display: DECLARED_BY });
      expect(notice?.payload?.[0]?.contentString).to.match(new RegExp(`^${DECLARED_BY} a déclaré une urgence`));
      const consentReference = notice?.about?.[0]?.reference ?? '';
      expect(JSON.stringify(start?.entity)).to.include(consentReference);
      expect(JSON.stringify(notice)).to.not.include(JUSTIFICATION).and.not.include(PATIENTS.helene.familyName);
      const consent = (await region.patient.get(consentReference)).json<Consent>();
      const { start: from = '', end = '' } = consent.provision?.period ?? {};
      expect(Date.parse(end) - Date.parse(from)).to.equal(4 * 3_600_000);
      expect(consent.provision?.actor?.[0]?.reference.reference).to.equal('Practitioner/demo-stranger');
      await region.stranger.get(`Patient/${region.patients.helene}`);
      const read = (await eventsOf(region.patient, 'read')).find(({ agent }) =>
        JSON.stringify(agent).includes('demo-stranger'),
      );
      expect(JSON.stringify(read?.entity)).to.include(consentReference);
    });

    it('F07 keeps a review task with the justification, which neither professional nor patient reads', async () => {
      const reference =
        opened.json<{ parameter: { valueReference: { reference: string } }[] }>().parameter[0]?.valueReference
          .reference ?? '';
      expect(opened.headers.get('location')).to.equal(`${region.server.url}/fhir/${reference}`);
      const task = storedRows(region.server.dataDir, 'Task').find(({ id }) => `Task/${String(id)}` === reference);
      expect(task).to.deep.include({
        status: 'requested',
        description: JUSTIFICATION,
        requester: { reference: 'Practitioner/demo-stranger' },
      });
      for (const caller of [region.stranger, region.patient, region.strasbourg])
        expectOutcome(await caller.get(reference), 404, 'not-found');
    });

    it('is his alone: another professional, and another patient of his, see nothing by it', async () => {
      const answer = await declare(region.stranger, { identifier: PATIENTS.gaetan.national });
      expect(answer.status, answer.text).to.equal(201);
      expect(await count(region.stranger, `ImagingStudy?patient=${region.patients.gaetan}`)).to.equal(1);
      const other = await personCaller(region.server, 'demo-declared');
      expectOutcome(await other.get(`Patient/${region.patients.gaetan}`), 404, 'not-found');
      expect(await count(other, `ImagingStudy?patient=${region.patients.gaetan}`)).to.equal(0);
    });

    it('has no effect on a patient who has withdrawn, opened before or after', async () => {
      const ofHelene = `patient=${region.patients.helene}`;
      const visible = async (): Promise<unknown[]> => [
        await count(region.stranger, `ImagingStudy?${ofHelene}`),
        await count(region.stranger, 'Patient?family=Valbr%C3%A9mont'),
      ];
      expect(await visible()).to.deep.equal([2, 1]);
      const withdrawn = await region.patient.send('POST', 'Patient/$withdraw');
      expect(withdrawn.status, withdrawn.text).to.equal(201);
      expect(await visible()).to.deep.equal([0, 0]);
      const again = await declare(region.stranger);
      expect(comparable(again)).to.equal(comparable(opened));
      expect(await visible()).to.deep.equal([0, 0]);
      const [notice] = await region.patient.find<Communication>('Communication');
      expect(notice?.about, 'the notice of an emergency that opened nothing').to.equal(undefined);
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expect(await visible(), 'revived by neither').to.deep.equal([0, 0]);
      const ends = await eventsOf(region.patient, '110138');
      expect(ends, 'of the stranger and of the one before').to.have.length(2);
      for (const { entity } of ends) expect(JSON.stringify(entity)).to.include('Consent/');
    });
  });

  it('records refusals with their cause, and tells the patient nothing of them', async () => {
    const before = refusals(region.server.dataDir).length;
    await declare(region.stranger, { justification: 'court' });
    const after = refusals(region.server.dataDir);
    expect(after).to.have.length(before + 1);
    expect(after.join()).to.not.include('court');
    expect((await region.patient.get('AuditEvent?subtype=110127&outcome=4')).json<Bundle>().total).to.equal(0);
  });

  it('is not for establishments’ clients, whatever their scope', async () => {
    const client = await establishmentCaller(region.server, 'nancy', 'system/*.cruds');
    expectOutcome(await declare(client), 403, 'forbidden');
  });
});

/** A report of Hélène that is more confidential than others. */
async function publishLabelled({ strasbourg, patients }: Demonstration, code: string): Promise<void> {
  const bundle = await buildReportBundle(
    aStudy({ key: `break-glass/${code}`, patient: PATIENTS.helene }),
    reportTextOf('mr-head'),
  );
  const report = bundle.entry?.[1]?.resource as DiagnosticReport;
  const labelled = {
    ...report,
    meta: { security: [{ system: CONFIDENTIALITY, code }] },
    subject: { reference: `Patient/${patients.helene}` },
  };
  const answer = await strasbourg.send('POST', 'DiagnosticReport', labelled);
  expect(answer.status, answer.text).to.equal(201);
}
