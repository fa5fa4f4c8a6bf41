import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import type { DicomJson } from '../../../../profiles/dicom/json/json.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, askJson, BASE_URL, serveDicomweb } from './door.ts';
import { addStudyOfFiles, element, imageDataSet, item, part10, type PlacedFile } from './files.ts';
import { partsOf } from './parts.ts';

const STUDY = '2.25.800';
const CT_CLASS = `${DICOM_UID.storageClassPrefix}2`;
const SR_CLASS = `${DICOM_UID.storageClassPrefix}88.22`;

function aFile(series: number, number: number, modality: string, extra: readonly Buffer[] = []): PlacedFile {
  const sop = `${STUDY}.${series}.${number}`;
  const uid = (tag: number, value: string): Buffer => element(tag, 'UI', value.length % 2 ? `${value}\0` : value);
  const own = [
    uid(0x00080016, modality === 'SR' ? SR_CLASS : CT_CLASS),
    element(0x00080060, 'CS', modality),
    uid(0x0020000e, `${STUDY}.${series}`),
    element(0x00200011, 'IS', String(series)),
    element(0x00200013, 'IS', String(number)),
    element(0x00080201, 'SH', '+0100'),
    ...extra,
  ];
  const image = imageDataSet(
    { study: STUDY, sop },
    { rows: 4, columns: 5, bits: 16, frames: '2' },
    element(0x7fe00010, 'OW', Buffer.alloc(80)),
  );
  return { bytes: part10(Buffer.concat([...own, image]), sop, DICOM_UID.explicitLittleEndian), sop, series, number };
}

const CT_EXTRA = [
  element(0x0008103e, 'LO', 'Thorax natif'),
  element(0x00180015, 'CS', 'CHEST'),
  element(0x00400244, 'DA', '20260214'),
  element(0x00400245, 'TM', '101530'),
  element(0x00400275, 'SQ', item(Buffer.concat([element(0x00400009, 'SH', 'SPS1'), element(0x00401001, 'SH', 'RP1')]))),
];

