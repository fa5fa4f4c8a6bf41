/** Published FHIR clients as they are: what they read and search of the door, without a line of adaptation. */
import { MedplumClient } from '@medplum/core';
import type {
  Bundle,
  DiagnosticReport,
  DocumentReference,
  ImagingStudy,
  Patient,
  Resource,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { Client, type FhirResource, type SearchParams } from 'fhir-kit-client';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { oidUri } from '../../profiles/codes.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { resourcesOf } from '../support/clients/fhir-caller.ts';

const TYPES = ['Patient', 'ImagingStudy', 'DiagnosticReport', 'DocumentReference'] as const;
const EXTRA_PATIENTS = 7;

/** More Patients in Strasbourg, for pages. */
async function addPatients({ strasbourg }: Demonstration): Promise<void> {
  const { system } = patientIdentifier(PATIENTS.noemie, ESTABLISHMENTS.strasbourg);
  for (let number = 1; number <= EXTRA_PATIENTS; number += 1) {
    const value = `PAGE-${number}`;
    const patient: Patient = {
      ...toPatient(PATIENTS.noemie, ESTABLISHMENTS.strasbourg),
      identifier: [{ system, value }],
    };
    const answer = await strasbourg.send('PUT', `Patient?identifier=${system}|${value}`, patient);
    expect(answer.status, answer.text).to.equal(201);
  }
}

function asBundle(resource: FhirResource | undefined): Bundle {
  return resource as unknown as Bundle;
}

describe('Published FHIR clients, unmodified', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    await addPatients(region);
  });
  after(async () => await region?.server.stop());

  describe('fhir-kit-client at the FHIR door', () => {
    let client: Client;
    before(() => {
      client = new Client({ baseUrl: `${region.server.url}/fhir`, bearerToken: region.strasbourg.token });
    });

    async function search<T extends Resource>(resourceType: string, searchParams: SearchParams): Promise<T[]> {
      return resourcesOf<T>(asBundle(await client.search({ resourceType, searchParams })));
    }

    for (const type of TYPES) {
      it(`reads each ${type} that it finds, by read and by vread`, async () => {
        const found = await search<Resource>(type, {});
        expect(found).to.not.have.length(0);
        const { id = '', meta } = found[0] ?? {};
        const read = await client.read({ resourceType: type, id });
        expect(read).to.deep.include({ resourceType: type, id });
        const vread = await client.vread({ resourceType: type, id, version: meta?.versionId ?? '' });
        expect(JSON.parse(JSON.stringify(vread))).to.deep.equal(JSON.parse(JSON.stringify(read)));
      });
    }

    it('finds by _id, identifier, patient, started, status and _lastUpdated', async () => {
      const { helene } = region.studies;
      const identifier = `urn:dicom:uid|${oidUri(helene.studyInstanceUID)}`;
      const [study] = await search<ImagingStudy>('ImagingStudy', { identifier });
      const id = study?.id ?? '';
      const finds = async (searchParams: SearchParams): Promise<string[]> =>
        (await search('ImagingStudy', searchParams)).map((found) => found.id ?? '');
      expect(await finds({ _id: id })).to.deep.equal([id]);
      expect(await finds({ patient: region.patients.helene })).to.deep.equal([id]);
      expect(await finds({ patient: `Patient/${region.patients.helene}`, status: 'available' })).to.deep.equal([id]);
      expect(await finds({ patient: region.patients.helene, status: 'cancelled' })).to.deep.equal([]);
      expect(await finds({ started: 'lt2026-02-01' })).to.deep.equal([id]);
      expect(await finds({ started: ['ge2026-01-15', 'le2026-01-15'] })).to.deep.equal([id]);
      expect(await finds({ identifier, _lastUpdated: 'gt2020-01-01' })).to.deep.equal([id]);
      expect(await finds({ identifier, _lastUpdated: 'lt2020-01-01' })).to.deep.equal([]);
      expect(
        await finds({ 'patient.identifier': `${oidUri(ESTABLISHMENTS.strasbourg.patientIdDomain)}|8000012345` }),
      ).to.deep.equal([id]);
    });

    it('follows the next links to the end: every row once, no row twice', async () => {
      const all = await search<Patient>('Patient', { _count: 100 });
      expect(all).to.have.length(EXTRA_PATIENTS + 2);
      const seen: string[] = [];
      let page: Bundle | undefined = asBundle(
        await client.search({ resourceType: 'Patient', searchParams: { _count: 2 } }),
      );
      const totals = new Set<number | undefined>();
      for (let pages = 0; page !== undefined && pages < 20; pages += 1) {
        const rows = resourcesOf<Patient>(page);
        expect(rows.length).to.be.within(1, 2);
        seen.push(...rows.map(({ id }) => id ?? ''));
        totals.add(page.total);
        const next: Promise<FhirResource> | undefined = client.nextPage({ bundle: page as never });
        page = next === undefined ? undefined : asBundle(await next);
      }
      expect(seen).to.deep.equal(all.map(({ id }) => id));
      expect([...totals]).to.deep.equal([all.length]);
    });

    it('includes the Patient and the Endpoint of a study once each', async () => {
      const bundle = asBundle(
        await client.search({
          resourceType: 'ImagingStudy',
          searchParams: { _include: ['ImagingStudy:patient', 'ImagingStudy:endpoint'] },
        }),
      );
      const modes = Object.groupBy(bundle.entry ?? [], ({ search: how }) => how?.mode ?? 'none');
      expect(modes['match']?.map(({ resource }) => resource?.resourceType)).to.deep.equal([
        'ImagingStudy',
        'ImagingStudy',
      ]);
      expect(modes['include']?.map(({ resource }) => resource?.resourceType).sort()).to.deep.equal([
        'Endpoint',
        'Patient',
        'Patient',
      ]);
      expect(bundle.total).to.equal(2);
    });

    it('searches by POST as by GET', async () => {
      const options = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };
      const searchParams = { patient: region.patients.helene };
      const posted = asBundle(
        await client.resourceSearch({
          resourceType: 'DiagnosticReport',
          searchParams,
          options: { ...options, postSearch: true } as never,
        }),
      );
      const got = asBundle(await client.resourceSearch({ resourceType: 'DiagnosticReport', searchParams }));
      expect(resourcesOf(posted)).to.deep.equal(resourcesOf(got));
      expect(resourcesOf(posted)).to.have.length(1);
    });

    it('creates, updates, patches, deletes, and reads the history of what it did', async () => {
      const subject = { reference: `Patient/${region.patients.helene}` };
      const order = { resourceType: 'ServiceRequest', status: 'draft', intent: 'order', subject } as const;
      const options = { headers: { Prefer: 'return=representation' } };
      const created = await client.create({ resourceType: 'ServiceRequest', body: order, options });
      const id = String(created['id']);
      expect(id).to.not.equal('');
      const body = { ...order, id, status: 'active' };
      const updated = await client.update({ resourceType: 'ServiceRequest', id, body, options });
      expect(updated).to.deep.include({ id, status: 'active' });
      const jsonPatch = [{ op: 'replace' as const, path: '/status', value: 'completed' }];
      const patched = await client.patch({ resourceType: 'ServiceRequest', id, jsonPatch, options });
      expect(patched).to.deep.include({ id, status: 'completed' });
      await client.delete({ resourceType: 'ServiceRequest', id });
      const history = asBundle(await client.history({ resourceType: 'ServiceRequest', id }));
      expect(history.entry?.map(({ request }) => request?.method)).to.deep.equal(['DELETE', 'PUT', 'PUT', 'POST']);
      const gone = await client.read({ resourceType: 'ServiceRequest', id }).then(
        () => undefined,
        (error: unknown) => error as { response: { status: number } },
      );
      expect(gone?.response.status).to.equal(410);
    });

    it('posts a batch and a transaction', async () => {
      const url = `Patient/${region.patients.helene}`;
      const entry = [{ request: { method: 'GET', url } }];
      const batch = { resourceType: 'Bundle', type: 'batch', entry };
      const answered = asBundle((await client.batch({ body: batch as never })) as FhirResource);
      expect(answered.entry?.[0]?.resource?.id).to.equal(region.patients.helene);
      const transaction = { ...batch, type: 'transaction' };
      const done = asBundle((await client.transaction({ body: transaction as never })) as FhirResource);
      expect(done.entry?.[0]?.response?.status).to.equal('200 OK');
    });

    it('tells a hidden resource as absent', async () => {
      const [hidden] = await region.nancy.find<ImagingStudy>('ImagingStudy');
      const refusal = await client.read({ resourceType: 'ImagingStudy', id: hidden?.id ?? '' }).then(
        () => undefined,
        (error: unknown) => error as { response: { status: number; data: Resource } },
      );
      expect(refusal?.response.status).to.equal(404);
      expect(refusal?.response.data.resourceType).to.equal('OperationOutcome');
    });
  });

  describe('MedplumClient at the FHIR door', () => {
    let client: MedplumClient;
    before(() => {
      client = new MedplumClient({
        baseUrl: `${region.server.url}/`,
        fhirUrlPath: 'fhir',
        accessToken: region.declared.token,
        fetch,
        cacheTime: 0,
      });
    });

    it('reads and searches as the declared correspondent: the exams of both establishments', async () => {
      const studies = await client.searchResources('ImagingStudy');
      expect(studies.map(({ started }) => started?.slice(0, 10))).to.deep.equal(['2026-01-15', '2025-05-20']);
      for (const study of studies)
        expect(await client.readResource('ImagingStudy', study.id ?? '')).to.deep.equal(study);
      const reports: DiagnosticReport[] = await client.searchResources('DiagnosticReport', {
        patient: `Patient/${region.patients.helene}`,
      });
      expect(reports).to.have.length(2);
      const documents: DocumentReference[] = await client.searchResources(
        'DocumentReference',
        'status=current&_count=10',
      );
      expect(documents).to.have.length.greaterThan(1);
      const own = await client.readReference<Patient>({ reference: reports[0]?.subject?.reference ?? '' });
      expect(own.name?.[0]?.family).to.equal(PATIENTS.helene.familyName);
    });

    it('walks pages', async () => {
      const seen: string[] = [];
      for await (const page of client.searchResourcePages('ImagingStudy', { _count: '1' }))
        seen.push(...page.map(({ id }) => id ?? ''));
      const whole = await region.patient.find<ImagingStudy>('ImagingStudy');
      expect(seen)
        .to.deep.equal(whole.map(({ id }) => id))
        .and.have.length(2);
    });

    it('writes as the establishment: create, update, patch, history, batch, delete', async () => {
      const writer = new MedplumClient({
        baseUrl: `${region.server.url}/`,
        fhirUrlPath: 'fhir',
        accessToken: region.strasbourg.token,
        fetch,
        cacheTime: 0,
        defaultHeaders: { Prefer: 'return=representation' },
      });
      const order = await writer.createResource<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'draft',
        intent: 'order',
        subject: { reference: `Patient/${region.patients.helene}` },
      });
      const active = await writer.updateResource({ ...order, status: 'active' });
      expect([active.status, active.meta?.versionId]).to.deep.equal(['active', '2']);
      const id = order.id ?? '';
      const operation = { op: 'replace', path: '/status', value: 'completed' } as const;
      expect((await writer.patchResource('ServiceRequest', id, [operation])).status).to.equal('completed');
      const history = await writer.readHistory('ServiceRequest', id);
      expect(history.entry?.map(({ resource }) => resource?.status)).to.deep.equal(['completed', 'active', 'draft']);
      const entry = [{ request: { method: 'GET' as const, url: `ServiceRequest/${id}` } }];
      const batch = await writer.executeBatch({ resourceType: 'Bundle', type: 'batch', entry });
      expect(batch.entry?.[0]?.resource?.id).to.equal(id);
      await writer.deleteResource('ServiceRequest', id);
      expect(await writer.searchResources('ServiceRequest', { _id: id })).to.have.length(0);
    });

    it('gets the report itself through the link of its DocumentReference', async () => {
      const [report] = await client.searchResources('DiagnosticReport', { _count: '1' });
      const [form] = report?.presentedForm ?? [];
      const document = await client.download(form?.url ?? '');
      expect(document.type).to.equal('application/pdf');
      expect(document.size).to.equal(form?.size);
    });
  });
});
