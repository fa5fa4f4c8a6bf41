/** A professional who is a patient of the region, too: the token of the one gives nothing of the other. */
import { expect } from 'chai';
import type { Patient } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, type DemoPatient } from '../../fixtures/people.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { signInFully } from '../../fixtures/sign-in.ts';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import { eventually, fhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { onEachStore } from './support/each-store.ts';

/** Dr Vaudrémont-Ciel, as a patient of Strasbourg. */
const HIMSELF: DemoPatient = {
  familyName: 'Vaudrémont-Ciel',
  givenName: 'Côme',
  birthDate: '1975-06-12',
  gender: 'male',
  national: { system: IDENTIFIER_SYSTEM.insNirTest, value: '175066799900193' },
  localId: { strasbourg: '8000099001' },
};

onEachStore('A professional’s token (identity.md 7)', {}, (running) => {
  it('carries nothing of the own record, whatever scopes were asked for', async () => {
    const { server } = running();
    const strasbourg = await establishmentCaller(server, 'strasbourg');
    const study = aStudy({ key: 'own/record', patient: HIMSELF, instances: 1 });
    expect(await sendStudy(server, study)).to.deep.equal([0]);
    const report = await strasbourg.send('POST', '', await buildReportBundle(study, reportTextOf('ct-thorax')));
    expect(report.status, report.text).to.equal(200);
    const { system, value } = patientIdentifier(HIMSELF, ESTABLISHMENTS.strasbourg);
    const himself = await strasbourg.findOne<Patient>(`Patient?identifier=${system}|${value}`);
    await eventually(async () => (await strasbourg.find('ImagingStudy'))[0]);
    const scope = 'openid fhirUser launch/patient patient/*.cruds user/*.cruds';
    const token = await signInFully({ url: server.url, person: 'demo-stranger', scope });
    expect(token).to.not.have.property('patient');
    expect(token.scope.split(' ')).to.not.include('launch/patient');
    expect(token.scope).to.not.include('patient/*');
    const caller = fhirCaller(server.url, token.access_token);
    for (const type of ['Patient', 'ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'Consent', 'AuditEvent'])
      expect(await caller.find(type), type).to.deep.equal([]);
    expect((await caller.get(`Patient/${himself.id}`)).status).to.equal(404);
    expect((await caller.send('POST', 'Patient/$withdraw')).status).to.equal(403);
  });
});
