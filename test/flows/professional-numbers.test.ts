/** One professional by either form of the number: RPPS, or 8 and RPPS (CI-SIS, PS_IdNat). */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiagnosticReport, Practitioner } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { changeResource, type EditedRegion } from '../support/region-file.ts';
import { findDocuments } from './support/doors/xds-doors.ts';
import { post, responseOf } from './support/soap.ts';
import { writeRegion } from './support/world.ts';
import { makeIssuer, securityHeader } from './support/xua.ts';

const RPPS = 'https://rpps.esante.gouv.fr';
const NATIONAL = 'urn:oid:1.2.250.1.71.4.2.1';
/** The directory gives RPPS of the first, the national identifier of the second; both sign in by the latter. */
const DECLARED = { id: 'demo-declared', rpps: '99700990031', given: { system: RPPS, value: '99700990031' } };
const STRANGER = { id: 'demo-stranger', rpps: '99700990049', given: { system: NATIONAL, value: '899700990049' } };

describe('The number of a professional, in either form', function () {
  this.timeout(60_000);
  const issuer = makeIssuer();
  let folder: string;
  let region: Demonstration;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-numbers-'));
    const path = await writeRegion(folder, issuer);
    const edited = JSON.parse(await readFile(path, 'utf8')) as EditedRegion;
    for (const { id, given } of [DECLARED, STRANGER])
      changeResource(edited, `Practitioner/${id}`, { identifier: [given] } as Partial<Practitioner>);
    await writeFile(path, JSON.stringify(edited));
    region = await startDemonstration({ env: { REGION: path } });
  });
  after(async () => {
    await region?.server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('signs in whom the provider names by the other one', async () => {
    expect(await region.declared.find('ImagingStudy')).to.have.length(2);
  });

  for (const { id, rpps } of [DECLARED, STRANGER])
    it(`finds ${id} by a search, alone, through a reference, and by what is not sought`, async () => {
      const idsOf = async (query: string): Promise<readonly (string | undefined)[]> =>
        (await region.stranger.find<Practitioner>(query)).map((found) => found.id);
      for (const number of [`${RPPS}|${rpps}`, `${NATIONAL}|8${rpps}`]) {
        expect(await idsOf(`Practitioner?identifier=${number}`), number).to.deep.equal([id]);
        expect(await idsOf(`Practitioner?identifier:not=${number}&_count=100`), number).to.not.include(id);
        const roles = await idsOf(`PractitionerRole?practitioner.identifier=${number}`);
        expect(roles, number).to.deep.equal([`${id}-role`]);
        expect(await idsOf(`PractitionerRole?practitioner:identifier=${number}`)).to.deep.equal(roles);
      }
      expect(await idsOf(`Practitioner?identifier=${NATIONAL}|${rpps}`), 'no form of it').to.deep.equal([]);
    });

  for (const number of ['99700990031', '899700990031'])
    it(`knows the bearer of an assertion that names ${number} (ITI-40)`, async () => {
      const asked = findDocuments({ patientNumber: 'nobody' });
      const header = securityHeader(issuer, region.server.url, number);
      const reply = await post({ url: region.server.url, token: '', requestId: 'urn:uuid:1' }, { ...asked, header });
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
    });

  it('knows who signed a report by the one that the directory does not give', async () => {
    const study = aStudy({ key: 'numbers/signed', patient: PATIENTS.helene });
    const [, entry] = (await buildReportBundle(study, reportTextOf('mr-head'))).entry ?? [];
    const report = entry?.resource as DiagnosticReport;
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
    const { resultsInterpreter: _, ...unsigned } = report;
    const sent = await region.strasbourg.send('POST', 'DiagnosticReport', {
      ...unsigned,
      meta: { security: [label] },
      subject: { reference: `Patient/${region.patients.helene}` },
      performer: [{ type: 'Practitioner', identifier: { system: RPPS, value: STRANGER.rpps } }],
    });
    expect(sent.status, sent.text).to.equal(201);
    const path = (sent.headers.get('location') ?? '').split('/fhir/')[1]?.replace(/\/_history.*/, '') ?? '';
    expect((await region.stranger.get(path)).status).to.equal(200);
    expect((await region.declared.get(path)).status).to.equal(404);
  });
});
