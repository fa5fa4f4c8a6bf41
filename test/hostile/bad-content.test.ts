/** Content that means harm to whoever reads it, or that costs: what may be stored of it, and how it is given back. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Bundle, DiagnosticReport, Patient, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome } from '../support/clients/fhir-caller.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';
import { processorMsOf } from '../support/run/cpu-time.ts';

const XHTML = 'xmlns="http://www.w3.org/1999/xhtml"';
/** The first local file header of a ZIP whose one name climbs out of its folder. */
const ZIP_SLIP = Buffer.concat([
  Buffer.from('504b0304140000000000000000000000000000000000000000000f000000', 'hex'),
  Buffer.from('../../etc/passwd'),
]);

describe('Bad content', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let memory = 0;
  let atFirst: ReturnType<typeof descriptorsOf>;
  before(async () => {
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug' } });
    memory = residentMegabytes(region.server);
    atFirst = descriptorsOf(region.server);
  });
  afterEach(async () => {
    await expectWhole(region);
    expectDiscreetLog(region.server, region.strasbourg.token);
  });
  after(async () => await region?.server.stop());

  const fetchAs = async (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    init: RequestInit = {},
  ): Promise<Response> =>
    await fetch(`${region.server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${region.strasbourg.token}`, ...headers },
    });

  it(
    'K01, K02 takes no archive, so none is unpacked: each door that takes bodies says that it does not know the ' +
      'type',
    async () => {
      for (const [path, status] of [
        ['/fhir', 415],
        ['/fhir/Patient', 415],
        ['/dicom-web/studies', 415],
        ['/xds/registry', 400],
      ] as const) {
        const answer = await fetchAs(path, { 'content-type': 'application/zip' }, { method: 'POST', body: ZIP_SLIP });
        expect(answer.status, `${path}: ${await answer.text()}`).to.equal(status);
      }
    },
  );

  it('K08 takes no batch of 500 searches, and answers 200 reads up to a length', async () => {
    const order: ServiceRequest = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: `Patient/${region.patients.gaetan}` },
      note: [{ text: 'a'.repeat(200_000) }],
    };
    const created = await region.strasbourg.send('POST', 'ServiceRequest', order);
    expect(created.status, created.text).to.equal(201);
    const url = created.headers.get('location')?.split('/fhir/')[1] ?? '';
    const reads = (length: number) => ({
      resourceType: 'Bundle',
      type: 'batch',
      entry: Array.from({ length }, () => ({ request: { method: 'GET', url } })),
    });
    expectOutcome(await region.strasbourg.send('POST', '', reads(500)), 413, 'too-costly');
    const answer = await region.strasbourg.send('POST', '', reads(200));
    const statuses = answer.json<Bundle>().entry?.map(({ response }) => response?.status) ?? [];
    expect(statuses).to.have.length(200);
    expect(answer.text.length).to.be.lessThan(18_000_000);
    expect(statuses.slice(0, 80)).to.deep.equal(Array.from({ length: 80 }, () => '200 OK'));
    expect(statuses.at(-1)).to.match(/^413/);
  });

  it('K08 follows no include that explodes', async () => {
    const includes = [
      'DiagnosticReport?_include=*',
      'DiagnosticReport?_include:iterate=*',
      `DiagnosticReport?${'_include=DiagnosticReport:subject&'.repeat(50)}`,
      'Patient?_revinclude=*',
    ];
    for (const path of includes) {
      const began = processorMsOf(region.server.pid);
      const answer = await region.strasbourg.get(path);
      expect(answer.status, path).to.be.oneOf([200, 400, 403]);
      if (answer.status === 200) expect(answer.json<Bundle>().entry?.length ?? 0, path).to.be.at.most(10);
      expect(processorMsOf(region.server.pid) - began, path).to.be.lessThan(1_000);
    }
  });

  it('K09 gives the whole for a thousand ranges, once', async () => {
    const { studies, strasbourg } = region;
    const [report] = await strasbourg.find<DiagnosticReport>('DiagnosticReport?_count=1');
    const binary = new URL(report?.presentedForm?.[0]?.url ?? '').pathname;
    const ranges = `bytes=${Array.from({ length: 1_000 }, (_, at) => `${at}-${at + 5}`).join(',')}`;
    for (const [path, accept] of [
      [binary, 'application/pdf'],
      [
        `/dicom-web/studies/${studies.gaetan.studyInstanceUID}`,
        'multipart/related; type="application/dicom"; transfer-syntax=*',
      ],
    ] as const) {
      const lengths: number[] = [];
      for (const headers of [
        { accept },
        { accept, range: ranges },
        { accept, range: 'bytes=0-0,-1' },
        { accept, range: `bytes=0-${'9'.repeat(400)}` },
      ]) {
        const answer = await fetchAs(path, headers);
        expect(answer.status, path).to.equal(200);
        lengths.push((await answer.arrayBuffer()).byteLength);
      }
      expect(new Set(lengths).size, path).to.equal(1);
    }
  });

  it('K12 takes no Subscription, and calls nobody', async () => {
    const listener = createServer((socket) => void socket.destroy()).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    let calls = 0;
    listener.on('connection', () => (calls += 1));
    const endpoint = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
    const subscription = {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'a',
      criteria: 'Patient?',
      channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json' },
    };
    try {
      const answer = await region.strasbourg.send('POST', 'Subscription', subscription);
      expect(answer.status).to.be.oneOf([404, 405, 422]);
      const entry = [{ resource: subscription, request: { method: 'POST', url: 'Subscription' } }];
      expect(
        (await region.strasbourg.send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status,
      ).to.be.within(400, 499);
      expect(calls).to.equal(0);
    } finally {
      listener.close();
      await once(listener, 'close');
    }
  });

  it('K13 refuses narratives with scripts, handlers, frames and addresses that run', async () => {
    const identifier = [{ system: 'urn:oid:2.25.330140016809680152432946592418447801704', value: 'K13' }];
    const contents = [
      '<script>alert(1)</script>',
      '<svg onload="alert(1)"/>',
      '<p onclick="alert(1)">a</p>',
      '<img src="javascript:alert(1)"/>',
      '<a href="javascript:alert(1)">a</a>',
      '<iframe src="https://a.example"/>',
      '<form action="/"/>',
      '<style>a{}</style>',
      '<object data="a"/>',
      '<p style="background:url(//a.example)">a</p>',
      '<![CDATA[<script>]]>',
      '&lt;p&gt;<script/>',
    ];
    for (const content of contents) {
      const patient = {
        resourceType: 'Patient',
        identifier,
        text: { status: 'generated', div: `<div ${XHTML}>${content}</div>` },
      };
      const answer = await region.strasbourg.send(
        'PUT',
        'Patient?identifier=urn:oid:2.25.330140016809680152432946592418447801704|K13',
        patient,
      );
      expect(answer.status, `${content}: ${answer.text.slice(0, 200)}`).to.be.oneOf([400, 422]);
      expect(answer.text).to.not.include('alert(1)');
    }
    expect(await region.strasbourg.find<Patient>('Patient?identifier=K13')).to.deep.equal([]);
  });

  it('K14 gives documents as attachments that no browser runs, and stores none that is a page', async () => {
    const report = await buildReportBundle(
      aStudy({ key: 'content/page', patient: PATIENTS.gaetan }),
      reportTextOf('mr-head'),
    );
    for (const contentType of ['text/html', 'application/xhtml+xml', 'image/svg+xml']) {
      const answer = await region.strasbourg.send(
        'POST',
        '',
        withDocument(report, contentType, '<script>alert(1)</script>'),
      );
      expect(answer.status, contentType).to.be.oneOf([400, 403, 415, 422]);
    }
    const [stored] = await region.strasbourg.find<DiagnosticReport>('DiagnosticReport?_count=1');
    const answer = await fetchAs(new URL(stored?.presentedForm?.[0]?.url ?? '').pathname, {
      accept: 'application/pdf',
    });
    await answer.arrayBuffer();
    expect(
      Object.fromEntries(
        ['content-type', 'content-disposition', 'x-content-type-options', 'content-security-policy'].map((name) => [
          name,
          answer.headers.get(name),
        ]),
      ),
    ).to.deep.equal({
      'content-type': 'application/pdf',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  it('holds nothing of any of it', async () => {
    await expectNothingLeft(region.server, atFirst);
    expect(residentMegabytes(region.server) - memory).to.be.lessThan(100);
  });
});

/** A report whose document is of another type. */
function withDocument(bundle: Bundle, contentType: string, text: string): Bundle {
  const entry = (bundle.entry ?? []).map((one) => {
    const resource = one.resource as Resource | undefined;
    if (resource?.resourceType !== 'DiagnosticReport') return one;
    return {
      ...one,
      resource: { ...resource, presentedForm: [{ contentType, data: Buffer.from(text).toString('base64') }] },
    };
  });
  return { ...bundle, entry };
}
