/** Instances that contradict what stands: the sender hears of success, the first is kept, the second lies aside. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy, type StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import type { QuarantinedInstance } from '../../server/ports/commit-plan.ts';
import { openReader } from '../../server/stores/sqlite/database.ts';
import { readQuarantine } from '../../server/stores/sqlite/read/quarantine.ts';
import { ageBlobs, referredBlobs, rowsOfStudy, storedBlobs } from '../hostile/kill/data-folder.ts';
import { dataSetOf, sendInstances } from '../hostile/kill/store-sender.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { runProgram } from '../support/peers/dcmtk.ts';
import { byStudyUid, establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { dataSetDigest } from './support/exam.ts';
import { openTrail, requestIdOf, type TrailEvent } from './support/trail.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
/** No study is closed meanwhile: its manifest would be a file, a moment before its row. */
const STAYS_OPEN = { STUDY_QUIET_SECONDS: '3600' };

describe('C-STORE of what stands already (PS3.4 B.2.3): quarantine', function () {
  this.timeout(60_000);
  let dataDir: string;
  let server: TestServer;
  let caller: FhirCaller;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-quarantine-'));
    server = await startServer({ dataDir, env: STAYS_OPEN });
    caller = await establishmentCaller(server, 'strasbourg');
  });
  after(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const sent = async (study: DemoStudy, callingAE = study.establishment.aeTitle): Promise<number[]> => {
    const statuses: number[] = [];
    await sendInstances(server.dimse, callingAE, study.instances(), (_, status) => void statuses.push(status));
    return statuses;
  };
  const asideOf = ({ studyInstanceUID }: DemoStudy): QuarantinedInstance[] => {
    const records = openReader(join(dataDir, 'records.sqlite'));
    try {
      return [...readQuarantine(records, { study: studyInstanceUID })];
    } finally {
      records.close();
    }
  };
  /** The C-STORE events of a study, the openings left out, when as many have come. */
  const eventsOf = async ({ studyInstanceUID }: DemoStudy, count: number): Promise<readonly TrailEvent[]> => {
    const trail = await openTrail('sqlite', dataDir);
    try {
      return await eventually(async () => {
        const events = (await trail.eventsOf(studyInstanceUID)).filter(({ event }) => event.type.code === '110104');
        return events.length < count ? undefined : events;
      });
    } finally {
      await trail.close();
    }
  };
  const imagingStudiesOf = async (who: FhirCaller, study: DemoStudy) =>
    await who.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
  /** Waits until the study has been derived from its instances. */
  const standing = async (study: DemoStudy): Promise<ImagingStudy> =>
    await eventually(async () =>
      (await imagingStudiesOf(caller, study)).find(
        ({ numberOfInstances }) => numberOfInstances === [...study.instances()].length,
      ),
    );
  const expectBlobs = async (): Promise<void> => {
    expect(await storedBlobs(dataDir)).to.have.members(referredBlobs(dataDir));
  };

  it('stores the same data set once', async () => {
    const study = aStudy({ key: 'quarantine/same', instances: 2 });
    expect([await sent(study), await sent(study)]).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    expect(rowsOfStudy(dataDir, study.studyInstanceUID)).to.have.length(2);
    expect(asideOf(study)).to.deep.equal([]);
    const [, second] = await eventsOf(study, 2);
    expect(detailOf(second?.event)).to.deep.equal({ stored: '0', already: '2' });
    await expectBlobs();
  });

  it('keeps aside nothing of a new patient whose first instances come on many associations at once', async () => {
    for (let round = 0; round < 12; round += 1) {
      const study = aStudy({
        key: `quarantine/race/${round}`,
        instances: 8,
        patient: { localId: { strasbourg: `T-race-${round}` } },
      });
      const statuses: number[] = [];
      await Promise.all(
        [...study.instances()].map(
          async (one) =>
            await sendInstances(server.dimse, strasbourg.aeTitle, [one], (_, status) => void statuses.push(status)),
        ),
      );
      expect(statuses).to.deep.equal(Array.from({ length: 8 }, () => 0));
      expect(asideOf(study)).to.deep.equal([]);
      expect(rowsOfStudy(dataDir, study.studyInstanceUID)).to.have.length(8);
    }
  });

  it('keeps the first data set of a SOP Instance UID and puts each other one aside, once', async () => {
    const head: StudyOverrides = { key: 'quarantine/other', instances: 2 };
    const [first, other] = [aStudy(head), aStudy({ ...head, description: 'Un autre examen' })];
    expect(await sent(first)).to.deep.equal([0, 0]);
    const before = await standing(first);
    expect([await sent(other), await sent(other)]).to.deep.equal([
      [0, 0],
      [0, 0],
    ]);
    expect(
      asideOf(first).map(({ sopInstanceUID, dataSetDigest: digest, reason, source }) => [
        sopInstanceUID,
        digest,
        reason,
        source,
      ]),
    ).to.have.deep.members(
      [...other.instances()].map(({ sopInstanceUID, bytes }) => [
        sopInstanceUID,
        dataSetDigest(bytes),
        'other-data-set',
        'Organization/demo-strasbourg',
      ]),
    );
    expect(await imagingStudiesOf(caller, first)).to.deep.equal([before]);
    expect(await retrieved(server, caller, first)).to.equal(true);
    await expectBlobs();
  });

  it('records that it did, as refused, for whom the sender names, without naming her or what stands', async () => {
    const head: StudyOverrides = { key: 'quarantine/event', instances: 1 };
    const [first, other] = [aStudy(head), aStudy({ ...head, description: 'Un autre examen' })];
    await sent(first);
    await sent(other);
    const [, quarantined] = await eventsOf(first, 2);
    const known = await eventsOf(first, 1);
    expect(quarantined?.persons).to.deep.equal(known[0]?.persons).and.to.have.length(1);
    expect(quarantined?.event).to.include({ outcome: '4', outcomeDesc: 'quarantined: other-data-set', action: 'C' });
    const [sop] = rowsOfStudy(dataDir, first.studyInstanceUID);
    expect(detailOf(quarantined?.event)).to.deep.equal({ quarantined: sop, reason: 'other-data-set' });
    const line = server
      .log()
      .split('\n')
      .find((one) => one.includes('"reason":"other-data-set"') && one.includes(first.studyInstanceUID));
    const logged = JSON.parse(line ?? '{}') as Record<string, unknown>;
    expect(logged).to.deep.include({
      level: 'warn',
      source: 'Organization/demo-strasbourg',
      study: first.studyInstanceUID,
      sopInstanceUID: sop,
      client: strasbourg.aeTitle,
      requestId: requestIdOf(quarantined?.event ?? ({} as AuditEvent)),
    });
    expect(line).not.to.match(/T-strasbourg-1|Valbr/);
    expect(JSON.stringify(quarantined?.event)).not.to.match(/T-strasbourg-1|Valbr/);
    expect(quarantined?.event.agent.map(({ who }) => who?.identifier?.value)).to.include(strasbourg.aeTitle);
    const references = [...JSON.stringify(quarantined).matchAll(/"reference":"([^"]*)"/g)].map(
      ([, reference]) => reference,
    );
    expect(references).to.deep.equal(['Organization/demo-strasbourg']);
  });

  it('puts a known study of another patient aside, whoever sends it, and tells neither', async () => {
    const head: StudyOverrides = { key: 'quarantine/patient', instances: 1 };
    const stands = aStudy(head);
    const intruders = [
      aStudy({ ...head, patient: { ...PATIENTS.gaetan, localId: { strasbourg: 'NOBODY-1' } } }),
      aStudy({ ...head, establishment: 'nancy', patient: { ...PATIENTS.gaetan, localId: { nancy: 'NOBODY-2' } } }),
      // A further instance of the study, under a SOP Instance UID that nobody has seen.
      aStudy({
        ...head,
        establishment: 'nancy',
        attributes: { SOPInstanceUID: '2.25.4242' },
        patient: { ...PATIENTS.helene, localId: { nancy: 'NOBODY-3' } },
      }),
    ];
    expect(await sent(stands)).to.deep.equal([0]);
    const before = await standing(stands);
    for (const intruder of intruders.slice(0, 2)) expect(await sent(intruder)).to.deep.equal([0]);
    expect(await sentAs(server, intruders[2], '2.25.4242')).to.deep.equal([0]);
    expect(asideOf(stands).map(({ reason, source }) => [reason, source])).to.have.deep.members([
      ['other-patient', 'Organization/demo-strasbourg'],
      ['other-patient', 'Organization/demo-nancy'],
      ['other-patient', 'Organization/demo-nancy'],
    ]);
    expect(await imagingStudiesOf(caller, stands)).to.deep.equal([before]);
    const elsewhere = await establishmentCaller(server, 'nancy');
    expect(await imagingStudiesOf(elsewhere, stands)).to.deep.equal([]);
    // Each is filed under the identity by which its sender knows the patient, which the other does not see.
    for (const [sender, other, number] of [
      [caller, elsewhere, 'NOBODY-1'],
      [elsewhere, caller, 'NOBODY-2'],
      [elsewhere, caller, 'NOBODY-3'],
    ] as const) {
      const { id } = await sender.findOne<Patient>(`Patient?identifier=${number}`);
      expect(asideOf(stands).map(({ subject }) => subject)).to.include(`Patient/${id}`);
      expect(await other.find<Patient>(`Patient?identifier=${number}`)).to.deep.equal([]);
    }
    await expectBlobs();
  });

  it('puts aside what another establishment sends under a number of the first, the same instance too', async () => {
    const head: StudyOverrides = { key: 'quarantine/establishment', instances: 1 };
    const stands = aStudy(head);
    expect(await sent(stands)).to.deep.equal([0]);
    const before = await standing(stands);
    const further = aStudy({ ...head, attributes: { SOPInstanceUID: '2.25.4343' } });
    expect(await sentAs(server, further, '2.25.4343')).to.deep.equal([0]);
    expect(await sent(stands, nancy.aeTitle), 'the very same instance').to.deep.equal([0]);
    const aside = { reason: 'foreign-issuer', source: 'Organization/demo-nancy' };
    expect(
      asideOf(stands).map(({ reason, source, subject, person }) => ({ reason, source, subject, person })),
    ).to.deep.equal(Array.from({ length: 2 }, () => ({ ...aside, subject: undefined, person: undefined })));
    expect(await imagingStudiesOf(caller, stands)).to.deep.equal([before]);
    expect(await imagingStudiesOf(await establishmentCaller(server, 'nancy'), stands)).to.deep.equal([]);
    await expectBlobs();
  });

  it('tells a second patient apart when two senders race for a study', async () => {
    const head: StudyOverrides = { key: 'quarantine/race', instances: 8 };
    const studies = [
      aStudy({ ...head, patient: PATIENTS.helene }),
      aStudy({ ...head, patient: PATIENTS.gaetan }),
      aStudy({ ...head, establishment: 'nancy' }),
    ];
    const statuses = await Promise.all(studies.map(async (study) => await sent(study)));
    expect(statuses.flat()).to.deep.equal(Array.from({ length: 24 }, () => 0));
    const [first] = studies;
    if (first === undefined) throw new Error('No study');
    expect(rowsOfStudy(dataDir, first.studyInstanceUID)).to.have.length(8);
    expect(asideOf(first).map(({ reason }) => reason)).to.deep.equal(Array.from({ length: 16 }, () => 'other-patient'));
    await expectBlobs();
  });

  it('keeps the first of two transfer syntaxes and notes the second', async function implicit() {
    if (!hasProgram('storescu')) this.skip();
    const study = aStudy({ key: 'quarantine/syntax', instances: 1 });
    await sent(study);
    const path = join(dataDir, 'one.dcm');
    const [instance] = [...study.instances()];
    await writeFile(path, instance?.bytes ?? '');
    const { host, port, aeTitle } = server.dimse;
    const ran = await runProgram('storescu', [
      '-xi',
      '-aet',
      strasbourg.aeTitle,
      '-aec',
      aeTitle,
      host,
      String(port),
      path,
    ]);
    await rm(path);
    expect(ran.code, ran.output).to.equal(0);
    const [, second] = await eventsOf(study, 2);
    expect(second?.event.outcome).to.equal('0');
    expect(detailOf(second?.event)).to.deep.equal({ stored: '0', already: '1' });
    expect(asideOf(study)).to.deep.equal([]);
    expect(await retrieved(server, caller, study)).to.equal(true);
    await expectBlobs();
  });

  it('spares what lies aside from the sweep of a restart', async () => {
    const head: StudyOverrides = { key: 'quarantine/sweep', instances: 1 };
    await sent(aStudy(head));
    await sent(aStudy({ ...head, description: 'Un autre examen' }));
    await server.stop();
    await ageBlobs(dataDir);
    server = await startServer({ dataDir, env: STAYS_OPEN });
    caller = await establishmentCaller(server, 'strasbourg');
    await swept(server);
    const [aside] = asideOf(aStudy(head));
    expect(await storedBlobs(dataDir)).to.include(aside?.blob.name);
    await expectBlobs();
  });
});

