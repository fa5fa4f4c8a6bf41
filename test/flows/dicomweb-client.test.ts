/**
 * DICOMweb by the clients that others use: `dicomweb-client` of npm, which viewers are made of, and of PyPI. Neither is
 * changed.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { AuditEvent } from '@medplum/fhirtypes';
import { api } from 'dicomweb-client';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { byStudyUid, establishmentCaller, startDemonstration } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { PYTHON } from '../support/peers/python-peers.ts';
import type { TestServer } from '../support/server.ts';
import { XmlHttpRequest } from '../support/peers/xml-http-request.ts';
import { dataSetDigest } from './support/exam.ts';

const PDF = Buffer.from(`%PDF-1.4\n${'% a page without people\n'.repeat(200)}%%EOF`);
const PIXELS = 16 * 16 * 2;

/** The methods of the npm client; its own declarations lack half of their options. */
type NpmClient = Readonly<
  Record<
    | 'storeInstances'
    | 'searchForStudies'
    | 'searchForSeries'
    | 'searchForInstances'
    | 'retrieveStudyMetadata'
    | 'retrieveSeriesMetadata'
    | 'retrieveInstanceMetadata'
    | 'retrieveInstance'
    | 'retrieveSeries'
    | 'retrieveStudy'
    | 'retrieveInstanceFrames'
    | 'retrieveBulkData',
    (options: object) => Promise<unknown>
  >
>;

/** A study of two series, and one whose only instance is a document. */
function aStudyFor(client: string): { readonly images: DemoStudy; readonly document: DemoStudy } {
  const attributes = {
    SOPClassUID: `${DICOM_UID.storageClassPrefix}104.1`,
    '00420011:OB': PDF,
    '00420012:LO': 'application/pdf',
    '00420015:UL': PDF.length,
  } as const;
  return {
    images: aStudy({ key: `${client}/images`, series: 2, instances: 2, description: `Examen ${client}` }),
    document: aStudy({ key: `${client}/document`, instances: 1, attributes }),
  };
}