describe('QIDO-RS Search for Series and Instances (PS3.18 10.6)', () => {
  let clinic: Clinic;
  let door: ServedRouter;
  const study = `/studies/${STUDY}`;

  before(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
    const slices = Array.from({ length: 12 }, (_, at) => aFile(1, at + 1, 'CT', CT_EXTRA));
    await addStudyOfFiles(clinic, STUDY, [...slices, aFile(2, 1, 'SR')]);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  const valuesOf = (matches: readonly DicomJson[], tag: string): unknown[] =>
    matches.map((match) => match[tag]?.Value?.[0]);

  async function series(query: string, token?: string): Promise<unknown[]> {
    return valuesOf(await askJson(door, `${study}/series?${query}`, token), '00200011');
  }

  async function instances(query: string, place = study): Promise<unknown[]> {
    return valuesOf(await askJson(door, `${place}/instances?${query}`), '00080018');
  }

  it('returns each series with the attributes of the standard, in tag order', async () => {
    const [ct, sr, ...others] = await askJson(door, `${study}/series`);
    expect(others).to.deep.equal([]);
    expect(ct).to.deep.equal({
      '00080060': { vr: 'CS', Value: ['CT'] },
      '00080201': { vr: 'SH', Value: ['+0100'] },
      '0008103E': { vr: 'LO', Value: ['Thorax natif'] },
      '00081190': { vr: 'UR', Value: [`${BASE_URL}${study}/series/${STUDY}.1`] },
      '0020000D': { vr: 'UI', Value: [STUDY] },
      '0020000E': { vr: 'UI', Value: [`${STUDY}.1`] },
      '00200011': { vr: 'IS', Value: [1] },
      '00201209': { vr: 'IS', Value: [12] },
      '00400244': { vr: 'DA', Value: ['20260214'] },
      '00400245': { vr: 'TM', Value: ['101530'] },
      '00400275': {
        vr: 'SQ',
        Value: [{ '00400009': { vr: 'SH', Value: ['SPS1'] }, '00401001': { vr: 'SH', Value: ['RP1'] } }],
      },
    });
    expect(Object.keys(ct ?? {})).to.deep.equal(Object.keys(ct ?? {}).toSorted());
    expect(sr?.['00201209']?.Value).to.deep.equal([1]);
  });

  it('returns each instance with its size, frames and transfer syntax', async () => {
    const [first] = await askJson(door, `${study}/series/${STUDY}.1/instances?limit=1`);
    expect(first).to.deep.equal({
      '00080016': { vr: 'UI', Value: [CT_CLASS] },
      '00080018': { vr: 'UI', Value: [`${STUDY}.1.1`] },
      '00080056': { vr: 'CS', Value: ['ONLINE'] },
      '00080201': { vr: 'SH', Value: ['+0100'] },
      '00081190': { vr: 'UR', Value: [`${BASE_URL}${study}/series/${STUDY}.1/instances/${STUDY}.1.1`] },
      '00083002': { vr: 'UI', Value: [DICOM_UID.explicitLittleEndian] },
      '0020000D': { vr: 'UI', Value: [STUDY] },
      '0020000E': { vr: 'UI', Value: [`${STUDY}.1`] },
      '00200013': { vr: 'IS', Value: [1] },
      '00280008': { vr: 'IS', Value: [2] },
      '00280010': { vr: 'US', Value: [4] },
      '00280011': { vr: 'US', Value: [5] },
      '00280100': { vr: 'US', Value: [16] },
    });
  });

  it('matches series by keyword and tag, lists, wildcards and ranges', async () => {
    const expected: Readonly<Record<string, readonly number[]>> = {
      '': [1, 2],
      'Modality=CT': [1],
      '00080060=SR': [2],
      'Modality=CT,SR': [1, 2],
      'Modality=ct': [],
      'Modality=C*': [1],
      'Modality=*': [1, 2],
      'SeriesNumber=2': [2],
      '00200011=02': [2],
      'SeriesNumber=': [1, 2],
      [`SeriesInstanceUID=${STUDY}.2`]: [2],
      [`0020000E=${STUDY}.1%5C${STUDY}.2`]: [1, 2],
      'SeriesInstanceUID=2.25.4': [],
      'SeriesDescription=Thorax*': [1],
      'SeriesDescription=*nat?f': [1],
      'SeriesDescription=Thorax': [],
      'PerformedProcedureStepStartDate=20260101-20260301': [1],
      '00400244=20260215-': [],
      '00400245=10-11': [1],
      '00400245=101531-': [],
      'RequestAttributesSequence.RequestedProcedureID=RP1': [1],
      '00400275.00400009=SPS2': [],
      [`StudyInstanceUID=${STUDY}&Modality=SR`]: [2],
      'limit=1': [1],
      'limit=1&offset=1': [2],
      'offset=5': [],
    };
    for (const [query, numbers] of Object.entries(expected)) expect(await series(query), query).to.deep.equal(numbers);
  });

  it('matches keys of the study at each level', async () => {
    const expected: Readonly<Record<string, readonly number[]>> = {
      'PatientName=*essai*': [1, 2],
      'PatientID=pat-2': [],
      [`StudyInstanceUID=2.25.4`]: [],
      'StudyDate=20200101-20200102&Modality=SR': [2],
      [`0020000D=${STUDY}&SeriesNumber=1`]: [1],
      'StudyDate=20250101-': [],
    };
    for (const [query, numbers] of Object.entries(expected)) expect(await series(query), query).to.deep.equal(numbers);
    expect(await instances('PatientID=pat-1&InstanceNumber=12')).to.deep.equal([`${STUDY}.1.12`]);
    expect(await instances('PatientID=pat-1&offset=1&limit=1', `${study}/series/${STUDY}.1`)).to.deep.equal([
      `${STUDY}.1.2`,
    ]);
    expect(await series('PatientID=pat-1', 'stranger')).to.deep.equal([]);
  });

  it('tells of the series with each instance where the path names none (10.6.3.3)', async () => {
    const [instance] = await askJson(door, `${study}/instances?limit=1`);
    expect(instance?.['00080060']?.Value).to.deep.equal(['CT']);
    expect(instance?.['00200011']?.Value).to.deep.equal([1]);
    expect(instance).to.include.keys('00400275').and.not.to.have.any.keys('00100010', '00201206');
  });

  it('matches instances of a study and of a series, by keys of both levels', async () => {
    const ct = (number: number): string => `${STUDY}.1.${number}`;
    const all = [...Array.from({ length: 12 }, (_, at) => ct(at + 1)), `${STUDY}.2.1`];
    const expected: Readonly<Record<string, readonly string[]>> = {
      '': all,
      'InstanceNumber=1': [ct(1), `${STUDY}.2.1`],
      'InstanceNumber=1&Modality=SR': [`${STUDY}.2.1`],
      [`SOPClassUID=${SR_CLASS}`]: [`${STUDY}.2.1`],
      [`00080018=${ct(3)},${ct(11)}`]: [ct(3), ct(11)],
      'offset=11&limit=5': all.slice(11),
      'InstanceNumber=99': [],
    };
    for (const [query, uids] of Object.entries(expected)) expect(await instances(query), query).to.deep.equal(uids);
    expect(await instances('', `${study}/series/${STUDY}.2`)).to.deep.equal([`${STUDY}.2.1`]);
    expect(await instances('', `${study}/series/2.25.4`)).to.deep.equal([]);
  });

  it('includes the fields that are asked for, in comma lists or all', async () => {
    const [plain] = await askJson(door, `${study}/series?limit=1`);
    expect(plain).not.to.have.any.keys('00180015', '00100010', '00280010');
    const [listed] = await askJson(
      door,
      `${study}/series?limit=1&includefield=00180015,PatientName,00280010&includefield=00080021`,
    );
    expect(listed).to.include.keys('00180015', '00100010').and.not.to.have.any.keys('00280010', '00080021');
    const [all] = await askJson(door, `${study}/series?limit=1&includefield=all`);
    expect(all).to.include.keys('00180015', '00100010').and.not.to.have.any.keys('00200013');
    const [instance] = await askJson(door, `${study}/instances?limit=1&includefield=00280002,00280004`);
    expect(instance).to.include.keys('00280002', '00280004').and.not.to.have.any.keys('7FE00010');
    const [whole] = await askJson(door, `${study}/instances?limit=1&includefield=all`);
    expect(whole?.['7FE00010']?.BulkDataURI).to.be.a('string');
  });

  it('refuses keys that are not served, never widening', async () => {
    for (const [path, query] of [
      ['series', 'InstanceNumber=1'],
      ['series', 'PatientSex=F'],
      ['series', 'StudyDate=x'],
      ['series', 'SeriesInstanceUID=x'],
      ['instances', 'Rows=4'],
      ['series', 'constructor=1'],
      ['series', 'RequestAttributesSequence=x'],
      ['series', '00400275.00400009.00400009=x'],
      ['instances', 'limit=0'],
      ['series', 'limit=1&limit=2'],
      ['instances', 'offset=x'],
    ] as const) {
      expect((await ask(door, `${study}/${path}?${query}`)).status, query).to.equal(400);
    }
    expect((await ask(door, `${study}/series?${'SeriesNumber=&'.repeat(51)}`)).status).to.equal(413);
    expect((await ask(door, '/studies/..%2F..%2Fetc/series')).status).to.equal(404);
    expect(
      (await ask(door, `${study}/series`, 'lambert', { Accept: 'multipart/related; type="application/dicom+xml"' }))
        .status,
    ).to.equal(406);
  });

  it('shows hidden studies as unknown ones, and tells the patient of what was asked', async () => {
    expect(await series('', 'stranger')).to.deep.equal([]);
    expect(await askJson(door, `/studies/${clinic.hidden.studyInstanceUID}/series`)).to.deep.equal([]);
    expect(await askJson(door, `/studies/${clinic.hidden.studyInstanceUID}/instances`)).to.deep.equal(
      await askJson(door, '/studies/2.25.4/instances'),
    );
    expect((await ask(door, `${study}/series`, 'weak')).status).to.equal(403);
    await series('Modality=CT');
    const [event] = await clinic.events(clinic.anne, 'RAD-129');
    const query = event?.entity?.find((entity) => entity.query !== undefined)?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).to.equal(`/dicom-web${study}/series?Modality=CT`);
    expect(event?.entity?.some(({ what }) => what?.identifier?.value === `urn:oid:${STUDY}`)).to.equal(true);
    expect(await clinic.events(clinic.bruno, 'RAD-129')).to.deep.equal([]);
  });

  it('shows a study that is hidden between two of its reads as an unknown one', async () => {
    const { records } = clinic.guard;
    const follow = records.follow.bind(records);
    for (const level of ['series', 'instances']) {
      const found = await askJson(door, `${study}/${level}`);
      expect(found).to.not.be.empty;
      records.follow = async (...asked) => {
        await clinic.withdraw();
        return await follow(...asked);
      };
      expect(await askJson(door, `${study}/${level}`), level).to.deep.equal([]);
      records.follow = follow;
      await clinic.giveBack();
    }
  });

  it('leads a viewer from the list to the pixels, as OHIF asks', async () => {
    const list =
      `PatientName=*essai*&00100020=*pat-1*&limit=101&offset=0` +
      `&fuzzymatching=false&includefield=00081030,00080060&StudyDate=20200101-20200102&StudyInstanceUID=${STUDY}`;
    const [found, ...others] = await askJson(door, `/studies?${list}`);
    expect([found?.['00080060']?.Value, others.length]).to.deep.equal([['OT'], 0]);
    const [first] = await askJson(
      door,
      `/studies/${String(found?.['0020000D']?.Value?.[0])}/series?includefield=00080021,00080031,0008103E,00200011`,
    );
    const place = `/studies/${STUDY}/series/${String(first?.['0020000E']?.Value?.[0])}`;
    const metadata = await askJson(door, `${place}/metadata`);
    expect(metadata).to.have.length(Number(first?.['00201209']?.Value?.[0]));
    const instance = metadata[4];
    const needed = [
      '00080016',
      '00080018',
      '00200013',
      '00280002',
      '00280004',
      '00280008',
      '00280010',
      '00280011',
      '00280100',
    ];
    expect(instance).to.include.keys(...needed);
    const uid = String(instance?.['00080018']?.Value?.[0]);
    const size = 4 * 5 * 2;
    for (const frame of [1, 2]) {
      const accept = 'multipart/related; type="application/octet-stream"; transfer-syntax="*"';
      const [part] = await partsOf(
        await ask(door, `${place}/instances/${uid}/frames/${frame}`, 'lambert', { Accept: accept }),
        'application/octet-stream',
      );
      expect([part?.content.length, part?.type]).to.deep.equal([
        size,
        `application/octet-stream; transfer-syntax=${DICOM_UID.explicitLittleEndian}`,
      ]);
    }
    const bulk = await ask(door, `${place}/${instance?.['7FE00010']?.BulkDataURI}`);
    expect((await partsOf(bulk, 'application/octet-stream'))[0]?.content).to.have.length(2 * size);
  });

  it('reads a study of more than one page', async () => {
    const many = await clinic.addStudy({
      started: '2026-02-01T10:00:00Z',
      modality: 'CT',
      accession: 'ACC-9',
      description: 'Long',
      series: [Array<string>(1_005).fill(DICOM_UID.explicitLittleEndian)],
    });
    const response = await ask(door, `/studies/${many.studyInstanceUID}/instances`);
    expect(((await response.json()) as unknown[]).length).to.equal(1_000);
    expect(response.headers.get('Warning')).to.include('exceeded the maximum');
    expect(await instances('offset=1000', `/studies/${many.studyInstanceUID}`)).to.have.length(5);
    const [only] = await askJson(door, `/studies/${many.studyInstanceUID}/series`);
    expect(only?.['00201209']?.Value).to.deep.equal([1_005]);
  });
});
