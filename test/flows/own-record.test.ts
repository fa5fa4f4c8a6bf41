/** A professional who is a patient of the region, too: her token and her desk give her nothing of her own record. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Patient, Resource } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, OFFICERS, type DemoPatient } from '../../fixtures/people.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { signInFully } from '../../fixtures/sign-in.ts';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import type { PractitionerRequester, Requester } from '../../server/access/requester.ts';
import { personKey } from '../../server/access/requester.ts';
import { refuseOwnMatter } from '../../server/flows/identity/own-matter.ts';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { eventually, fhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { EACH_STORE, type OpenedStore } from '../support/peers/each-store.ts';
import { errorOf } from '../support/faults.ts';
import { aPersonKey, aPlan, aPut, NOW } from '../support/plans.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { commitPlan } from '../support/warrants.ts';

/** Dr Vaudrémont-Ciel, as a patient of Strasbourg. */
const HIMSELF: DemoPatient = {
  familyName: 'Vaudrémont-Ciel',
  givenName: 'Côme',
  birthDate: '1975-06-12',
  gender: 'male',
  national: { system: IDENTIFIER_SYSTEM.insNirTest, value: '175066799900193' },
  localId: { strasbourg: '8000099001' },
};

for (const { name, missing, open } of EACH_STORE) {
  describe(`A professional’s token (identity.md 7): ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let server: TestServer;
    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      server = await startServer({ store: opened.store });
    });
    after(async () => {
      await server?.stop();
      await opened?.close();
    });

    it('carries nothing of the own record, whatever scopes were asked for', async () => {
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
}

describe('A decision at a desk (identity.md 7)', () => {
  const { login, name, organization, office } = OFFICERS.strasbourgDesk;
  const [given = '', family = ''] = name.split(' ');
  const desk: PractitionerRequester = {
    kind: 'practitioner',
    practitioner: `Practitioner/${login}`,
    roles: [{ organization, radiologist: false, offices: [office] }],
    clientId: 'demo-app',
    scopes: [],
    purpose: 'TREAT',
    display: name,
  };

  it('is refused about oneself and whom one represents, and left to colleagues about homonyms', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-desk-'));
    const stores = await openSqliteStores({ dataDir });
    try {
      const [herself, child, other] = [aPersonKey(), aPersonKey(), aPersonKey()];
      const row = (type: 'Patient' | 'RelatedPerson' | 'Practitioner', resource: object, person?: string) =>
        aPut({
          type,
          id: person === undefined ? login : `${type}-${person}`.slice(0, 64),
          resource: { resourceType: type, ...resource } as Resource,
          ...(person === undefined ? {} : { person: personKey(person) }),
        });
      const named = { name: [{ family, given: [given] }] };
      const puts = [
        row('Practitioner', named),
        row('Patient', { ...named, birthDate: '1980-01-01' }, herself),
        row('Patient', { name: [{ family, given: ['Zoé'] }] }, child),
        row('RelatedPerson', { ...named, patient: { reference: 'Patient/x' } }, child),
        row('Patient', { name: [{ family: 'Autre', given: [given] }] }, other),
      ];
      await commitPlan(stores.records, aPlan({ puts }));
      const refuse = refuseOwnMatter({ records: stores.records, clock: { now: () => NOW } });
      for (const persons of [[herself], [child], [other, child]])
        expect(await errorOf(refuse(desk, persons))).to.include({ kind: 'forbidden' });
      await refuse(desk, [other]);
      await refuse({ ...desk, kind: 'establishment', organization } as unknown as Requester, [herself]);
      expect(await errorOf(refuse({ ...desk, practitioner: 'Practitioner/gone' }, [other]))).to.include({
        kind: 'forbidden',
      });
    } finally {
      await stores.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
