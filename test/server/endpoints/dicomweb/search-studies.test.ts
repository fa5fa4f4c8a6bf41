import { expect } from 'chai';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, askJson, BASE_URL, serveDicomweb } from './door.ts';

describe('QIDO-RS Search for Studies (PS3.18 10.6)', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function found(query: string, token?: string): Promise<unknown[]> {
    const studies = await askJson(door, `/studies?${query}`, token);
    return studies.map((study) => study['0020000D']?.Value?.[0]);
  }

  async function refusal(query: string): Promise<string> {
    const response = await ask(door, `/studies?${query}`);
    expect(response.status).to.equal(400);
    const outcome = (await response.json()) as { issue: [{ diagnostics: string }] };
    return outcome.issue[0].diagnostics;
  }

  it('returns the attributes of the standard, in tag order', async () => {
    const [study, ...others] = await askJson(door, '/studies?AccessionNumber=ACC-1');
    expect(others).to.deep.equal([]);
    expect(study).to.deep.equal({
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00080020': { vr: 'DA', Value: ['20260214'] },
      '00080030': { vr: 'TM', Value: ['003000'] },
      '00080050': { vr: 'SH', Value: ['ACC-1'] },
      '00080056': { vr: 'CS', Value: ['ONLINE'] },
      '00080061': { vr: 'CS', Value: ['CT'] },
      '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Dr Maëlle Brandessart' }] },
      '00080201': { vr: 'SH', Value: ['+0100'] },
      '00081030': { vr: 'LO', Value: ['Thorax'] },
      '00081190': { vr: 'UR', Value: [`${BASE_URL}/studies/${clinic.ct.studyInstanceUID}`] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Essai^Anne^Marie' }] },
      '00100020': { vr: 'LO', Value: ['pat-1'] },
      '00100030': { vr: 'DA', Value: ['19610402'] },
      '00100040': { vr: 'CS', Value: ['F'] },
      '0020000D': { vr: 'UI', Value: [clinic.ct.studyInstanceUID] },
      '00200010': { vr: 'SH', Value: ['EX7'] },
      '00201206': { vr: 'IS', Value: [2] },
      '00201208': { vr: 'IS', Value: [3] },
    });
    expect(Object.keys(study ?? {})).to.deep.equal(Object.keys(study ?? {}).toSorted());
  });

  it('answers the modality of a study when a viewer asks for it at this level', async () => {
    for (const field of ['00080060', '00081030,00080060', 'Modality', 'all']) {
      const [study] = await askJson(door, `/studies?AccessionNumber=ACC-1&includefield=${field}`);
      expect(study?.['00080060'], field).to.deep.equal({ vr: 'CS', Value: ['CT'] });
    }
  });

  it('answers the query of a viewer: tags and keywords, stars, several UIDs, latest study first', async () => {
    const { ct, mr, hidden } = clinic;
    const uids = [mr, ct, hidden].map(({ studyInstanceUID }) => studyInstanceUID).join('%5C');
    const query =
      `PatientName=*essai*&00100020=*pat-1*&AccessionNumber=*ACC*&StudyDescription=*r*` +
      `&ModalitiesInStudy=CT,MR&limit=101` +
      `&offset=0&fuzzymatching=false&includefield=00081030,00080060` +
      `&StudyDate=20250101-20261231&StudyInstanceUID=${uids}`;
    expect(await found(query)).to.deep.equal([ct.studyInstanceUID, mr.studyInstanceUID]);
  });

  it('matches each key', async () => {
    const { ct, mr } = clinic;
    const [ctUID, mrUID] = [ct.studyInstanceUID, mr.studyInstanceUID];
    const expected: Readonly<Record<string, readonly string[]>> = {
      '': [ctUID, mrUID],
      'PatientID=': [ctUID, mrUID],
      'StudyDescription=*': [ctUID, mrUID],
      [`StudyInstanceUID=${mrUID}`]: [mrUID],
      [`StudyInstanceUID=${mrUID}&StudyInstanceUID=${ctUID}`]: [ctUID, mrUID],
      'StudyInstanceUID=2.25.4': [],
      'ModalitiesInStudy=MR': [mrUID],
      '00080061=MR%5CUS': [mrUID],
      'Modality=CT': [ctUID],
      'AccessionNumber=ACC-2': [mrUID],
      'AccessionNumber=ACC': [],
      'PatientID=pat-1': [ctUID, mrUID],
      'PatientID=pat-2': [],
      'PatientName=ESSAI^Anne': [ctUID, mrUID],
      'PatientName=Ess*': [ctUID, mrUID],
      'PatientName=ss*': [],
      'PatientName=essa': [],
      'PatientName=*marie*': [ctUID, mrUID],
      'PatientName=Essai^Bruno': [],
      'PatientName=T%C3%A9moin': [],
      'PatientID=*at-1*': [ctUID, mrUID],
      'PatientID=pat*': [ctUID, mrUID],
      '00100020=*pat-2*': [],
      'AccessionNumber=*CC-2*': [mrUID],
      'AccessionNumber=ACC*': [ctUID, mrUID],
      'StudyDescription=thorax': [ctUID],
      'StudyDescription=Thor': [],
      'StudyDescription=*ra*': [ctUID, mrUID],
      'StudyDescription=Th?rax': [ctUID],
      'StudyDescription=?horax*': [ctUID],
      'StudyDescription=t*x': [ctUID],
      'AccessionNumber=*-1': [ctUID],
      'AccessionNumber=ACC?1': [ctUID],
      'PatientID=p*1': [ctUID, mrUID],
      'PatientID=p*2': [],
      'PatientName=E*i': [ctUID, mrUID],
      'PatientName=*sai': [ctUID, mrUID],
      'PatientName=E?sai^An*e': [ctUID, mrUID],
      '00081030=crane*': [mrUID],
      'ReferringPhysicianName=BRANDESSART^Maelle': [ctUID, mrUID],
      'ReferringPhysicianName=*Lambert*': [],
      'StudyTime=003000': [ctUID],
      'StudyTime=00-01': [ctUID],
      '00080030=1600-': [mrUID],
      'StudyTime=-0029': [],
      'StudyTime=160004-160006&StudyDate=20250630': [mrUID],
      'StudyID=EX7': [ctUID],
      '00200010=*x*': [ctUID],
    };
    for (const [query, studies] of Object.entries(expected)) expect(await found(query), query).to.deep.equal(studies);
  });

  it('takes days as days of the region, ends of a range included', async () => {
    const { ct, mr } = clinic;
    const [ctUID, mrUID] = [ct.studyInstanceUID, mr.studyInstanceUID];
    // The CT began at 00:30 in Paris, which is the day before in UTC.
    expect(await found('StudyDate=20260214')).to.deep.equal([ctUID]);
    expect(await found('StudyDate=20260213')).to.deep.equal([]);
    expect(await found('StudyDate=20250630-20260214')).to.deep.equal([ctUID, mrUID]);
    expect(await found('StudyDate=-20260213')).to.deep.equal([mrUID]);
    expect(await found('00080020=20250701-')).to.deep.equal([ctUID]);
  });

  it('pages by limit and offset', async () => {
    const { ct, mr } = clinic;
    expect(await found('limit=1')).to.deep.equal([ct.studyInstanceUID]);
    expect(await found('limit=1&offset=1')).to.deep.equal([mr.studyInstanceUID]);
    expect(await found('offset=2')).to.deep.equal([]);
    expect(await found('offset=9000')).to.deep.equal([]);
    expect(await refusal('offset=10001')).to.match(/offset is at most 10000/);
    expect(await refusal('limit=0')).to.match(/limit/);
    expect(await refusal('limit=all')).to.match(/limit/);
  });

  it('refuses a key or a value that is not served, never widening', async () => {
    expect(await refusal('PatientSex=F')).to.match(/PatientSex; they are by StudyInstanceUID, AccessionNumber/);
    expect(await refusal('StudyDescription=a*b*c*d*e*f*g')).to.match(/wildcards/);
    expect(await refusal('StudyID=a%5Cb')).to.match(/one value/);
    expect(await refusal('ReferringPhysicianName=a?b')).to.match(/ReferringPhysicianName/);
    for (const time of ['25', '1', '10:6', '10-11-12', '-', 'noon'])
      expect(await refusal(`StudyTime=${time}`), time).to.match(/HHMMSS/);
    expect(await refusal('SeriesInstanceUID=2.25.1')).to.match(/not a key of a study query/);
    expect(await refusal('constructor=1')).to.match(/not a key of a study query/);
    expect(await refusal('StudyInstanceUID=abc')).to.match(/must be a UID/);
    expect(await refusal('StudyDate=2026')).to.match(/YYYYMMDD/);
    expect(await refusal('StudyDate=20260230')).to.match(/YYYYMMDD/);
    expect(await refusal('ModalitiesInStudy=C*')).to.match(/wildcard/);
    expect(await refusal('PatientID=pat-1&00100020=pat-2')).to.match(/may be given once/);
  });

  it('warns where it matches otherwise than asked', async () => {
    const fuzzy = await ask(door, '/studies?fuzzymatching=true');
    expect(fuzzy.headers.get('Warning')).to.match(/^299 passerelle\.example ".*fuzzymatching/);
    const referrer = await ask(door, '/studies?ReferringPhysicianName=Brand');
    expect(referrer.headers.get('Warning')).to.match(/matched by its parts/);
    expect(await referrer.json()).to.have.length(2);
    expect((await ask(door, '/studies?PatientID=pat-1&fuzzymatching=false')).headers.has('Warning')).to.equal(false);
  });

  it('shows a stranger nothing, as if nothing were stored', async () => {
    expect(await found('', 'stranger')).to.deep.equal([]);
    const { ct } = clinic;
    const hidden = await ask(door, `/studies?StudyInstanceUID=${ct.studyInstanceUID}`, 'stranger');
    const unknown = await ask(door, '/studies?StudyInstanceUID=2.25.4', 'stranger');
    expect([hidden.status, await hidden.text()]).to.deep.equal([unknown.status, await unknown.text()]);
    expect(hidden.status).to.equal(200);
  });

  it('shows a patient her own studies', async () => {
    expect(await found('', 'anne')).to.deep.equal(
      [clinic.ct, clinic.mr].map(({ studyInstanceUID }) => studyInstanceUID),
    );
  });

  it('writes the query into the list that the patient reads', async () => {
    await found('AccessionNumber=ACC-2&limit=7');
    const [event] = await clinic.events(clinic.anne, 'RAD-129');
    const query = event?.entity?.find((entity) => entity.query !== undefined)?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).to.equal('AccessionNumber=ACC-2&limit=7');
    expect(event?.agent.some(({ who }) => who?.reference === 'Practitioner/lambert')).to.equal(true);
    expect(event?.source.site).to.equal(BASE_URL);
    expect(await clinic.events(clinic.bruno, 'RAD-129')).to.deep.equal([]);
  });

  it('challenges who has no token, a bad one or no scope', async () => {
    const none = await ask(door, '/studies', '');
    expect([none.status, none.headers.get('WWW-Authenticate')]).to.deep.equal([401, 'Bearer error="invalid_token"']);
    const nobody = await fetch(`${door.origin}/dicom-web/studies`);
    expect([nobody.status, nobody.headers.get('WWW-Authenticate')]).to.deep.equal([401, 'Bearer']);
    const weak = await ask(door, '/studies', 'weak');
    expect([weak.status, weak.headers.get('WWW-Authenticate')]).to.deep.equal([
      403,
      'Bearer error="insufficient_scope"',
    ]);
  });

  it('forbids to keep its answers, and answers only what is accepted', async () => {
    const response = await ask(door, '/studies');
    expect(response.headers.get('Cache-Control')).to.equal('private, no-store');
    expect(response.headers.get('Vary')).to.equal('Authorization, Accept');
    expect(response.headers.get('Content-Type')).to.equal('application/dicom+json');
    const xml = await ask(door, '/studies', 'lambert', { Accept: 'multipart/related; type="application/dicom+xml"' });
    expect(xml.status).to.equal(406);
  });

  it('says of the rest of DICOMweb that it is not supported', async () => {
    const study = `/studies/${clinic.ct.studyInstanceUID}`;
    const instance = `${study}/series/2.25.1/instances/2.25.2`;
    for (const path of [`${study}/pixeldata`, `${instance}/pixeldata`]) {
      const response = await ask(door, path);
      expect(response.status, path).to.equal(501);
      expect(await response.text()).to.include('not-supported');
    }
    expect(door.errors).to.deep.equal([]);
  });
});
