/** What patients are told of their record, by what happens to it: once, when it is so, and nothing of what is old. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Communication, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { OFFICERS } from '../../fixtures/people.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { byStudyUid } from '../support/demonstration.ts';
import {
  anExam,
  aReport,
  countOf,
  describeReports,
  examByUid,
  idOf,
  imagesOf,
  put,
  sent,
  type ReportRegion,
} from './support/report-region.ts';

const FRENCH_LABELS = 'urn:oid:1.2.250.1.213.1.1.4.13';

type Kind = 'new-document' | 'imaging-service' | 'correspondent' | 'withdrawal' | 'opposition' | 'reconsent';

async function told(region: ReportRegion, kind: Kind | 'reconsent-request'): Promise<Communication[]> {
  const notices = await region.patient.find<Communication>('Communication?_count=200');
  return notices.filter(({ category }) => category?.[0]?.coding?.[0]?.code === kind);
}

function textOf(notice: Communication | undefined): string {
  return notice?.payload?.[0]?.contentString ?? '';
}

/** A report of today. */
function today(region: ReportRegion, key: string, said: Partial<DiagnosticReport> = {}): DiagnosticReport {
  const issued = new Date().toISOString();
  return aReport(region, key, { issued, ...(said as object) });
}

describeReports('A patient is told of news', {}, (region) => {
  /** Waits until as many notices of a kind stand, and all work that was asked for before is done. */
  const expectTold = async (kind: Kind, count: number, why: string): Promise<Communication[]> => {
    await idle();
    const notices = await told(region(), kind);
    expect(notices.map(textOf), why).to.have.length(count);
    return notices;
  };
  const idle = async (): Promise<void> =>
    void (await eventually(async () => {
      const health = (await (await fetch(`${region().server.url}/health/ready`)).json()) as {
        jobs: Record<string, { waiting: number; running: number; later: number }>;
      };
      const kinds = ['refresh-study', 'update-study', 'close-study', 'tell-news', 'send-notice'];
      const busy = kinds.some((kind) => {
        const { waiting = 1, running = 1, later = 1 } = health.jobs[kind] ?? {};
        return waiting + running + later > 0;
      });
      return busy ? undefined : true;
    }, 30));

  it('a correspondent that an establishment declared: by name, and once for who is declared again', async () => {
    const [notice] = await expectTold('correspondent', 1, 'declared at the visit');
    expect(textOf(notice)).to.include('Dr Maëlle Brandessart');
    expect(notice?.about?.[0]?.reference).to.match(/^Consent\//);
    const again = await region().strasbourg.send('POST', 'Consent', {
      ...demoConsent(`Patient/${region().patients.helene}`),
      dateTime: '2026-11-01T10:00:00+01:00',
    });
    expect(again.status, again.text).to.equal(200);
    await expectTold('correspondent', 1, 'declared again: no right begins');
    const other = demoConsent(`Patient/${region().patients.helene}`);
    const [actor] = other.provision?.actor ?? [];
    const reference = { reference: OFFICERS.regionDesk.reference };
    const declared = await region().strasbourg.send('POST', 'Consent', {
      ...other,
      provision: { ...other.provision, actor: [{ ...actor, reference }] },
    });
    expect(declared.status, declared.text).to.equal(201);
    const [newest] = await expectTold('correspondent', 2, 'another one');
    expect(textOf(newest)).to.include(OFFICERS.regionDesk.name);
  });

  it('nobody whom she blocks, who reads nothing', async () => {
    const before = (await told(region(), 'correspondent')).length;
    const { patient, strasbourg, patients } = region();
    const { provision, ...consent } = demoConsent(`Patient/${patients.helene}`);
    const [actor] = provision?.actor ?? [];
    const about = (type: 'permit' | 'deny', ...references: readonly string[]) => ({
      ...consent,
      provision: { ...provision, type, actor: references.map((reference) => ({ ...actor, reference: { reference } })) },
    });
    const block = await patient.send('POST', 'Consent', about('deny', 'Practitioner/demo-stranger'));
    expect(block.status, block.text).to.equal(201);
    const alone = await strasbourg.send('POST', 'Consent', about('permit', 'Practitioner/demo-stranger'));
    expect(alone.status, alone.text).to.equal(201);
    await expectTold('correspondent', before, 'a block, and the blocked');
    const other = OFFICERS.regionDpo;
    const two = await strasbourg.send(
      'POST',
      'Consent',
      about('permit', 'Practitioner/demo-stranger', other.reference),
    );
    expect(two.status, two.text).to.equal(201);
    const [newest] = await expectTold('correspondent', before + 1, 'another beside');
    expect(textOf(newest)).to.include(other.name).and.not.include('Vaudrémont-Ciel');
    for (const { headers } of [block, alone, two])
      await patient.send('DELETE', `Consent/${(headers.get('location') ?? '').split('/').at(-3)}`);
  });

  it('who joins her circle, each once, as her médecin référent, too', async () => {
    const before = (await told(region(), 'correspondent')).length;
    const { patient, patients } = region();
    const team = {
      resourceType: 'CareTeam',
      status: 'active',
      category: [{ coding: [{ system: CODE_SYSTEM.recordCircle, code: 'referent' }] }],
      subject: { reference: `Patient/${patients.helene}` },
      participant: [{ member: { reference: 'Practitioner/demo-stranger' } }],
    };
    const made = await patient.send('POST', 'CareTeam', team);
    expect(made.status, made.text).to.equal(201);
    const [notice] = await expectTold('correspondent', before + 1, 'taken in');
    expect(textOf(notice)).to.include('Dr Côme Vaudrémont-Ciel');
    const id = idOf(made);
    const further = [...team.participant, { member: { reference: 'Practitioner/demo-radiologist' } }];
    const put = await patient.send('PUT', `CareTeam/${id}`, { ...team, id, participant: further });
    expect(put.status, put.text).to.equal(200);
    const [newest] = await expectTold('correspondent', before + 2, 'one more, and the first no second time');
    expect(textOf(newest)).to.include('Hartmannsweil');
  });

  it('an imaging service, with its establishment’s first exam of hers and with no further one', async () => {
    await imagesOf(region(), anExam('news/service'));
    const [notice] = await expectTold('imaging-service', 1, 'the first of Strasbourg');
    expect(textOf(notice)).to.include('imagerie médicale du CHU');
    await imagesOf(region(), anExam('news/service-again', { started: '2026-02-02T08:00:00' }));
    await expectTold('imaging-service', 1, 'the second of Strasbourg');
    await imagesOf(region(), anExam('news/service-nancy', { establishment: 'nancy', modality: 'CR' }));
    await expectTold('imaging-service', 2, 'the first of Nancy');
  });

  it('a document when she may read it and not before, once a day for an exam', async () => {
    const study = anExam('news/document', { started: '2026-03-03T08:00:00' });
    await imagesOf(region(), study);
    await expectTold('new-document', 0, 'images that no report released');
    const said = { imagingStudy: [examByUid(study)] };
    await sent(region().strasbourg, today(region(), 'news/document', { ...said, status: 'preliminary' }));
    await expectTold('new-document', 0, 'a report that nobody has validated');
    await put(region().strasbourg, today(region(), 'news/document', said));
    await eventually(async () =>
      (await countOf(region().patient, `ImagingStudy?${byStudyUid(study)}`)) === 1 ? true : undefined,
    );
    const [notice] = await expectTold('new-document', 1, 'report and images of one exam');
    expect([notice?.about, notice?.sender]).to.deep.equal([undefined, undefined]);
    expect(JSON.stringify(notice)).to.not.match(/Scanner|Conclusion|ImagingStudy|DiagnosticReport/);
    await put(
      region().strasbourg,
      today(region(), 'news/document', { ...said, status: 'amended', conclusion: 'Autre' }),
    );
    await sent(region().strasbourg, today(region(), 'news/document-2', said));
    await expectTold('new-document', 1, 'further versions and reports of the same day');
    const other = anExam('news/document-other', { started: '2026-03-04T08:00:00' });
    await sent(region().strasbourg, today(region(), 'news/first', { imagingStudy: [examByUid(other)] }));
    await imagesOf(region(), other);
    await expectTold('new-document', 2, 'another exam, whose report came before its images');
  });

  it('a document that was to be announced, once it is: INVISIBLE_PATIENT hides that there is one', async () => {
    const before = (await told(region(), 'new-document')).length;
    const study = anExam('news/masked', { started: '2026-03-05T08:00:00' });
    await imagesOf(region(), study);
    const security = [{ system: FRENCH_LABELS, code: 'INVISIBLE_PATIENT' }];
    const masked = today(region(), 'news/masked', { imagingStudy: [examByUid(study)], meta: { security } });
    const id = await sent(region().strasbourg, masked);
    await expectTold('new-document', before, 'not announced');
    const said = await region().strasbourg.send('POST', `DiagnosticReport/${id}/$set-confidentiality`, {
      resourceType: 'Parameters',
    });
    expect([200, 204], said.text).to.include(said.status);
    await expectTold('new-document', before + 1, 'announced');
  });

  it('nothing of a report of long ago, nor of an exam that was imported', async () => {
    const before = (await told(region(), 'new-document')).length;
    const former = anExam('news/former', { started: '2024-03-04T08:00:00' });
    await imagesOf(region(), former);
    await sent(region().strasbourg, aReport(region(), 'news/former', { imagingStudy: [examByUid(former)] }));
    await expectTold('new-document', before, 'made in January');
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-news-'));
    try {
      const imported = anExam('news/imported', { started: '2026-04-05T08:00:00' });
      await mkdir(join(folder, 'dicom'));
      let at = 0;
      for await (const { bytes } of imported.instances()) {
        at += 1;
        await writeFile(join(folder, 'dicom', `${at}.dcm`), bytes);
      }
      const { server, store } = region();
      const place = { dataDir: server.dataDir, store };
      const ran = await runCommand('import', [join(folder, 'dicom'), '--organization', 'demo-strasbourg'], place);
      expect(ran.code, ran.stderr).to.equal(0);
      await eventually(async () => {
        const [found] = await region().strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(imported)}`);
        return found;
      });
      await sent(region().strasbourg, today(region(), 'news/imported', { imagingStudy: [examByUid(imported)] }));
      await expectTold('new-document', before, 'imported');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('C10 a withdrawal, a request and each end at once, whoever spoke, and nothing where nothing changes', async () => {
    const { patient, strasbourg, patients } = region();
    const body = {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patients.helene}` } }],
    };
    const of = async (): Promise<readonly number[]> => {
      await idle();
      const kinds = ['withdrawal', 'reconsent', 'reconsent-request'] as const;
      return await Promise.all(kinds.map(async (kind) => (await told(region(), kind)).length));
    };
    const asked = async (caller: typeof patient, operation: string, sentBody?: object): Promise<void> => {
      const answer = await caller.send('POST', `Patient/$${operation}`, sentBody);
      expect([200, 201, 202], answer.text).to.include(answer.status);
    };
    expect(await of()).to.deep.equal([0, 0, 0]);
    await asked(patient, 'withdraw');
    expect(await of(), 'hers').to.deep.equal([1, 0, 0]);
    await asked(patient, 'withdraw');
    expect(await of(), 'said again').to.deep.equal([1, 0, 0]);
    await asked(strasbourg, 'withdraw', body);
    expect(await of(), 'an establishment’s').to.deep.equal([2, 0, 0]);
    await asked(strasbourg, 'reconsent', body);
    expect(await of(), 'its own ends, hers is asked for').to.deep.equal([2, 1, 1]);
    await asked(patient, 'reconsent');
    expect(await of(), 'hers ends').to.deep.equal([2, 2, 1]);
    await asked(patient, 'reconsent');
    expect(await of(), 'nothing ended').to.deep.equal([2, 2, 1]);
  });
});
