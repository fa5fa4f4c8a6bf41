/** Reading at the FHIR door: versions, caching, what is hidden, preferences and formats. */
import { hash } from 'node:crypto';
import type { AuditEvent, Binary, Bundle, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { byStudyUid, personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventsOf, expectOutcome, fhirCaller, type FhirAnswer } from '../support/clients/fhir-caller.ts';

const RANDOM = '5f0c5bd6-0d3c-4a39-8d6b-0a9d8a5f1f00';
/** Headers that differ between two answers to the same request. */
const OF_ONE_ANSWER = ['date', 'x-request-id', 'keep-alive'];

function comparable({ status, headers, text }: FhirAnswer, id: string): unknown {
  const kept = [...headers].filter(([name]) => !OF_ONE_ANSWER.includes(name));
  return { status, headers: kept, text: text.replaceAll(id, 'ID') };
}

describe('FHIR read and vread (FHIR R4 http.html#read)', () => {
  let region: Demonstration;
  let study: ImagingStudy & { id: string };
  let report: DiagnosticReport & { id: string };
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    study = await region.strasbourg.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(region.studies.helene)}`);
    report = await region.strasbourg.findOne<DiagnosticReport>(`DiagnosticReport?patient=${region.patients.helene}`);
  });
  after(async () => await region?.server.stop());

  it('answers the resource with its ETag and date, for the requester alone', async () => {
    const answer = await region.patient.get(`ImagingStudy/${study.id}`);
    expect(answer.status).to.equal(200);
    expect(answer.json()).to.deep.equal(study);
    expect(answer.headers.get('etag')).to.equal(`W/"${study.meta?.versionId ?? ''}"`);
    expect(Date.parse(answer.headers.get('last-modified') ?? '')).to.equal(
      Math.floor(Date.parse(study.meta?.lastUpdated ?? '') / 1000) * 1000,
    );
    expect(answer.headers.get('cache-control')).to.equal('private, no-store');
    expect(answer.headers.get('vary')).to.include('Authorization').and.include('Accept');
  });

  it('answers 304 to If-None-Match of the present version, 200 to that of another', async () => {
    const tag = `W/"${study.meta?.versionId ?? ''}"`;
    const same = await region.patient.get(`ImagingStudy/${study.id}`, { 'if-none-match': tag });
    expect([same.status, same.text, same.headers.get('etag')]).to.deep.equal([304, '', tag]);
    expect(
      (await region.patient.get(`ImagingStudy/${study.id}`, { 'if-none-match': `W/"0", ${tag}` })).status,
    ).to.equal(304);
    expect((await region.patient.get(`ImagingStudy/${study.id}`, { 'if-none-match': 'W/"99"' })).status).to.equal(200);
  });

  it('gives former versions by vread, and 404 for one that never was', async () => {
    const present = Number(study.meta?.versionId);
    for (let version = 1; version <= present; version += 1) {
      const answer = await region.patient.get(`ImagingStudy/${study.id}/_history/${version}`);
      expect(answer.status).to.equal(200);
      expect(answer.json<ImagingStudy>().meta?.versionId).to.equal(String(version));
      expect(answer.headers.get('etag')).to.equal(`W/"${version}"`);
    }
    for (const version of [present + 1, 0, -1, '1e9', 'x', '99999999999']) {
      expectOutcome(await region.patient.get(`ImagingStudy/${study.id}/_history/${version}`), 404, 'not-found');
    }
  });

  it('D01 answers what is hidden as what does not exist: status, headers and body', async () => {
    const binary = report.presentedForm?.[0]?.url?.split('/').at(-1) ?? '';
    const hidden: [string, string][] = [
      ['ImagingStudy', study.id],
      ['DiagnosticReport', report.id],
      ['Patient', region.patients.helene],
      ['Binary', binary],
    ];
    for (const [type, id] of hidden) {
      const seen = await region.stranger.get(`${type}/${id}`);
      expectOutcome(seen, 404, 'not-found');
      expect(comparable(seen, id)).to.deep.equal(comparable(await region.stranger.get(`${type}/${RANDOM}`), RANDOM));
      const vread = await region.stranger.get(`${type}/${id}/_history/1`);
      expect(comparable(vread, id)).to.deep.equal(
        comparable(await region.stranger.get(`${type}/${RANDOM}/_history/1`), RANDOM),
      );
    }
  });

  it('D07 decides before it compares ETags: 404, not 304', async () => {
    expectOutcome(
      await region.stranger.get(`ImagingStudy/${study.id}`, { 'if-none-match': `W/"${study.meta?.versionId ?? ''}"` }),
      404,
      'not-found',
    );
  });

  it('D02, D05 counts and includes only what is visible', async () => {
    const count = async (caller: typeof region.patient, path: string): Promise<unknown> => {
      const { total, entry } = (await caller.get(path)).json<Bundle>();
      return [total, entry];
    };
    expect(await count(region.patient, 'ImagingStudy?_summary=count')).to.deep.equal([2, undefined]);
    expect(await count(region.strasbourg, 'ImagingStudy?_summary=count')).to.deep.equal([2, undefined]);
    expect(await count(region.nancy, 'ImagingStudy?_summary=count&_total=accurate')).to.deep.equal([1, undefined]);
    expect(await count(region.stranger, 'ImagingStudy?_summary=count&_total=accurate')).to.deep.equal([0, undefined]);
    expect(await count(region.stranger, `ImagingStudy?patient=${region.patients.helene}`)).to.deep.equal([
      0,
      undefined,
    ]);
    expect(await count(region.stranger, `ImagingStudy?patient=${RANDOM}`)).to.deep.equal([0, undefined]);
    expect(await count(region.stranger, 'ImagingStudy?patient.family=Valbr%C3%A9mont')).to.deep.equal([0, undefined]);
  });

  it('D03, D10 refuses what would tell of hidden rows by inference', async () => {
    for (const search of ['_has:ImagingStudy:patient:colour=CT', '_filter=name eq a', '_text=a']) {
      const answer = await region.stranger.get(`Patient?${search}`);
      expect(answer.status, search).to.be.oneOf([400, 501]);
    }
  });

  it('D06 gives a page only to whom its link was given', async () => {
    const first = (await region.patient.get('ImagingStudy?_count=1')).json<Bundle>();
    const next = first.link?.find(({ relation }) => relation === 'next')?.url ?? '';
    const path = next.slice(`${region.server.url}/fhir/`.length);
    expect((await region.patient.get(path)).json<Bundle>().entry).to.have.length(1);
    expectOutcome(await region.declared.get(path), 404, 'not-found');
    expectOutcome(await region.patient.get('ImagingStudy?_cursor=nonsense'), 404, 'not-found');
  });

  it('refuses unknown parameters when handling is strict, and reports them when it is not', async () => {
    expectOutcome(await region.patient.get('ImagingStudy?nothing=1', { prefer: 'handling=strict' }), 400, 'invalid');
    const lenient = (await region.patient.get('ImagingStudy?nothing=1', { prefer: 'handling=lenient' })).json<Bundle>();
    expect(lenient.entry?.map(({ search }) => search?.mode)).to.deep.equal(['match', 'match', 'outcome']);
    expect(lenient.total).to.equal(2);
  });

  it('answers JSON only: XML by _format or Accept is 406', async () => {
    for (const path of [`ImagingStudy/${study.id}`, 'ImagingStudy']) {
      expectOutcome(await region.patient.get(`${path}?_format=xml`), 406, 'not-supported');
      expectOutcome(await region.patient.get(`${path}?_format=application/fhir%2Bxml`), 406);
      expectOutcome(await region.patient.get(path, { accept: 'application/fhir+xml' }), 406, 'not-supported');
      for (const accept of [
        'application/fhir+json',
        'application/json',
        '*/*',
        'application/fhir+xml;q=0.1, application/fhir+json',
      ]) {
        expect((await region.patient.get(path, { accept })).status, accept).to.equal(200);
      }
      expect((await region.patient.get(`${path}?_format=json`, { accept: 'text/html' })).status).to.equal(200);
    }
  });

  it('ITI-68 gives a Binary as the document itself, and as FHIR JSON when that is asked for', async () => {
    const [form] = report.presentedForm ?? [];
    const url = form?.url ?? '';
    const authorization = `Bearer ${region.patient.token}`;
    const raw = await fetch(url, { headers: { authorization } });
    const bytes = Buffer.from(await raw.arrayBuffer());
    expect(raw.headers.get('content-type')).to.equal('application/pdf');
    expect(bytes.subarray(0, 5).toString()).to.equal('%PDF-');
    expect(bytes.length).to.equal(form?.size);
    expect(raw.headers.get('content-disposition')).to.equal('attachment');
    expect(raw.headers.get('content-security-policy')).to.equal("default-src 'none'; sandbox");
    expect(raw.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(raw.headers.get('cache-control')).to.equal('private, no-store');
    const json = await region.patient.get(`Binary/${url.split('/').at(-1) ?? ''}`, { accept: 'application/fhir+json' });
    const binary = json.json<Binary>();
    expect(binary.contentType).to.equal('application/pdf');
    expect(Buffer.from(binary.data ?? '', 'base64').equals(bytes)).to.equal(true);
    expect((await fetch(url, { headers: { authorization, accept: 'text/html' } })).status).to.equal(406);
    expect((await fetch(url)).status).to.equal(401);
  });

  it('names in the event whence the request came and by which token, without telling it (IHE BALP, IUA)', async () => {
    await region.declared.get(`ImagingStudy/${study.id}`);
    const [latest] = await eventsOf(region.patient, 'read');
    const digest = hash('sha256', region.declared.token, 'base64url');
    expect(latest?.agent[0]?.network).to.deep.equal({ address: '127.0.0.1', type: '2' });
    expect(latest?.agent.flatMap(({ policy = [] }) => policy)).to.deep.equal([`urn:ietf:params:oauth:jti:${digest}`]);
    expect(JSON.stringify(latest)).to.not.include(region.declared.token);
  });

  it('records each read for the patient: who, which exam, under which Consent; a 404 tells of no patient', async () => {
    await region.declared.get(`ImagingStudy/${study.id}`);
    const events = await eventsOf(region.patient, 'read');
    const mine = events.find(
      (event) =>
        JSON.stringify(event.agent).includes('Practitioner/demo-declared') &&
        JSON.stringify(event.entity).includes(`ImagingStudy/${study.id}`),
    );
    expect(mine?.outcome).to.equal('0');
    expect(JSON.stringify(mine?.entity)).to.include('Consent/');
    expect(JSON.stringify(mine?.agent)).to.include('TREAT');
    const refused = events.filter((event: AuditEvent) => JSON.stringify(event.agent).includes('demo-stranger'));
    expect(refused).to.deep.equal([]);
  });

  it('B20 refuses what the scopes do not open: 403 insufficient_scope', async () => {
    const narrow = await personCaller(region.server, 'demo-patient', {
      scope: 'openid fhirUser launch/patient patient/ImagingStudy.rs',
    });
    expect((await narrow.get(`ImagingStudy/${study.id}`)).status).to.equal(200);
    for (const path of [`DiagnosticReport/${report.id}`, 'DiagnosticReport', `Patient/${region.patients.helene}`]) {
      const answer = await narrow.get(path);
      expectOutcome(answer, 403, 'forbidden');
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer error="insufficient_scope"');
    }
    const anonymous = await fhirCaller(region.server.url).get(`ImagingStudy/${study.id}`);
    expectOutcome(anonymous, 401, 'login');
    expect(anonymous.headers.get('www-authenticate')).to.equal('Bearer');
  });

  it('shows by _include, and asks by chain, nothing that the scopes do not open', async () => {
    const narrow = await personCaller(region.server, 'demo-patient', {
      scope: 'openid fhirUser launch/patient patient/ImagingStudy.rs patient/Endpoint.r',
    });
    const bundle = (
      await narrow.get('ImagingStudy?_include=ImagingStudy:patient&_include=ImagingStudy:endpoint')
    ).json<Bundle>();
    expect(bundle.entry?.map(({ resource }) => resource?.resourceType)).to.deep.equal([
      'ImagingStudy',
      'ImagingStudy',
      'Endpoint',
    ]);
    expectOutcome(await narrow.get('ImagingStudy?patient.family=Valbr%C3%A9mont'), 403, 'forbidden');
    expect((await narrow.get(`ImagingStudy?patient=${region.patients.helene}`)).status).to.equal(200);
  });
});
