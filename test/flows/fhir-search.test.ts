/** The language of FHIR search at the door: orders, alternatives, and what they must not tell. */
import type { AuditEvent, Bundle, ImagingStudy, Patient, Practitioner, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { normalizeString } from '../../profiles/search/values.ts';
import { eventsOf, eventually, expectOutcome, resourcesOf, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';

const STRICT = { prefer: 'handling=strict' };

/** The resources of all pages of a search, by their next links, and the number of each page. */
async function pagesOf<T extends Resource>(
  region: Demonstration,
  caller: FhirCaller,
  search: string,
): Promise<readonly (readonly T[])[]> {
  const pages: T[][] = [];
  for (let path: string | undefined = search; path !== undefined;) {
    const answer = await caller.get(path, STRICT);
    expect(answer.status, answer.text).to.equal(200);
    const bundle = answer.json<Bundle>();
    pages.push(resourcesOf<T>(bundle));
    const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    path = next?.slice(`${region.server.url}/fhir/`.length);
  }
  return pages;
}

/** The queries that the events of a caller's searches tell. */
async function queriesOf(caller: FhirCaller): Promise<string> {
  const events = await eventsOf(caller, 'search-type');
  const queries = events.flatMap(({ entity = [] }: AuditEvent) => entity.flatMap(({ query }) => query ?? []));
  return queries.map((query) => Buffer.from(query, 'base64').toString()).join('\n');
}

describe('FHIR search (FHIR R4 search.html)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    // The manifests of both studies follow a moment later.
    await eventually(async () => (await region.patient.find('DocumentReference')).at(3));
  });
  after(async () => await region?.server.stop());

  describe('_sort', () => {
    it('puts several keys in order, without letter case and accents, over all pages', async () => {
      const nameOf = ({ name }: Practitioner): string => normalizeString(name?.[0]?.family ?? '');
      for (const [sort, isReversed] of [
        ['family,-_id', false],
        ['-family,_id', true],
      ] as const) {
        const pages = await pagesOf<Practitioner>(region, region.stranger, `Practitioner?_sort=${sort}&_count=2`);
        expect(pages.map((page) => page.length)).to.deep.equal([2, 2, 2, 2]);
        const names = pages.flat().map(nameOf);
        const sorted = names.toSorted((a, b) => (a < b ? -1 : 1));
        expect(names).to.deep.equal(isReversed ? sorted.toReversed() : sorted);
        expect(new Set(pages.flat().map(({ id }) => id)).size).to.equal(8);
      }
    });

    it('gives the exams of a patient earliest first, latest first, and by another key before', async () => {
      const startedOf = async (sort: string) =>
        (await pagesOf<ImagingStudy>(region, region.patient, `ImagingStudy?_sort=${sort}&_count=1`))
          .flat()
          .map(({ started }) => started?.slice(0, 10));
      expect(await startedOf('started')).to.deep.equal(['2025-05-20', '2026-01-15']);
      expect(await startedOf('-started')).to.deep.equal(['2026-01-15', '2025-05-20']);
      expect(await startedOf('modality')).to.deep.equal(['2025-05-20', '2026-01-15']);
      expect(await startedOf('-modality,started')).to.deep.equal(['2026-01-15', '2025-05-20']);
      expect(await startedOf('status,started')).to.deep.equal(['2025-05-20', '2026-01-15']);
    });

    it('puts in order what the requester may see alone, and tells the patient of it', async () => {
      for (const sort of ['started', 'modality,-_lastUpdated']) {
        const stranger = await region.stranger.get(`ImagingStudy?_sort=${sort}&_total=accurate`, STRICT);
        expect([stranger.status, stranger.json<Bundle>().total]).to.deep.equal([200, 0]);
        const nancy = (await region.nancy.get(`ImagingStudy?_sort=${sort}`)).json<Bundle>();
        expect([nancy.total, nancy.entry?.length]).to.deep.equal([1, 1]);
      }
      await region.declared.get('ImagingStudy?_sort=modality,-_lastUpdated');
      expect(await queriesOf(region.patient)).to.include('ImagingStudy?_sort=modality%2C-_lastUpdated');
    });

    it('gives a page to whom its link was given, in its order alone', async () => {
      const bundle = (await region.patient.get('ImagingStudy?_sort=modality&_count=1')).json<Bundle>();
      const next = new URL(bundle.link?.find(({ relation }) => relation === 'next')?.url ?? '');
      const path = `ImagingStudy${next.search}`;
      expect((await region.patient.get(path)).json<Bundle>().entry).to.have.length(1);
      expectOutcome(await region.declared.get(path), 404, 'not-found');
      for (const sort of ['started', 'modality,status', '_lastUpdated'])
        expectOutcome(await region.patient.get(path.replace('_sort=modality', `_sort=${sort}`)), 404, 'not-found');
    });
  });

  describe('_has', () => {
    const idsOf = async (caller: FhirCaller, search: string) =>
      (await caller.find(search)).map(({ id }) => id).toSorted();

    it('finds patients by their exams, exams by their documents, and on from there', async () => {
      const { patients, strasbourg, patient, declared } = region;
      const helene = [patients.helene];
      expect(await idsOf(strasbourg, 'Patient?_has:ImagingStudy:patient:modality=MR')).to.deep.equal([patients.gaetan]);
      expect(await idsOf(patient, 'Patient?_has:ImagingStudy:patient:modality=CT,CR')).to.deep.equal(helene);
      const both = 'ImagingStudy?_has:DocumentReference:related:status=current';
      expect(await idsOf(declared, both)).to.deep.equal(await idsOf(declared, 'ImagingStudy'));
      expect(await idsOf(declared, `${both}&modality=CR`)).to.have.length(1);
      const nested = 'Patient?_has:ImagingStudy:patient:_has:DocumentReference:related:status=current';
      expect(await idsOf(patient, nested)).to.deep.equal(helene);
      expect(await idsOf(patient, nested.replace('current', 'superseded'))).to.deep.equal([]);
      // Those of a patient who has such an exam, whichever exam they are of.
      const reports = 'DiagnosticReport?subject:Patient._has:ImagingStudy:patient:modality=CR';
      expect(await idsOf(declared, reports)).to.have.length(2);
      expect(await idsOf(strasbourg, reports)).to.deep.equal([]);
    });

    it('is satisfied by nothing that the requester may not see', async () => {
      // The directory is open: what refers to it is not.
      const search = 'Organization?_has:DocumentReference:author:status=current';
      expect(await idsOf(region.patient, search)).to.not.have.length(0);
      expect(await idsOf(region.stranger, search)).to.deep.equal([]);
      expect(await idsOf(region.stranger, 'Endpoint?_has:ImagingStudy:endpoint:modality=CT')).to.deep.equal([]);
      expect(await idsOf(region.nancy, 'Patient?_has:ImagingStudy:patient:modality=CT')).to.deep.equal([]);
      const { total } = (
        await region.stranger.get('Patient?_has:ImagingStudy:patient:modality=CT&_total=accurate', STRICT)
      ).json<Bundle>();
      expect(total).to.equal(0);
    });

    it('needs the scope to search what it looks through, and is in the event of the patient', async () => {
      const narrow = await personCaller(region.server, 'demo-patient', {
        scope: 'openid fhirUser launch/patient patient/Patient.rs patient/ImagingStudy.r',
      });
      const refused = await narrow.get('Patient?_has:ImagingStudy:patient:modality=CT');
      expectOutcome(refused, 403, 'forbidden');
      expectOutcome(await narrow.get('Patient?_has:DiagnosticReport:subject:status=final'), 403, 'forbidden');
      await region.declared.get('ImagingStudy?_has:DocumentReference:related:status=current');
      expect(await queriesOf(region.patient)).to.include('_has%3ADocumentReference%3Arelated%3Astatus=current');
    });
  });

  describe('_revinclude', () => {
    const modesOf = (bundle: Bundle): string =>
      (bundle.entry ?? []).map(({ resource, search }) => `${resource?.resourceType} ${search?.mode}`).join(', ');

    it('brings the documents of exams, each with the event of its patient', async () => {
      const search = 'ImagingStudy?modality=CR&_revinclude=DocumentReference:related&_include=ImagingStudy:patient';
      const bundle = (await region.declared.get(search, STRICT)).json<Bundle>();
      expect(modesOf(bundle)).to.equal(
        'ImagingStudy match, Patient include, DocumentReference include, DocumentReference include',
      );
      expect(bundle.total).to.equal(1);
      // What comes beside an open directory is hers.
      const open = 'Organization?_revinclude=DocumentReference:author';
      await region.declared.get(open);
      expect(await queriesOf(region.patient)).to.include(open.replace(':', '%3A'));
    });

    it('brings nothing that the requester may not see, or that the scopes do not open', async () => {
      const all = 'Organization?_revinclude=DocumentReference:author';
      const types = (bundle: Bundle) => new Set(resourcesOf(bundle).map(({ resourceType }) => resourceType));
      expect([...types((await region.patient.get(all)).json<Bundle>())]).to.deep.equal([
        'Organization',
        'DocumentReference',
      ]);
      expect([...types((await region.stranger.get(all)).json<Bundle>())]).to.deep.equal(['Organization']);
      const narrow = await personCaller(region.server, 'demo-patient', {
        scope: 'openid fhirUser launch/patient patient/ImagingStudy.rs patient/DocumentReference.s',
      });
      const bundle = (await narrow.get('ImagingStudy?_revinclude=DocumentReference:related')).json<Bundle>();
      expect(modesOf(bundle)).to.equal('ImagingStudy match, ImagingStudy match');
    });

    it('is ignored, and said to be, where it is not served, and refused when strict', async () => {
      for (const revinclude of ['*', 'AuditEvent:entity', 'ImagingStudy:patient', 'DiagnosticReport:code']) {
        const search = `ImagingStudy?_revinclude=${revinclude}`;
        expectOutcome(await region.patient.get(search, STRICT), 400, 'invalid');
        const lenient = await region.patient.get(search);
        expect(modesOf(lenient.json<Bundle>()), revinclude).to.equal(
          'ImagingStudy match, ImagingStudy match, OperationOutcome outcome',
        );
      }
      expectOutcome(await region.patient.get('ImagingStudy?_revinclude:iterate=Task:focus', STRICT), 400, 'invalid');
    });
  });

  describe('_elements and _summary', () => {
    const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
    const study = async (search: string): Promise<ImagingStudy> => {
      const answer = await region.patient.get(`ImagingStudy?modality=CT&${search}`, STRICT);
      expect(answer.status, answer.text).to.equal(200);
      return resourcesOf<ImagingStudy>(answer.json<Bundle>())[0] ?? expect.fail('no study');
    };

    it('answer parts of resources that say so, with what must be there, and the whole otherwise', async () => {
      const whole = await study('');
      expect(whole.meta?.tag ?? []).to.not.deep.include(SUBSETTED);
      expect(await study('_summary=false')).to.deep.equal(whole);
      const meta = { ...whole.meta, tag: [...(whole.meta?.tag ?? []), SUBSETTED] };
      const { resourceType, id, status, subject, started, modality } = whole;
      expect(await study('_elements=started,modality')).to.deep.equal({
        resourceType,
        id,
        meta,
        status,
        subject,
        started,
        modality,
      });
      expect(await study('_summary=text')).to.deep.equal({ resourceType, id, meta, status, subject });
      expect(await study('_summary=data')).to.deep.equal({ ...whole, meta });
      const summary = await study('_summary=true');
      expect(summary.meta).to.deep.equal(meta);
      expect(summary.series?.length).to.equal(whole.series?.length);
      // Of the definition, a series is in summaries and the titles of its instances are not.
      const keysOf = (parts: readonly object[] = []) => [...new Set(parts.flatMap((part) => Object.keys(part)))];
      expect(keysOf(whole.series)).to.include.members(keysOf(summary.series));
      expect(keysOf(summary.series))
        .to.include.members(['uid', 'modality', 'numberOfInstances'])
        .and.not.include('instance');
    });

    it('hold for what comes beside a page as far as it has no elements of its own', async () => {
      const typesWithTag = async (search: string) =>
        resourcesOf(
          (
            await region.patient.get(`ImagingStudy?modality=CT&_include=ImagingStudy:patient&${search}`, STRICT)
          ).json<Bundle>(),
        )
          .filter(({ meta }) => meta?.tag?.some(({ code }) => code === 'SUBSETTED'))
          .map(({ resourceType }) => resourceType);
      expect(await typesWithTag('_elements=started')).to.deep.equal(['ImagingStudy']);
      expect(await typesWithTag('_summary=true')).to.deep.equal(['ImagingStudy', 'Patient']);
    });

    it('are ignored, and said to be, where they are not served, and refused when strict', async () => {
      for (const [search, ignored] of [
        ['_elements=colour', '_elements'],
        ['_elements=started,colour', '_elements'],
        ['_elements=started&_summary=true', '_summary'],
        ['_summary=text&_include=ImagingStudy:patient', '_include'],
        ['_summary=text&_revinclude=DocumentReference:related', '_revinclude'],
      ] as const) {
        expectOutcome(await region.patient.get(`ImagingStudy?${search}`, STRICT), 400, 'invalid');
        const lenient = await region.patient.get(`ImagingStudy?${search}`);
        expect(lenient.text, search).to.include(`Search parameter ${ignored} was ignored`);
        const self = lenient.json<Bundle>().link?.[0]?.url ?? '';
        expect(self.includes(ignored), self).to.equal(search === '_elements=started,colour');
      }
    });

    it('cannot be written back: what they lack would be lost', async () => {
      const { strasbourg } = region;
      const search = `Patient?_id=${region.patients.gaetan}`;
      const whole = await strasbourg.findOne<Patient>(search);
      const part = await strasbourg.findOne<Patient>(`${search}&_summary=data`);
      const message = expectOutcome(await strasbourg.send('PUT', `Patient/${part.id}`, part), 400, 'invalid');
      expect(message).to.include('SUBSETTED');
      const entry = [{ resource: part, request: { method: 'PUT', url: `Patient/${part.id}` } }];
      const sent = { resourceType: 'Bundle', type: 'transaction', entry };
      expect(expectOutcome(await strasbourg.send('POST', '', sent), 400, 'invalid')).to.include('SUBSETTED');
      expect(await strasbourg.findOne<Patient>(search)).to.deep.equal(whole);
    });

    it('tell nothing of what the requester may not see, and are in the event of the patient', async () => {
      for (const search of ['_elements=status', '_summary=true', '_summary=count']) {
        const { total, entry } = (await region.stranger.get(`ImagingStudy?${search}`, STRICT)).json<Bundle>();
        expect([total, entry], search).to.deep.equal([0, undefined]);
      }
      await region.declared.get('ImagingStudy?_elements=status');
      expect(await queriesOf(region.patient)).to.include('ImagingStudy?_elements=status');
    });
  });

  describe('_total', () => {
    it('is there but where none is asked for, with the rows and without', async () => {
      const totalOf = async (caller: FhirCaller, search: string) =>
        (await caller.get(`ImagingStudy?${search}`, STRICT)).json<Bundle>().total;
      for (const total of ['_total=estimate', '_total=accurate', '', '_summary=count', '_count=0&_total=accurate']) {
        expect(await totalOf(region.patient, total), total).to.equal(2);
        expect(await totalOf(region.stranger, total), total).to.equal(0);
      }
      expect(await totalOf(region.patient, '_total=none')).to.equal(undefined);
      expect(await totalOf(region.patient, '_total=none&_sort=modality')).to.equal(undefined);
      expectOutcome(await region.patient.get('ImagingStudy?_total=some'), 400, 'invalid');
    });
  });

  describe('alternatives', () => {
    it('are those of every kind of parameter, dates too; an escaped comma is part of a value', async () => {
      const count = async (search: string) =>
        (await region.patient.get(`ImagingStudy?${search}&_summary=count`, STRICT)).json<Bundle>().total;
      expect(await count('started=2026-01-15')).to.equal(1);
      expect(await count('started=2026-01-15,2025-05-20')).to.equal(2);
      expect(await count('started=lt2000,ge2026-01-15')).to.equal(1);
      expect(await count('_lastUpdated=lt2000,gt2001')).to.equal(2);
      expect(await count('modality=CR,XX')).to.equal(1);
      expect(await count('modality=CR%5C,XX')).to.equal(0);
      expect(await count(`patient=Patient/1,Patient/${region.patients.helene}`)).to.equal(
        await count(`patient=${region.patients.helene}`),
      );
      expect(await count('description=thorax%5C,,nothing')).to.equal(0);
    });
  });
});