/** Resolves when the sweep that a start asks for has passed, and waits for its next time. */
async function swept({ url }: TestServer): Promise<void> {
  await eventually(async () => {
    const { jobs } = (await (await fetch(`${url}/health/ready`)).json()) as { jobs: Record<string, { later: number }> };
    return jobs['sweep-images']?.later === 1 ? true : undefined;
  });
}

/** Sends a study whose only instance has another SOP Instance UID than the fixtures gave it. */
async function sentAs(server: TestServer, study: DemoStudy | undefined, sopInstanceUID: string): Promise<number[]> {
  const statuses: number[] = [];
  const [instance] = [...(study?.instances() ?? [])];
  const renamed = [{ sopInstanceUID, bytes: instance?.bytes ?? new Uint8Array() }];
  await sendInstances(server.dimse, nancy.aeTitle, renamed, (_, status) => void statuses.push(status));
  return statuses;
}

/** Whether WADO-RS answers the data set as the study has it. */
async function retrieved({ url }: TestServer, { token }: FhirCaller, study: DemoStudy): Promise<boolean> {
  const [instance] = [...study.instances()];
  if (instance === undefined) throw new Error('The study is empty');
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
  };
  const response = await fetch(`${url}/dicom-web/studies/${study.studyInstanceUID}`, { headers });
  return Buffer.from(await response.arrayBuffer()).includes(Buffer.from(dataSetOf(instance.bytes)));
}

/** The details of an event's study. */
function detailOf(event: AuditEvent | undefined): Record<string, string> {
  const details = (event?.entity ?? []).flatMap(({ detail = [] }) => detail);
  return Object.fromEntries(details.map(({ type, valueString = '' }) => [type, valueString]));
}
