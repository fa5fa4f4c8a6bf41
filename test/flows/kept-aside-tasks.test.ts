/**
 * What is kept aside waits on a list: who sees it, what it tells, and what people do with it: discard, re-file,
 * release.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Bundle, ImagingStudy, Patient, Task } from '@medplum/fhirtypes';
import { aStudy, type StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS, type EstablishmentKey } from '../../fixtures/people.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { storedBlobs } from '../hostile/kill/data-folder.ts';
import { sendInstances } from '../hostile/kill/store-sender.ts';
import { stow } from '../hostile/stow.ts';
import { eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { runErase } from '../support/data-folder/erasing.ts';
import { TESTDATA } from '../support/testdata.ts';
import { feed } from './support/feed.ts';
import { onEachStore } from './support/each-store.ts';

const STAYS_OPEN = { env: { STUDY_QUIET_SECONDS: '3600' } };

onEachStore('Instances kept aside', STAYS_OPEN, (running) => {
  let strasbourg: FhirCaller;
  let nancy: FhirCaller;
  let regionDesk: FhirCaller;
  let strasbourgDesk: FhirCaller;
  before(async () => {
    const { server } = running();
    strasbourg = await establishmentCaller(server, 'strasbourg');
    nancy = await establishmentCaller(server, 'nancy');
    regionDesk = await personCaller(server, 'demo-region-desk');
    strasbourgDesk = await personCaller(server, 'demo-strasbourg-desk');
    await feed(strasbourg, PATIENTS.helene, 'strasbourg');
  });

  const send = async (study: DemoStudy): Promise<void> => {
    const statuses: number[] = [];
    const sent = [...study.instances()].map((one) => ({
      ...one,
      sopInstanceUID: parseFileMeta(one.bytes).sopInstanceUID ?? one.sopInstanceUID,
    }));
    const { aeTitle } = study.establishment;
    await sendInstances(running().server.dimse, aeTitle, sent, (_, status) => void statuses.push(status));
    expect(statuses).to.deep.equal(sent.map(() => 0));
  };
  const exam = (key: string, establishment: EstablishmentKey, parts: StudyOverrides = {}): DemoStudy =>
    aStudy({ key, establishment, instances: 1, ...parts });
  const tasks = async (caller: FhirCaller, { studyInstanceUID }: DemoStudy): Promise<Task[]> =>
    await caller.find<Task>(`Task?focus:identifier=urn:dicom:uid|urn:oid:${studyInstanceUID}`);
  const taskOf = async (caller: FhirCaller, study: DemoStudy): Promise<Task & { readonly id: string }> =>
    await eventually(async () => {
      const [task] = await tasks(caller, study);
      return task?.id === undefined ? undefined : { ...task, id: task.id };
    });
  const seen = async (caller: FhirCaller, study: DemoStudy): Promise<ImagingStudy[]> =>
    await caller.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);

  /** An exam of Strasbourg, and what Nancy sends under its UID of a patient of its own. */
  const contradiction = async (key: string, instances = 1) => {
    const stands = exam(key, 'strasbourg', { instances });
    const number = `NC-${key.replaceAll('/', '-')}`;
    const intruder = exam(key, 'nancy', {
      instances,
      patient: { ...PATIENTS.noemie, localId: { nancy: number } },
    });
    await send(stands);
    await send(intruder);
    return { stands, intruder, number, task: await taskOf(nancy, intruder) };
  };

  it('are on a list of their sender and the desk, and of nobody else, with reason, AE title and numbers', async () => {
    const { stands, intruder, number, task } = await contradiction('aside/list', 2);
    const { id: patient } = await nancy.findOne<Patient>(`Patient?identifier=${number}`);
    expect(task).to.deep.include({
      status: 'requested',
      requester: { reference: 'Organization/demo-nancy' },
      for: { reference: `Patient/${patient}` },
    });
    expect(task.code?.coding?.[0]).to.include({ system: 'urn:passerelle:CodeSystem:task', code: 'kept-aside' });
    expect(task.reasonCode?.coding?.[0]?.code).to.equal('other-patient');
    const told = await eventually(async () => {
      const [one] = await tasks(nancy, intruder);
      return inputsOf(one, 'instance').length === 2 ? one : undefined;
    });
    expect(inputsOf(told, 'instance').sort()).to.deep.equal(
      [...intruder.instances()].map(({ sopInstanceUID }) => `urn:oid:${sopInstanceUID}`).sort(),
    );
    expect(inputsOf(told, 'instances')).to.deep.equal([2]);
    expect(inputsOf(told, 'sent-by')).to.deep.equal(['DEMO_NANCY']);
    expect(inputsOf(told, 'named-patient')).to.deep.equal([number]);
    expect(inputsOf(told, 'standing-patient'), 'of another establishment').to.deep.equal([]);
    expect((await tasks(regionDesk, stands)).map(({ id }) => id)).to.deep.equal([task.id]);
    const doctor = await personCaller(running().server, 'demo-radiologist');
    const helene = await personCaller(running().server, 'demo-patient');
    for (const other of [strasbourg, strasbourgDesk, doctor, helene]) {
      expect(await tasks(other, stands)).to.deep.equal([]);
      expectOutcome(await other.get(`Task/${task.id}`), 404, 'not-found');
    }
  });

  it('of the same sender tell both numbers', async () => {
    const head = { key: 'aside/case', patient: { ...PATIENTS.gaetan, localId: { strasbourg: 'ab12' } } };
    const [first, other] = [
      exam(head.key, 'strasbourg', head),
      exam(head.key, 'strasbourg', { ...head, patient: { ...head.patient, localId: { strasbourg: 'AB12' } } }),
    ];
    await send(first);
    await send(other);
    const task = await taskOf(strasbourg, first);
    expect([inputsOf(task, 'named-patient'), inputsOf(task, 'standing-patient')]).to.deep.equal([['AB12'], ['ab12']]);
    expect((await tasks(strasbourgDesk, first)).map(({ id }) => id)).to.deep.equal([task.id]);
  });

  it('are announced, with the operations and their definitions', async () => {
    const { rest = [] } = (await (await fetch(`${running().server.url}/fhir/metadata`)).json()) as {
      rest?: { resource?: { type: string; operation?: { name: string; definition: string }[] }[] }[];
    };
    const of = (type: string) => rest[0]?.resource?.find((one) => one.type === type)?.operation ?? [];
    expect(of('Task').map(({ name }) => name)).to.deep.equal(['decide', 'discard', 'refile', 'release']);
    const all = [...of('Task'), ...of('ImagingStudy'), ...of('Patient')];
    const ours = all.filter(({ definition }) => definition.startsWith('urn:passerelle:'));
    for (const { definition } of ours) {
      const name = definition.replace('urn:passerelle:OperationDefinition:', '');
      const path = new URL(`../../profiles/definitions/OperationDefinition-${name}.json`, import.meta.url);
      expect(JSON.parse(readFileSync(path, 'utf8'))).to.include({
        resourceType: 'OperationDefinition',
        url: definition,
      });
    }
  });

  it('are discarded by their sender or the desk: bytes and rows go, and the list says so', async () => {
    for (const [name, who] of [
      ['sender', () => nancy],
      ['desk', () => regionDesk],
    ] as const) {
      const { stands, task } = await contradiction(`aside/discard/${name}`);
      const before = await seen(strasbourg, stands);
      expectOutcome(await strasbourg.send('POST', `Task/${task.id}/$discard`), 404, 'not-found');
      const answer = await who().send('POST', `Task/${task.id}/$discard`);
      expect(answer.status, answer.text).to.equal(200);
      expect((await taskOf(nancy, stands)).status).to.equal('cancelled');
      expect(await seen(strasbourg, stands)).to.deep.equal(before);
      expectOutcome(await who().send('POST', `Task/${task.id}/$discard`), 409, 'conflict');
      expect(await seen(nancy, stands)).to.deep.equal([]);
    }
  });

  it('are released by the desk, or by whose study receives them, and by nobody else', async () => {
    for (const [name, who] of [
      ['desk', () => regionDesk],
      ['receiver', () => strasbourg],
      ['desk of the receiver', () => strasbourgDesk],
    ] as const) {
      const head = `aside/release/${name.replaceAll(' ', '-')}`;
      const stands = exam(head, 'strasbourg');
      const further = exam(head, 'nancy', {
        attributes: { SOPInstanceUID: `2.25.77${name.length}` },
        patient: { ...PATIENTS.noemie, localId: { nancy: `NC-release-${name.length}` } },
      });
      await send(stands);
      await eventually(async () => ((await seen(strasbourg, stands)).length === 1 ? true : undefined));
      await send(further);
      const task = await taskOf(nancy, further);
      expectOutcome(await nancy.send('POST', `Task/${task.id}/$release`), 403, 'forbidden');
      const doctor = await personCaller(running().server, 'demo-radiologist');
      expectOutcome(await doctor.send('POST', `Task/${task.id}/$release`), 403, 'forbidden');
      const answer = await who().send('POST', `Task/${task.id}/$release`);
      expect(answer.status, answer.text).to.equal(200);
      const united = await eventually(async () =>
        (await seen(strasbourg, stands)).find(({ numberOfInstances }) => numberOfInstances === 2),
      );
      expect((await seen(nancy, stands)).map(({ id }) => id)).to.deep.equal([united.id]);
      expect((await taskOf(nancy, stands)).status).to.equal('completed');
      expect((await eventsAbout(await personCaller(running().server, 'demo-patient'), task.id)).length).to.be.oneOf([
        0, 1,
      ]);
    }
  });

  it('leave no byte when they are discarded, and go with the study when it is erased', async () => {
    const { server, store } = running();
    const blobs = async (): Promise<number> => (await storedBlobs(server.dataDir)).length;
    const discarded = await contradiction('aside/bytes', 2);
    await eventually(async () =>
      inputsOf((await tasks(nancy, discarded.stands))[0], 'instance').length === 2 ? true : undefined,
    );
    const before = await blobs();
    expect((await nancy.send('POST', `Task/${discarded.task.id}/$discard`)).status).to.equal(200);
    expect(await blobs()).to.equal(before - 2);
    if (store !== 'sqlite') return;
    const { stands, task } = await contradiction('aside/erased');
    const ended = await runErase(server.dataDir, stands.studyInstanceUID, '--yes');
    expect(ended.code, ended.stderr).to.equal(0);
    expectOutcome(await nancy.get(`Task/${task.id}`), 404, 'not-found');
    expect(await tasks(regionDesk, stands)).to.deep.equal([]);
  });

  it('are not released where another data set stands', async () => {
    const head = { key: 'aside/data-set' };
    await send(exam(head.key, 'strasbourg'));
    await send(exam(head.key, 'strasbourg', { description: 'Autre' }));
    const task = await taskOf(strasbourg, exam(head.key, 'strasbourg'));
    expectOutcome(await regionDesk.send('POST', `Task/${task.id}/$release`), 409, 'conflict');
    expect((await taskOf(strasbourg, exam(head.key, 'strasbourg'))).status).to.equal('requested');
  });

  it('are re-filed by their sender to a patient of its own', async () => {
    const number = 'NC-refile';
    const foreign = exam('aside/refile', 'nancy', {
      attributes: {
        IssuerOfPatientIDQualifiersSequence: [{ UniversalEntityID: '1.2.3.4', UniversalEntityIDType: 'ISO' }],
      },
      patient: { ...PATIENTS.noemie, localId: { nancy: number } },
    });
    await send(foreign);
    const task = await taskOf(nancy, foreign);
    expect(task.reasonCode?.coding?.[0]?.code).to.equal('foreign-issuer');
    expect(task).not.to.have.property('for');
    // Its own patient, by an exam of its own.
    await send(exam('aside/refile-own', 'nancy', { patient: { ...PATIENTS.noemie, localId: { nancy: 'NC-own' } } }));
    const { id: own } = await nancy.findOne<Patient>('Patient?identifier=NC-own');
    await send(exam('aside/refile-other', 'strasbourg', { patient: PATIENTS.gaetan }));
    const others = await strasbourg.find<Patient>('Patient?family=Fr%C3%A9minval');
    const refile = async (caller: FhirCaller, patient: string) =>
      await caller.send('POST', `Task/${task.id}/$refile`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }],
      });
    for (const other of others) expectOutcome(await refile(nancy, other.id ?? ''), 400, 'invalid');
    expectOutcome(await refile(regionDesk, own), 403, 'forbidden');
    expectOutcome(await refile(strasbourg, own), 404, 'not-found');
    const answer = await refile(nancy, own);
    expect(answer.status, answer.text).to.equal(200);
    const study = await eventually(async () => (await seen(nancy, foreign))[0]);
    expect(study.subject.reference).to.equal(`Patient/${own}`);
    expect((await taskOf(nancy, foreign)).status).to.equal('completed');
  });

  it('of the published sample, whose issuer one image alone names, are found by exam and reason', async function () {
    const path = join(TESTDATA, 'field', 'dicom', 'issuer_oid_same_study_same_id.dcm');
    if (!existsSync(path)) this.skip();
    const stowed = await stow({ url: running().server.url, token: strasbourg.token }, [readFileSync(path)]);
    expect(stowed).to.deep.equal({ status: 200, reasons: [] });
    const found = await eventually(async () => {
      const all = await strasbourg.find<Task>(
        'Task?code=urn:passerelle:CodeSystem:task|kept-aside&status=requested&_count=100',
      );
      return all.find(({ reasonCode }) => reasonCode?.coding?.[0]?.code === 'foreign-issuer');
    });
    expect(inputsOf(found, 'named-patient')).to.have.length(1);
  });
});

async function eventsAbout(caller: FhirCaller, id: string): Promise<unknown[]> {
  const answer = await caller.get('AuditEvent?_count=100');
  return (answer.json<Bundle>().entry ?? []).filter((entry) => JSON.stringify(entry).includes(id));
}

/** What inputs of a kind tell: numbers, UIDs, texts. */
function inputsOf(task: Task | undefined, code: string): unknown[] {
  return (task?.input ?? [])
    .filter(({ type }) => type.coding?.[0]?.code === code)
    .map((one) => one.valueIdentifier?.value ?? one.valueString ?? one.valueUnsignedInt);
}
