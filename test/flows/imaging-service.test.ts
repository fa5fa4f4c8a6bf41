/**
 * Radiologists see the record of a patient of whom their imaging service holds an exam; a mere identity opens nothing.
 */
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('Radiologists of an imaging service (access to the record)', function () {
  this.timeout(60_000);
  let server: TestServer;
  let radiologist: FhirCaller;
  before(async () => {
    server = await startServer();
    radiologist = await personCaller(server, 'demo-radiologist');
  });
  after(async () => await server?.stop());

  const noemie = { ...PATIENTS.noemie, localId: { nancy: 'NC-900100', strasbourg: '8000012347' } };
  const elsewhere = aStudy({ key: 'service/nancy', establishment: 'nancy', patient: noemie });
  const seen = async (): Promise<number> => (await radiologist.find(`ImagingStudy?${byStudyUid(elsewhere)}`)).length;

  it('is not opened by an establishment that feeds the patient’s identity alone', async () => {
    expect(new Set(await sendStudy(server, elsewhere))).to.deep.equal(new Set([0]));
    const nancy = await establishmentCaller(server, 'nancy');
    expect((await nancy.send('POST', '', await buildReportBundle(elsewhere, reportTextOf('mr-head')))).status).to.equal(
      200,
    );
    await eventually(async () => (await nancy.find(`ImagingStudy?${byStudyUid(elsewhere)}`))[0]);
    const strasbourg = await establishmentCaller(server, 'strasbourg');
    const { system, value } = patientIdentifier(noemie, ESTABLISHMENTS.strasbourg);
    const fed = await strasbourg.send(
      'PUT',
      `Patient?identifier=${system}|${value}`,
      toPatient(noemie, ESTABLISHMENTS.strasbourg),
    );
    expect(fed.status, fed.text).to.equal(201);
    expect(await seen()).to.equal(0);
    expect(await radiologist.find('Patient')).to.deep.equal([]);
  });

  it('is opened by an exam that the service holds of the patient', async () => {
    await sendStudy(server, aStudy({ key: 'service/strasbourg', patient: noemie }));
    await eventually(async () => ((await seen()) === 1 ? true : undefined));
  });
});
