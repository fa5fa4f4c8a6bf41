/** GDPR 20, N06 of smart-security.md: a patient takes her record along (`Patient/$portability`). */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { ImagingStudy, Parameters, Task } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { eventsOf, eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { byStudyUid, fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { runProgram } from '../support/peers/dcmtk.ts';
import { readByPydicom } from '../support/peers/media-readers.ts';
import { PYTHON } from '../support/peers/python-peers.ts';
import { zipFiles } from '../support/clients/zip-files.ts';
import { onEachStore } from './support/each-store.ts';

type Files = ReadonlyMap<string, Buffer>;

/** A manifest and a report of each exam; they come after it. */
const DOCUMENTS = 4;

onEachStore('Patient/$portability (GDPR 20, N06)', {}, (running) => {
  let region: Demonstration;
  /** The address of an export, below the base of FHIR. */
  let place = '';
  before(async () => {
    region = await fillDemonstration(running().server);
    // Nobody has reported on it yet, so she does not see it.
    await sendStudy(
      running().server,
      aStudy({ key: 'portability/unreported', patient: PATIENTS.helene, instances: 1 }),
    );
    await eventually(async () => {
      const documents = await region.patient.find('DocumentReference?_count=100');
      return documents.length < DOCUMENTS ? undefined : documents;
    });
  });

  const begun = async (caller: FhirCaller = region.patient): Promise<string> => {
    const answer = await caller.send('POST', 'Patient/$portability');
    expect(answer.status, answer.text).to.equal(202);
    return answer.headers.get('content-location')?.replace(/.*\/fhir\//, '') ?? '';
  };
  const fetched = async (path: string, token = region.patient.token): Promise<Response> =>
    await fetch(`${running().server.url}/fhir/${path}`, { headers: { authorization: `Bearer ${token}` } });
  /** ZIPs that were fetched. */
  let zips = 0;
  const filesOf = async (path: string, token?: string): Promise<Files> => {
    zips += 1;
    const answer = await fetched(path, token);
    expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([200, 'application/zip']);
    return zipFiles(Buffer.from(await answer.arrayBuffer()));
  };
  const linesOf = (files: Files, type: string): readonly Record<string, unknown>[] =>
    (files.get(`FHIR/${type}.ndjson`)?.toString() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const statusOf = async (): Promise<Parameters> => {
    const answer = await region.patient.get(place);
    expect(answer.status, answer.text).to.equal(200);
    return answer.json<Parameters>();
  };
  const exams = async (): Promise<readonly ImagingStudy[]> => await region.patient.find<ImagingStudy>('ImagingStudy');

  it('is begun with 202 and its address, where its state is read; asked again it is the same', async () => {
    place = await begun();
    expect(await begun()).to.equal(place);
    const answer = await region.patient.get(place);
    expect([answer.status, answer.headers.get('x-progress')]).to.deep.equal([200, '0 of 2 exams sent']);
    const values = new Map((await statusOf()).parameter?.map((one) => [one.name, one]));
    expect(values.get('zip')?.valueUrl).to.equal(`${running().server.url}/fhir/${place}/zip`);
    expect(values.get('requiresAccessToken')?.valueBoolean).to.equal(true);
    expect(values.has('rest')).to.equal(false);
    const asked = await region.patient.send('POST', 'Patient/$data-subject-request', {
      resourceType: 'Parameters',
      parameter: [{ name: 'right', valueCode: 'portability' }],
    });
    expect([asked.status, asked.headers.get('content-location')]).to.deep.equal([
      202,
      `${running().server.url}/fhir/${place}`,
    ]);
  });

  it('gives every instance as it was sent, every document and resource that she sees, and nothing else', async () => {
    const files = await filesOf(`${place}/zip`);
    const { helene, heleneNancy } = region.studies;
    const sent = [...helene.instances(), ...heleneNancy.instances()].map(({ sopInstanceUID }) => sopInstanceUID);
    const dicom = [...files].filter(([path]) => path.startsWith('DICOM/'));
    for (const [path] of dicom) expect(path).to.match(/^DICOM\/ST\d{6}\/SE\d{6}\/IM\d{6}$/);
    const held = dicom.map(([, bytes]) => sent.find((uid) => bytes.includes(uid)));
    expect(held.toSorted()).to.deep.equal(sent.toSorted());
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'Patient', 'Consent']) {
      const ids = (await region.patient.find(`${type}?_count=100`)).map(({ id }) => id);
      expect(
        linesOf(files, type)
          .map(({ id }) => id)
          .toSorted(),
        type,
      ).to.deep.equal(ids.toSorted());
      expect(ids, type).to.not.have.length(0);
    }
    const others = await region.patient.find('Task?_count=100');
    expect(linesOf(files, 'Task')).to.have.length(others.length);
    expect([...files.keys()].filter((path) => /AuditEvent|Practitioner|Organization/.test(path))).to.deep.equal([]);
    const reports = [...files].filter(([path]) => path.startsWith('REPORTS/'));
    expect(reports.length).to.be.greaterThan(0);
    for (const [path, bytes] of reports)
      if (path.endsWith('.pdf')) expect(bytes.subarray(0, 5).toString()).to.equal('%PDF-');
    expect(reports.some(([path]) => path.endsWith('.pdf'))).to.equal(true);
    const all = Buffer.concat([...files.values()]);
    expect(all.includes(PATIENTS.gaetan.familyName), 'of another patient').to.equal(false);
    expect(all.includes(aStudy({ key: 'portability/unreported' }).studyInstanceUID), 'not announced').to.equal(false);
  });

  it('N06 has a SHA-256 of every file, as sha256sum lists them', async () => {
    const files = await filesOf(`${place}/zip`);
    const listed = new Map<string, string>();
    for (const [path, bytes] of files) {
      if (!path.startsWith('MANIFEST')) continue;
      for (const line of bytes
        .toString()
        .split('\n')
        .filter((one) => one !== '')) {
        const [hash = '', name = ''] = line.split('  ');
        listed.set(name, hash);
      }
    }
    expect([...listed.keys()].toSorted()).to.deep.equal(
      [...files.keys()].filter((path) => path !== 'MANIFEST.TXT').toSorted(),
    );
    for (const [path, hash] of listed)
      expect(
        createHash('sha256')
          .update(files.get(path) ?? '')
          .digest('hex'),
        path,
      ).to.equal(hash);
  });

  /** Unpacks the ZIP into a folder, for a while. */
  const unpacked = async (read: (folder: string, files: Files) => Promise<void>): Promise<void> => {
    const files = await filesOf(`${place}/zip`);
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-export-'));
    try {
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
      await read(folder, files);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  it('N06 is read by pydicom’s FileSet', async function () {
    if (!hasProgram(PYTHON)) this.skip();
    await unpacked(async (folder, files) => {
      const found = await readByPydicom(join(folder, 'DICOMDIR'));
      const count = [...files.keys()].filter((path) => path.startsWith('DICOM/')).length;
      for (const { loaded, instance } of found) expect(loaded).to.equal(instance);
      expect([found.length, new Set(found.map(({ study }) => study)).size]).to.deep.equal([count, 2]);
    });
  });

  it('N06 is read by DCMTK without a word', async function () {
    if (!hasProgram('dcmdump')) this.skip();
    await unpacked(async (folder, files) => {
      const all = [...files.keys()].filter((path) => path.startsWith('DICOM')).map((path) => join(folder, path));
      const { code, output } = await runProgram('dcmdump', ['-q', ...all]);
      expect([code, output.split('\n').filter((line) => /^[WEF]:/.test(line))]).to.deep.equal([0, []]);
    });
  });

  it('is told by one event with each exam in it, as an export', async () => {
    const events = await eventsOf(region.patient, 'operation');
    const exported = events.filter(({ type }) => type.code === '110106');
    expect(exported, 'one of each ZIP').to.have.length(zips);
    const ids = (await exams()).map(({ id }) => `ImagingStudy/${id}`);
    for (const { entity = [] } of exported) {
      const named = entity.flatMap(({ what }) => what?.reference ?? []);
      expect(named.filter((reference) => reference.startsWith('ImagingStudy/')).toSorted()).to.deep.equal(
        ids.toSorted(),
      );
      expect(named).to.include(place.replace('portability/', 'Task/'));
    }
  });

  it('is resumed by exam: how far it is is known, what follows is fetched, and one exam again', async () => {
    const task = (await region.patient.get(place.replace('portability/', 'Task/'))).json<Task>();
    expect(task.status).to.equal('completed');
    expect(
      task.output?.map(({ valueUnsignedInt, valueReference }) => valueUnsignedInt ?? valueReference?.reference),
    ).to.have.length(2);
    expect((await region.patient.get(place)).headers.get('x-progress')).to.equal('2 of 2 exams sent');
    const [first, second] = await exams();
    const rest = await filesOf(`${place}/zip?after=${first?.id}`);
    const again = await filesOf(`${place}/zip?exam=${second?.id}`);
    const dicomOf = (files: Files): readonly string[] => [...files.keys()].filter((path) => path.startsWith('DICOM/'));
    for (const files of [rest, again]) {
      expect(dicomOf(files)).to.have.length([...region.studies.heleneNancy.instances()].length);
      expect([...files.keys()].filter((path) => /^(?:FHIR|REPORTS)/.test(path))).to.deep.equal([]);
      expect(files.has('DICOMDIR')).to.equal(true);
    }
    expect(dicomOf(await filesOf(`${place}/zip?after=${second?.id}`))).to.deep.equal([]);
    for (const part of ['after=nothing', 'exam=nothing'])
      expect((await fetched(`${place}/zip?${part}`)).status, part).to.equal(404);
    const gaetans = await region.strasbourg.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(region.studies.gaetan)}`);
    for (const part of [`after=${gaetans.id}`, `exam=${gaetans.id}`])
      expect((await fetched(`${place}/zip?${part}`)).status, part).to.equal(404);
    for (const part of ['study=1', `after=${first?.id}&exam=${first?.id}`, 'exam='])
      expect((await fetched(`${place}/zip?${part}`)).status, part).to.equal(400);
  });

  it('is opened by its patient alone, whatever an establishment or another patient may see', async () => {
    const other = await personCaller(running().server, 'demo-patient-lu');
    for (const path of [place, `${place}/zip`]) {
      for (const caller of [region.strasbourg, region.declared, region.stranger])
        expectOutcome(await caller.get(path), 403, 'forbidden');
      const hers = await other.get(path);
      const nothing = await other.get(path.replace(place, 'portability/nothing'));
      expectOutcome(hers, 404, 'not-found');
      expect(hers.text).to.equal(nothing.text);
      expect((await fetch(`${running().server.url}/fhir/${path}`)).status).to.equal(401);
    }
    expectOutcome(await other.send('DELETE', place), 404, 'not-found');
    for (const caller of [region.strasbourg, region.declared])
      expectOutcome(await caller.send('POST', 'Patient/$portability'), 403, 'forbidden');
    for (const caller of [other, region.strasbourg, region.declared])
      expectOutcome(await caller.get(place.replace('portability/', 'Task/')), 404, 'not-found');
    expect((await region.patient.send('HEAD', `${place}/zip`)).status).to.equal(405);
  });

  it('holds what the scopes of the token open, and needs those of exams', async () => {
    const { server } = running();
    const narrow = await personCaller(server, 'demo-patient', { scope: 'patient/ImagingStudy.rs' });
    const files = await filesOf(`${place}/zip`, narrow.token);
    expect([...files.keys()].filter((path) => /^(?:FHIR|REPORTS)/.test(path))).to.deep.equal([
      'FHIR/ImagingStudy.ndjson',
    ]);
    const without = await personCaller(server, 'demo-patient', { scope: 'patient/DiagnosticReport.rs' });
    expectOutcome(await without.get(`${place}/zip`), 403, 'forbidden');
    expectOutcome(await without.send('POST', 'Patient/$portability'), 403, 'forbidden');
  });

  it('leaves out what a label hides from her, at once: INVISIBLE_PATIENT', async () => {
    const [, second] = await exams();
    const { provision, ...consent } = demoConsent(`Patient/${region.patients.helene}`);
    const data = [{ meaning: 'instance', reference: { reference: `ImagingStudy/${second?.id}` } }];
    const declared = await region.patient.send('POST', 'Consent', { ...consent, provision: { ...provision, data } });
    expect(declared.status, declared.text).to.equal(201);
    const labelled = await region.nancy.send('POST', `ImagingStudy/${second?.id}/$set-confidentiality`, {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'confidentiality',
          valueCoding: { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_PATIENT' },
        },
      ],
    });
    expect(labelled.status, labelled.text).to.equal(200);
    const files = await filesOf(`${place}/zip`);
    // The report has a label of its own, and she still sees it.
    const images = [...files].filter(([path]) => /^(?:DICOM|FHIR\/ImagingStudy)/.test(path));
    const all = Buffer.concat(images.map(([, bytes]) => bytes));
    expect(all.includes(region.studies.heleneNancy.studyInstanceUID)).to.equal(false);
    const consents = files.get('FHIR/Consent.ndjson')?.toString() ?? '';
    expect([consents.includes('masked'), consents.includes(second?.id ?? '')]).to.deep.equal([true, false]);
    for (const part of ['exam', 'after']) {
      const hidden = await fetched(`${place}/zip?${part}=${second?.id}`);
      const unknown = await fetched(`${place}/zip?${part}=nothing`);
      expect(hidden.status, part).to.equal(404);
      expect(await hidden.text(), part).to.equal(await unknown.text());
    }
  });

  it('ends by DELETE, and a new one is begun', async () => {
    // The one before was fetched to its end.
    place = await begun();
    const answer = await region.patient.send('DELETE', place);
    expect(answer.status, answer.text).to.equal(202);
    for (const path of [place, `${place}/zip`]) expectOutcome(await region.patient.get(path), 404, 'not-found');
    expectOutcome(await region.patient.send('DELETE', place), 404, 'not-found');
    expect((await region.patient.get(place.replace('portability/', 'Task/'))).json<Task>().status).to.equal(
      'cancelled',
    );
    const next = await begun();
    expect(next).to.not.equal(place);
    place = next;
  });

  it('N01 is closed while the erasure of the record is pending, and begins no more', async () => {
    expect((await region.patient.send('POST', 'Patient/$request-erasure')).status).to.equal(201);
    for (const path of [place, `${place}/zip`]) expectOutcome(await region.patient.get(path), 404, 'not-found');
    expectOutcome(await region.patient.send('POST', 'Patient/$portability'), 403, 'forbidden');
    expect((await region.patient.send('POST', 'Patient/$cancel-erasure')).status).to.equal(200);
    expect((await region.patient.get(place)).status).to.equal(200);
  });
});