describe('dicomweb-client', function () {
  this.timeout(90_000);
  let server: TestServer;
  let sender: FhirCaller;
  let patient: FhirCaller;

  before(async () => {
    const region = await startDemonstration();
    ({ server, strasbourg: sender, patient } = region);
  });

  after(async () => {
    await server?.stop();
  });

  const published = async (study: DemoStudy): Promise<void> =>
    void (await eventually(async () => (await sender.find(`ImagingStudy?${byStudyUid(study)}`))[0]));

  const digestsOf = (study: DemoStudy): readonly string[] =>
    [...study.instances()].map(({ bytes }) => dataSetDigest(bytes));

  /** The kinds of event that the patient of a study reads of it. */
  const told = async (study: DemoStudy): Promise<ReadonlySet<string>> => {
    const events = await patient.find<AuditEvent>('AuditEvent?_count=200');
    const ofStudy = events.filter(({ entity = [] }) =>
      entity.some(({ what }) => what?.identifier?.value === `urn:oid:${study.studyInstanceUID}`),
    );
    return new Set(ofStudy.flatMap(({ subtype = [] }) => subtype.map(({ code }) => code ?? '')));
  };

  describe('of npm', () => {
    const { images, document } = aStudyFor('npm');
    const studyInstanceUID = images.studyInstanceUID;
    const [first] = images.instances();
    const one = {
      studyInstanceUID,
      seriesInstanceUID: first?.seriesInstanceUID ?? '',
      sopInstanceUID: first?.sopInstanceUID ?? '',
    };

    const clientOf = ({ token }: FhirCaller) => {
      const Client = api.DICOMwebClient as unknown as new (options: object) => NpmClient;
      const client = new Client({
        verbose: false,
        url: `${server.url}/dicom-web`,
        headers: { Authorization: `Bearer ${token}` },
      });
      return { client, request: () => ({ instance: new XmlHttpRequest() }) };
    };

    const json = (answer: unknown): readonly DicomJson[] => answer as DicomJson[];
    const digest = (answer: unknown): string => dataSetDigest(new Uint8Array(answer as ArrayBuffer));

    it('stores instances', async () => {
      const { client, request } = clientOf(sender);
      for (const study of [images, document]) {
        const datasets = [...study.instances()].map(({ bytes }) => Uint8Array.from(bytes).buffer);
        const answer: unknown = await client.storeInstances({
          datasets,
          studyInstanceUID: study.studyInstanceUID,
          request: { ...request(), responseType: 'json' },
        });
        const { '00081199': stored } = (typeof answer === 'string' ? JSON.parse(answer) : answer) as DicomJson;
        expect(stored?.Value).to.have.length(study.instanceCount);
        await published(study);
      }
    });

    it('searches studies, series and instances, within a study and across', async () => {
      const { client, request } = clientOf(sender);
      const query = {
        PatientName: '*valbr*',
        StudyInstanceUID: studyInstanceUID,
        limit: 5,
        includefield: '00081030,00080060',
      };
      const [study, ...others] = json(await client.searchForStudies({ queryParams: query, request: request() }));
      expect([study?.['00081030']?.Value, study?.['00080060']?.Value, others]).to.deep.equal([
        ['Examen npm'],
        ['CT'],
        [],
      ]);
      expect(await client.searchForSeries({ studyInstanceUID, request: request() })).to.have.length(2);
      expect(
        await client.searchForSeries({
          queryParams: { StudyInstanceUID: studyInstanceUID, SeriesNumber: 2 },
          request: request(),
        }),
      ).to.have.length(1);
      expect(await client.searchForInstances({ studyInstanceUID, request: request() })).to.have.length(4);
      expect(
        await client.searchForInstances({ queryParams: { SOPInstanceUID: one.sopInstanceUID }, request: request() }),
      ).to.have.length(1);
      expect(
        await client.searchForStudies({ queryParams: { PatientName: 'Nobody' }, request: request() }),
      ).to.deep.equal([]);
    });

    it('retrieves metadata and instances, whole and unchanged', async () => {
      const { client, request } = clientOf(sender);
      expect(await client.retrieveStudyMetadata({ studyInstanceUID, request: request() })).to.have.length(4);
      expect(await client.retrieveSeriesMetadata({ ...one, request: request() })).to.have.length(2);
      const [metadata] = json(await client.retrieveInstanceMetadata({ ...one, request: request() }));
      expect(metadata?.['00080018']?.Value).to.deep.equal([one.sopInstanceUID]);
      const instance: unknown = await client.retrieveInstance({ ...one, request: request() });
      expect(digest(instance)).to.equal(digestsOf(images)[0]);
      const series = (await client.retrieveSeries({ ...one, request: request() })) as unknown[];
      expect(series.map(digest)).to.deep.equal(digestsOf(images).slice(0, 2));
      const study = (await client.retrieveStudy({ studyInstanceUID, request: request() })) as unknown[];
      expect(study.map(digest)).to.have.members([...digestsOf(images)]);
    });

    it('retrieves frames and bulk data', async () => {
      const { client, request } = clientOf(sender);
      const frames = (await client.retrieveInstanceFrames({
        ...one,
        frameNumbers: [1],
        request: request(),
      })) as ArrayBuffer[];
      expect(frames.map(({ byteLength }) => byteLength)).to.deep.equal([PIXELS]);
      expect(
        Buffer.from(first?.bytes ?? [])
          .subarray(-PIXELS)
          .equals(Buffer.from(frames[0] ?? new ArrayBuffer())),
      ).to.equal(true);
      const place = `${server.url}/dicom-web/studies/${document.studyInstanceUID}`;
      const [metadata] = json(
        await client.retrieveStudyMetadata({ studyInstanceUID: document.studyInstanceUID, request: request() }),
      );
      const series = String(metadata?.['0020000E']?.Value?.[0]);
      const BulkDataURI = `${place}/series/${series}/${metadata?.['00420011']?.BulkDataURI}`;
      for (const options of [
        { BulkDataURI },
        { BulkDataURI, mediaTypes: [{ mediaType: 'application/octet-stream' }] },
      ]) {
        const [bytes] = (await client.retrieveBulkData({ ...options, request: request() })) as ArrayBuffer[];
        expect(
          Buffer.from(bytes ?? new ArrayBuffer())
            .subarray(0, PDF.length)
            .equals(PDF),
        ).to.equal(true);
      }
    });

    it('is told to the patient, and shows nothing to another establishment', async () => {
      expect(await told(images))
        .to.include('RAD-107')
        .and.to.include('RAD-129')
        .and.to.include('RAD-108');
      const { client, request } = clientOf(await establishmentCaller(server, 'luxembourg'));
      expect(await client.searchForStudies({ request: request() })).to.deep.equal([]);
      expect(await client.searchForSeries({ studyInstanceUID, request: request() })).to.deep.equal([]);
      expect(await client.searchForInstances({ request: request() })).to.deep.equal([]);
      const refused: unknown = await client
        .retrieveInstance({ ...one, request: request() })
        .catch((error: unknown) => error);
      expect(refused).to.have.property('status', 404);
    });
  });

  describe('of PyPI', () => {
    type Report = {
      readonly stored: number;
      readonly found: Readonly<
        Record<'studies' | 'series' | 'instances' | 'acrossSeries' | 'acrossInstances' | 'none', number>
      >;
      readonly metadata: Readonly<Record<'study' | 'series' | 'instance', number>>;
      readonly digests: Readonly<Record<'study' | 'series' | 'instance', readonly string[]>>;
      readonly frame: string;
      readonly bulk: string;
      readonly hidden: Readonly<Record<'studies' | 'series', number> & { readonly instance: number }>;
    };

    it('stores, searches and retrieves, whole and unchanged; another establishment sees nothing', async function () {
      if (!hasProgram(PYTHON)) this.skip();
      const { images, document } = aStudyFor('pypi');
      const folder = await mkdtemp(join(tmpdir(), 'passerelle-client-'));
      try {
        for (const [name, study] of [
          ['images', images],
          ['document', document],
        ] as const) {
          for (const [at, { bytes }] of [...study.instances()].entries())
            await writeFile(join(folder, `${name}-${at}.dcm`), bytes);
        }
        const other = await establishmentCaller(server, 'luxembourg');
        const script = fileURLToPath(new URL('support/peers/dicomweb_client_peer.py', import.meta.url));
        const { stdout } = await promisify(execFile)(PYTHON, [
          script,
          `${server.url}/dicom-web`,
          sender.token,
          other.token,
          folder,
        ]);
        const report = JSON.parse(stdout) as Report;
        const digests = digestsOf(images);
        expect(report.stored).to.equal(5);
        expect(report.found).to.deep.equal({
          studies: 1,
          series: 2,
          instances: 4,
          acrossSeries: 1,
          acrossInstances: 1,
          none: 0,
        });
        expect(report.metadata).to.deep.equal({ study: 4, series: 2, instance: 1 });
        expect(report.digests.study).to.have.members([...digests]);
        expect([report.digests.series, report.digests.instance]).to.deep.equal([
          digests.slice(0, 2),
          digests.slice(0, 1),
        ]);
        const [first] = images.instances();
        expect(report.frame).to.equal(
          Buffer.from(first?.bytes ?? [])
            .subarray(-PIXELS)
            .toString('base64'),
        );
        expect(Buffer.from(report.bulk, 'base64').subarray(0, PDF.length).equals(PDF)).to.equal(true);
        expect(report.hidden).to.deep.equal({ studies: 0, series: 0, instance: 404 });
        expect(await told(images))
          .to.include('RAD-107')
          .and.to.include('RAD-129')
          .and.to.include('RAD-108');
        expect(parseFileMeta(first?.bytes ?? new Uint8Array()).transferSyntaxUID).to.equal(
          DICOM_UID.explicitLittleEndian,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
});
