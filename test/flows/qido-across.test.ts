/**
 * Series and instances across studies, on a running server: what each requester finds, and who reads of it. Row D12 of
 * smart-security.md.
 */
import { expect } from 'chai';
import type { AuditEvent } from '@medplum/fhirtypes';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { establishmentCaller, personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import type { FhirCaller } from '../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';

for (const store of ['SQLite', 'MongoDB'] as const) {
  describe(`QIDO-RS across studies (PS3.18 10.6): ${store}`, function () {
    this.timeout(90_000);
    let region: Demonstration;
    let peer: MongoPeer | undefined;

    before(async function () {
      if (store === 'MongoDB' && whyNoMongoPeer() !== undefined) this.skip();
      peer = store === 'MongoDB' ? await startMongoPeer() : undefined;
      region = await startDemonstration(peer === undefined ? {} : { store: peer.freshUri() });
    });

    after(async () => {
      await region?.server.stop();
      await peer?.stop();
    });

    const ask = async ({ token }: FhirCaller, path: string): Promise<Response> =>
      await fetch(`${region.server.url}/dicom-web${path}`, {
        headers: { Authorization: `Bearer ${token}`, Accept: 'application/dicom+json' },
      });

    const matches = async (caller: FhirCaller, path: string): Promise<readonly DicomJson[]> => {
      const response = await ask(caller, path);
      expect(response.status, path).to.equal(200);
      return (await response.json()) as DicomJson[];
    };

    const valuesOf = (found: readonly DicomJson[], tag: string): unknown[] =>
      found.map((match) => match[tag]?.Value?.[0]);
    const modalities = async (caller: FhirCaller, path: string): Promise<unknown[]> =>
      valuesOf(await matches(caller, path), '00080060');

    it('shows the series of the studies that each requester sees, latest study first', async () => {
      expect(await modalities(region.strasbourg, '/series')).to.deep.equal(['MR', 'CT']);
      expect(await modalities(region.nancy, '/series')).to.deep.equal(['CR']);
      expect(await modalities(region.declared, '/series')).to.deep.equal(['CT', 'CR']);
      expect(await modalities(region.stranger, '/series')).to.deep.equal([]);
      expect(await modalities(region.strasbourg, '/series?limit=1&offset=1')).to.deep.equal(['CT']);
      expect(await matches(region.strasbourg, '/instances')).to.have.length(6);
      expect(await matches(region.declared, '/instances?limit=4&offset=1')).to.have.length(4);
      expect(await matches(region.stranger, '/instances')).to.deep.equal([]);
    });

    it('tells of the study, the patient and the series with each match', async () => {
      const { helene } = region.studies;
      const [series] = await matches(region.strasbourg, '/series?Modality=CT');
      expect(series).to.nested.include({
        '0020000D.Value[0]': helene.studyInstanceUID,
        '00080050.Value[0]': helene.accessionNumber,
        '00201208.Value[0]': 3,
        '00201209.Value[0]': 3,
      });
      expect(series?.['00100010']?.Value).to.deep.equal([{ Alphabetic: 'Valbrémont^Hélène' }]);
      expect(String(series?.['00081190']?.Value?.[0])).to.match(
        new RegExp(`^${region.server.url}/dicom-web/studies/${helene.studyInstanceUID}/series/[0-9.]+$`),
      );
      const [instance] = await matches(region.strasbourg, '/instances?Modality=CT&InstanceNumber=2');
      expect(instance).to.nested.include({
        '00080060.Value[0]': 'CT',
        '00200013.Value[0]': 2,
        '00080061.Value[0]': 'CT',
        '00083002.Value[0]': '1.2.840.10008.1.2',
      });
    });

    it('matches keys of all three levels', async () => {
      const { helene, heleneNancy, gaetan } = region.studies;
      const [first] = gaetan.instances();
      const cases: readonly (readonly [path: string, studies: readonly string[]])[] = [
        ['/series?PatientName=Valbr*', [helene.studyInstanceUID]],
        ['/series?StudyDate=20260101-20260131&Modality=CT', [helene.studyInstanceUID]],
        ['/series?Modality=CT,MR', [gaetan.studyInstanceUID, helene.studyInstanceUID]],
        ['/series?Modality=M*', [gaetan.studyInstanceUID]],
        ['/series?Modality=US', []],
        [`/series?SeriesInstanceUID=${first?.seriesInstanceUID}`, [gaetan.studyInstanceUID]],
        [
          `/series?StudyInstanceUID=${helene.studyInstanceUID}%5C${heleneNancy.studyInstanceUID}`,
          [helene.studyInstanceUID],
        ],
        [`/instances?SOPInstanceUID=${first?.sopInstanceUID}`, [gaetan.studyInstanceUID]],
        [`/instances?SOPInstanceUID=${first?.sopInstanceUID}&Modality=CT`, []],
        ['/instances?AccessionNumber=none', []],
      ];
      for (const [path, studies] of cases)
        expect(valuesOf(await matches(region.strasbourg, path), '0020000D'), path).to.deep.equal(studies);
      for (const path of ['/series?Rows=4', '/instances?SOPInstanceUID=x', '/series?InstanceNumber=1'])
        expect((await ask(region.strasbourg, path)).status, path).to.equal(400);
    });

    it('finds a hidden instance no more than one that does not exist', async () => {
      const [hidden] = region.studies.gaetan.instances();
      for (const query of [
        `SOPInstanceUID=${hidden?.sopInstanceUID}`,
        `SeriesInstanceUID=${hidden?.seriesInstanceUID}`,
      ]) {
        const level = query.startsWith('SOP') ? 'instances' : 'series';
        expect(await (await ask(region.nancy, `/${level}?${query}`)).text()).to.equal(
          await (await ask(region.nancy, `/${level}?${query}.9`)).text(),
        );
      }
    });

    it('is told once a request to the patients whose studies are shown, whatever is passed over', async () => {
      const patient = await personCaller(region.server, 'demo-patient');
      const queries = async (): Promise<readonly string[]> => {
        const events = await patient.find<AuditEvent>('AuditEvent?subtype=RAD-129&_count=100');
        return events.map(({ entity }) =>
          Buffer.from(entity?.find(({ query }) => query !== undefined)?.query ?? '', 'base64').toString(),
        );
      };
      await matches(region.strasbourg, '/series?Modality=CT&limit=5');
      await matches(region.strasbourg, '/instances?Modality=MR&limit=5');
      await matches(region.declared, '/studies?limit=1&offset=1');
      await matches(region.strasbourg, '/studies?limit=1&offset=0');
      const told = (await queries()).filter((query) => query.includes('limit'));
      expect(told.filter((query) => query === '/dicom-web/series?Modality=CT&limit=5')).to.have.length(1);
      expect(told.filter((query) => query.includes('Modality=MR'))).to.deep.equal([]);
      expect(told.filter((query) => query === 'limit=1&offset=1')).to.have.length(1);
      expect(told.filter((query) => query === 'limit=1&offset=0')).to.deep.equal([]);
    });

    it('needs the scope to search', async () => {
      const writer = await establishmentCaller(region.server, 'strasbourg', 'system/Patient.rs');
      for (const path of ['/series', '/instances', '/studies']) expect((await ask(writer, path)).status).to.equal(403);
    });
  });
}
