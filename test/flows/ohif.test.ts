/**
 * The requests of a viewer in their order and their words, on a running server: OHIF's worklist, study, metadata,
 * frames and document. Addresses of bulk data are resolved as OHIF resolves them.
 */
import { expect } from 'chai';
import type { AuditEvent } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { partsOf, readReply, type Reply } from './support/door.ts';

const PDF = Buffer.from(`%PDF-1.4\n${'% a page without people\n'.repeat(200)}%%EOF`);
const PIXELS = 16 * 16 * 2;
const LIST = 'limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060';
const JSON_TYPE = 'application/dicom+json';

/** What OHIF needs of each image to build its display sets and to draw it. */
const NEEDED = [
  '00080016',
  '00080018',
  '00080060',
  '00100010',
  '00100020',
  '0020000D',
  '0020000E',
  '00200011',
  '00200013',
  '00280002',
  '00280004',
  '00280010',
  '00280011',
  '00280100',
  '00280101',
  '00280102',
  '00280103',
  '00200032',
  '00200037',
  '00280030',
];

describe('a viewer that asks as OHIF does', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let root: string;

  before(async () => {
    region = await startDemonstration();
    root = `${region.server.url}/dicom-web`;
  });

  after(async () => {
    await region?.server.stop();
  });

  const get = async ({ token }: FhirCaller, url: string, accept: string): Promise<Reply> =>
    await readReply(await fetch(url, { headers: { Authorization: `Bearer ${token}`, Accept: accept } }));

  const json = async (caller: FhirCaller, path: string): Promise<readonly DicomJson[]> => {
    const { status, body, headers } = await get(caller, `${root}/${path}`, JSON_TYPE);
    expect([status, headers.get('Content-Type')], body.toString()).to.deep.equal([200, JSON_TYPE]);
    return JSON.parse(body.toString()) as DicomJson[];
  };

  const valuesOf = (found: readonly DicomJson[], tag: string): unknown[] =>
    found.map((match) => match[tag]?.Value?.[0]);

  it('lists the studies that its user may see, by any of the fields of the worklist', async () => {
    const { helene, heleneNancy } = region.studies;
    const both = [helene.studyInstanceUID, heleneNancy.studyInstanceUID];
    const cases: readonly (readonly [string, readonly string[]])[] = [
      [LIST, both],
      [`PatientName=*VALBR*&${LIST}`, both],
      [`PatientName=*val*mont*&${LIST}`, both],
      [`00100020=*0*&${LIST}`, both],
      [`00100020=*NC-*&${LIST}`, [heleneNancy.studyInstanceUID]],
      [`AccessionNumber=*${helene.accessionNumber.slice(2)}*&${LIST}`, [helene.studyInstanceUID]],
      [`StudyDescription=*contr%C3%B4le*&${LIST}`, both],
      [`ModalitiesInStudy=CR&${LIST}`, [heleneNancy.studyInstanceUID]],
      [`${LIST}&StudyDate=20260101-20261231`, [helene.studyInstanceUID]],
      [`${LIST}&StudyInstanceUID=${both.join('%5C')}`, both],
      [`${LIST}&StudyInstanceUID=${both.join(',')}&PatientName=*nobody*`, []],
    ];
    for (const [query, studies] of cases)
      expect(valuesOf(await json(region.declared, `studies?${query}`), '0020000D'), query).to.deep.equal(studies);
    const [study] = await json(region.declared, `studies?${LIST}&ModalitiesInStudy=CT`);
    expect(study).to.include.keys(
      '00080020',
      '00080030',
      '00080050',
      '00080060',
      '00080061',
      '00081030',
      '00100010',
      '00100020',
      '0020000D',
      '00201206',
      '00201208',
    );
    expect(await json(region.stranger, `studies?${LIST}`)).to.deep.equal([]);
  });

  it('opens a study: its series, their metadata, and each frame by every way of writing Accept', async () => {
    const { helene } = region.studies;
    const [series] = await json(
      region.declared,
      `studies/${helene.studyInstanceUID}/series?includefield=00080021%2C00080031%2C0008103E%2C00200011`,
    );
    expect(series).to.include.keys('00080021', '00080031', '0008103E', '00200011', '00201209');
    const place = `studies/${helene.studyInstanceUID}/series/${String(series?.['0020000E']?.Value?.[0])}`;
    const metadata = await json(region.declared, `${place}/metadata`);
    expect(metadata).to.have.length(helene.instanceCount);
    for (const instance of metadata) expect(instance).to.include.keys(...NEEDED);
    const files = new Map(
      [...helene.instances()].map(({ sopInstanceUID, bytes }) => [sopInstanceUID, Buffer.from(bytes)]),
    );
    const accepts = [
      'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
      'multipart/related; type=application/octet-stream; transfer-syntax=*',
    ];
    for (const uid of valuesOf(metadata, '00080018')) {
      for (const accept of accepts) {
        const reply = await get(region.declared, `${root}/${place}/instances/${String(uid)}/frames/1`, accept);
        const [frame, ...others] = partsOf(reply);
        expect(others).to.deep.equal([]);
        expect(frame?.headers.get('Content-Type')).to.match(
          /^application\/octet-stream; transfer-syntax=1\.2\.840\.10008\.1\.2\.1$/,
        );
        expect(
          files
            .get(String(uid))
            ?.subarray(-PIXELS)
            .equals(frame?.content ?? Buffer.alloc(0)),
        ).to.equal(true);
      }
    }
    expect((await get(region.stranger, `${root}/${place}/metadata`, JSON_TYPE)).status).to.equal(404);
    expect(await json(region.stranger, `studies/${helene.studyInstanceUID}/series`)).to.deep.equal([]);
  });

  it('opens a document by its own type, and bulk data from wherever relative addresses are resolved', async () => {
    const attributes = {
      SOPClassUID: `${DICOM_UID.storageClassPrefix}104.1`,
      '00420011:OB': PDF,
      '00420012:LO': 'application/pdf',
      '00420015:UL': PDF.length,
    } as const;
    const document = aStudy({ key: 'ohif/document', instances: 1, started: '2026-02-10T10:00:00', attributes });
    expect(await sendStudy(region.server, document)).to.deep.equal([0]);
    await eventually(async () => (await region.declared.find(`ImagingStudy?${byStudyUid(document)}`))[0]);
    const [instance] = await json(region.declared, `studies/${document.studyInstanceUID}/metadata`);
    const series = `${root}/studies/${document.studyInstanceUID}/series/${String(instance?.['0020000E']?.Value?.[0])}`;
    const uri = instance?.['00420011']?.BulkDataURI ?? '';
    expect(uri).to.match(/^instances\/[0-9.]+\/bulkdata\/00420011$/);
    // `singlepart: 'pdf'`: an address for the browser itself, which says its type in the query.
    const direct = await get(region.declared, `${series}/${uri}?accept=application/pdf`, 'text/html,*/*;q=0.8');
    expect([
      direct.status,
      direct.headers.get('Content-Type'),
      direct.body.subarray(0, PDF.length).equals(PDF),
    ]).to.deep.equal([200, 'application/pdf', true]);
    // `relativeResolution`: series is the default, studies the other.
    for (const base of [series, `${root}/studies/${document.studyInstanceUID}`]) {
      const [part] = partsOf(
        await get(region.declared, `${base}/${uri}`, 'multipart/related; type="application/octet-stream"'),
      );
      expect(part?.content.subarray(0, PDF.length).equals(PDF)).to.equal(true);
    }
    expect((await get(region.stranger, `${series}/${uri}?accept=application/pdf`, '*/*')).status).to.equal(404);
  });

  it('is told to the patient: who searched, read metadata and opened images, and no stranger', async () => {
    const events = await region.patient.find<AuditEvent>('AuditEvent?_count=200');
    const byViewer = events.filter(({ agent }) =>
      agent.some(({ who }) => who?.reference === 'Practitioner/demo-declared'),
    );
    const kinds = new Set(byViewer.map(({ type, subtype = [] }) => `${type.code} ${subtype[0]?.code}`));
    expect([...kinds]).to.include.members(['110112 RAD-129', '110103 RAD-107', '110104 RAD-107']);
    expect(
      events.some(({ agent }) => agent.some(({ who }) => who?.reference === 'Practitioner/demo-stranger')),
    ).to.equal(false);
  });
});
