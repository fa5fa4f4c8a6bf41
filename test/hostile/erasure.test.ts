/**
 * Erasure in adverse conditions: killed in the middle, while others send and read, of what lies aside or shares a
 * report.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Bundle, DiagnosticReport, DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import { aStudy, type StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import type { DemoInstance, DemoStudy } from '../../fixtures/dicom/studies.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { CODE_SYSTEM, oidUri } from '../../profiles/codes.ts';
import { openReader, openWriter, type Database } from '../../server/stores/sqlite/database.ts';
import { byStudyUid, establishmentCaller } from '../support/demonstration.ts';
import { filesWith, formsOf, leftOf, runErase } from '../support/data-folder/erasing.ts';
import { eventually, fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { referredBlobs, rowsOfStudy, storedBlobs, verifyTrail } from './kill/data-folder.ts';
import { sendInstances } from './kill/store-sender.ts';

const MANY = 2_100;
const BULK = Buffer.alloc(400_000, 'pixels of nobody, ');

/** A study in whose every corner there is something that nothing else holds. */
function canaryStudy(key: string, overrides: StudyOverrides = {}): DemoStudy {
  return aStudy({
    key: `erasure/${key}`,
    description: `Déçu-${key}-4817`,
    attributes: {
      '00190010:LO': 'PASSERELLE DEMO 1.0',
      '00191003:LO': `Privé-${key}-œuvre`,
      '00191004:SQ': [{ '00190010:LO': 'PASSERELLE DEMO 1.0', '00191005:SH': `item-${key}` }],
      '00291010:OB': Buffer.from(`bytes-${key}-of-a-private-kind`),
      '00290010:LO': 'PASSERELLE DEMO RAW',
      PatientName: `Canari^Zoé-${key}`,
    },
    ...overrides,
  });
}

function canariesOf(
  { studyInstanceUID, accessionNumber, description }: DemoStudy,
  key: string,
  instances: readonly DemoInstance[],
): Map<string, readonly Buffer[]> {
  const texts = [
    studyInstanceUID,
    accessionNumber,
    description,
    `Privé-${key}-œuvre`,
    `item-${key}`,
    `bytes-${key}-of-a-private-kind`,
    `Zoé-${key}`,
  ];
  const uids = [
    instances[0]?.seriesInstanceUID ?? '',
    instances[0]?.sopInstanceUID ?? '',
    instances.at(-1)?.sopInstanceUID ?? '',
  ];
  return new Map([...texts, ...uids].map((text) => [text, formsOf(text)]));
}

describe('Erasure of a study in adverse conditions', function () {
  this.timeout(120_000);
  let dataDir: string;
  let server: TestServer;
  let caller: FhirCaller;
  const start = async (): Promise<void> => {
    server = await startServer({ dataDir });
    caller = await establishmentCaller(server, 'strasbourg');
  };
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-erasure-'));
    await start();
    // Something that stays, of the same patient, so that rows of both lie on the same pages.
    await receive(aStudy({ key: 'erasure/stays', instances: 40 }));
  });
  after(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const send = async (study: DemoStudy, instances: Iterable<DemoInstance> = study.instances()): Promise<number[]> => {
    const statuses: number[] = [];
    await sendInstances(
      server.dimse,
      study.establishment.aeTitle,
      instances,
      (_, status) => void statuses.push(status),
    );
    return statuses;
  };
  const standing = async (study: DemoStudy): Promise<ImagingStudy | undefined> =>
    (await caller.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`))[0];
  const manifestsOf = async ({ studyInstanceUID }: DemoStudy): Promise<DocumentReference[]> =>
    await caller.find<DocumentReference>(
      `DocumentReference?related:identifier=${oidUri(studyInstanceUID)}` +
        `&format=${CODE_SYSTEM.dicomUids}|&status=current`,
    );
  /** Sends a study and waits until it is closed. */
  const receive = async (study: DemoStudy): Promise<readonly DemoInstance[]> => {
    const instances = [...study.instances()];
    expect(new Set(await send(study, instances))).to.deep.equal(new Set([0]));
    await eventually(async () => ((await manifestsOf(study)).length === 1 ? true : undefined), 30);
    return instances;
  };
  const dicomWeb = async (path: string, token = caller.token): Promise<Response> =>
    await fetch(`${server.url}/dicom-web/${path}`, { headers: { Authorization: `Bearer ${token}` } });
  const erase = async ({ studyInstanceUID }: DemoStudy, counts: RegExp): Promise<void> => {
    const ended = await runErase(dataDir, studyInstanceUID, '--yes');
    expect(ended, ended.stderr).to.include({ code: 0 });
    expect(ended.stdout).to.match(counts);
  };
  const expectClean = async (): Promise<void> => {
    expect(await storedBlobs(dataDir)).to.have.members(referredBlobs(dataDir));
    expect(verifyTrail(dataDir).whole).to.equal(true);
  };
  const queried = <T>(open: (path: string) => Database, query: (records: Database) => T): T => {
    const records = open(join(dataDir, 'records.sqlite'));
    try {
      return query(records);
    } finally {
      records.close();
    }
  };

  it(
    'leaves nothing of private elements, of what lies aside and of refused requests, while the server runs and ' +
      'after',
    async () => {
      const study = canaryStudy('corners');
      const instances = await receive(study);
      const aside = canaryStudy('aside', { key: 'erasure/corners' });
      expect(await send(aside)).to.deep.equal([0, 0, 0]);
      const uid = study.studyInstanceUID;
      for (const token of [caller.token, 'no-token']) {
        for (const path of [
          `studies/${uid}`,
          `studies/${uid}/metadata`,
          `studies?AccessionNumber=${study.accessionNumber}`,
          `instances?SOPInstanceUID=${instances[0]?.sopInstanceUID}`,
        ])
          await (await dicomWeb(path, token)).arrayBuffer();
      }
      await fhirCaller(server.url, 'no-token').get(`ImagingStudy?${byStudyUid(study)}`);
      const canaries = new Map([...canariesOf(study, 'corners', instances), ...canariesOf(aside, 'aside', instances)]);
      for (const [what, count] of await filesWith(dataDir, canaries)) expect(count, what).to.be.greaterThan(0);
      await eventually(async () => (await fhirCaller(server.url, caller.token).find('Task'))[0]);
      // The fourth is the Task that tells of what lies aside.
      await erase(study, /^erased: 6 instances, 4 resources; /);
      expect(await leftOf(dataDir, canaries), 'while the server runs').to.deep.equal([]);
      expect(rowsOfStudy(dataDir, uid)).to.deep.equal([]);
      await expectClean();
      await server.stop();
      expect(await leftOf(dataDir, canaries), 'when it is stopped').to.deep.equal([]);
      await start();
    },
  );

  it('lets a report of two studies forget the one, in its former versions, too', async () => {
    const [gone, kept] = [canaryStudy('shared'), canaryStudy('keeper')];
    const instances = await receive(gone);
    await receive(kept);
    const bundle = withStudy(await buildReportBundle(kept, reportTextOf('ct-thorax')), gone);
    expect((await caller.send('POST', '', bundle)).status).to.equal(200);
    const report = await eventually(
      async () =>
        (
          await caller.find<DiagnosticReport>(
            `DiagnosticReport?imaging-study:identifier=${oidUri(gone.studyInstanceUID)}`,
          )
        )[0],
    );
    await eventually(async () =>
      (await caller.find(`DocumentReference?related:identifier=${oidUri(gone.studyInstanceUID)}&status=current`))
        .length === 2
        ? true
        : undefined,
    );
    await erase(gone, /^erased: 3 instances, 3 resources; /);
    const uids = new Map([...canariesOf(gone, 'shared', instances)].filter(([text]) => text !== gone.accessionNumber));
    expect(await leftOf(dataDir, uids)).to.deep.equal([]);
    const after = (await caller.get(`DiagnosticReport/${report.id}`)).json<DiagnosticReport>();
    expect(after.imagingStudy).to.deep.equal(report.imagingStudy?.slice(0, 1));
    expect((await caller.get(`DiagnosticReport/${report.id}/_history/${report.meta?.versionId}`)).status).to.equal(404);
    expect(
      await caller.find(`DocumentReference?related:identifier=${oidUri(kept.studyInstanceUID)}&status=current`),
    ).to.have.length(2);
    await expectClean();
  });

  it(`goes on after kill -9 in the middle of ${MANY} instances, and hides them from the first moment on`, async () => {
    const study = canaryStudy('killed', { instances: MANY });
    const instances = await receive(study);
    const canaries = canariesOf(study, 'killed', instances);
    const running = runErase(dataDir, study.studyInstanceUID, '--yes');
    await eventually(async () => (queried(openReader, erasing) === 1 ? true : undefined), 30);
    await server.kill();
    expect(await running)
      .to.include({ code: 2 })
      .and.property('stderr')
      .include('The server went away');
    expect(rowsOfStudy(dataDir, study.studyInstanceUID).length, 'what is left to do').to.be.greaterThan(0);
    await start();
    expect(await standing(study)).to.equal(undefined);
    expect((await dicomWeb(`studies/${study.studyInstanceUID}/metadata`)).status).to.equal(404);
    expect(new Set(await send(study, instances.slice(0, 1))), 'C-STORE meanwhile: out of resources').to.deep.equal(
      new Set([0xa700]),
    );
    await server.stop();
    queried(openWriter, (records) => records.run("UPDATE job SET at = 1 WHERE kind = 'erase-study'"));
    await start();
    await eventually(async () => ((await leftOf(dataDir, canaries)).length === 0 ? true : undefined), 60);
    await eventually(async () =>
      queried(openReader, (records) =>
        records.get<{ n: number }>("SELECT count(*) AS n FROM job WHERE kind = 'forget-erased'"),
      )?.n === 0
        ? true
        : undefined,
    );
    await expectClean();
    expect(await send(study, instances.slice(0, 2))).to.deep.equal([0, 0]);
    await eventually(async () => await standing(study));
  });

  it('is done on the folder of a stopped server as well', async () => {
    const study = canaryStudy('stopped');
    const instances = await receive(study);
    await server.stop();
    await erase(study, /^erased: 3 instances, 3 resources; /);
    expect(await leftOf(dataDir, canariesOf(study, 'stopped', instances))).to.deep.equal([]);
    await start();
    expect(await standing(study)).to.equal(undefined);
    await expectClean();
  });

  it('ends an answer that is being sent', async () => {
    const study = canaryStudy('read', {
      instances: 150,
      attributes: { '00290010:LO': 'PASSERELLE DEMO RAW', '00291010:OB': BULK },
    });
    await receive(study);
    const response = await dicomWeb(`studies/${study.studyInstanceUID}`);
    const reader = response.body?.getReader();
    await reader?.read();
    await erase(study, /^erased: 150 instances/);
    let bytes = 0;
    const ended = await (async () => {
      for (;;) {
        const chunk = await reader?.read();
        if (chunk === undefined || chunk.done) return 'whole';
        bytes += chunk.value.length;
      }
    })().catch(() => 'broken off');
    expect([ended, bytes < 149 * BULK.length]).to.deep.equal(['broken off', true]);
    await expectClean();
  });

  it('gives nothing back that others send meanwhile: a study stands anew, or not at all', async () => {
    for (let round = 0; round < 3; round += 1) {
      const study = canaryStudy(`race-${round}`, { instances: 12 });
      const instances = await receive(study);
      const erased = new AbortController();
      const senders = [0, 1].map(async () => {
        while (!erased.signal.aborted) await send(study, instances);
      });
      await runErase(dataDir, study.studyInstanceUID, '--yes');
      erased.abort();
      await Promise.all(senders);
      await eventually(
        async () =>
          ((await standing(study))?.numberOfInstances ?? 0) === rowsOfStudy(dataDir, study.studyInstanceUID).length ||
          undefined,
        20,
      );
      const { studyInstanceUID } = study;
      const claims = queried(openReader, (records) =>
        records.all<{ key: string; value: string }>(
          'SELECT key, value FROM claim WHERE key LIKE ?',
          `%|${studyInstanceUID}`,
        ),
      );
      const stands = rowsOfStudy(dataDir, studyInstanceUID).length > 0;
      expect(claims.some(({ key, value }) => key.startsWith('erasing|') || value === 'erasing')).to.equal(false);
      expect(claims.length > 0).to.equal(stands);
    }
    await eventually(async () =>
      (await storedBlobs(dataDir)).length === referredBlobs(dataDir).length ? true : undefined,
    );
    await expectClean();
  });
});

function erasing(records: Database): number {
  return records.get<{ n: number }>("SELECT count(*) AS n FROM job WHERE kind = 'erase-study'")?.n ?? 0;
}

/** The transaction of a report that names one study more. */
function withStudy(bundle: Bundle, { studyInstanceUID }: DemoStudy): Bundle {
  for (const { resource } of bundle.entry ?? []) {
    if (resource?.resourceType !== 'DiagnosticReport') continue;
    const [first] = resource.imagingStudy ?? [];
    resource.imagingStudy = [
      ...(resource.imagingStudy ?? []),
      { ...first, identifier: { ...first?.identifier, value: oidUri(studyInstanceUID) } },
    ];
  }
  return bundle;
}
