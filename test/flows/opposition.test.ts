/** C08 of smart-security.md: of who is opposed nothing comes in by any door, and what is there is hidden. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Consent, ImagingStudy, Task } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS, type EstablishmentKey } from '../../fixtures/people.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { eventually, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { runCommand } from '../support/command.ts';
import { formsOf, leftOf } from '../support/data-folder/erasing.ts';
import {
  byStudyUid,
  establishmentCaller,
  fillDemonstration,
  personCaller,
  type Demonstration,
} from '../support/demonstration.ts';
import { judge } from './identity/people.ts';
import { onEachStore, type Running } from './support/each-store.ts';
import { storeOverWeb } from './support/store-over-web.ts';
import { withdrawal } from './support/fhir-write.ts';

/** Not authorized. @see DICOM PS3.7 C.5.24 */
const NOT_AUTHORIZED = 0x0124;
const PERSON = { ...PATIENTS.gaetan, familyName: 'Montsoreau', givenName: 'Adalrik' };

/** An opposition, as PCF writes it and FHIR R4 codes it. */
function opposition(patient: string): Consent {
  const { provision: _, policy: __, ...frame } = demoConsent(`Patient/${patient}`);
  const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }];
  return { ...frame, policyRule: { coding }, provision: { type: 'deny' } };
}

/** A study whose words nobody else uses. */
function studyOf(key: string, localId: string, establishment: EstablishmentKey = 'strasbourg'): DemoStudy {
  const patient = { ...PERSON, localId: { [establishment]: localId } };
  return aStudy({ key, patient, establishment, description: `Examen ${key}`, instances: 1 });
}

/** What of a study some file of the data folder holds. */
async function leftOfStudy({ server }: Running, study: DemoStudy): Promise<readonly string[]> {
  const { studyInstanceUID, accessionNumber, description } = study;
  const canaries = { studyInstanceUID, accessionNumber, description };
  return await leftOf(
    server.dataDir,
    new Map(Object.entries(canaries).map(([name, text]) => [name, formsOf(text)] as const)),
  );
}

/** Feeds a Patient, as an establishment numbers her; resolves with the id. */
async function fed(caller: FhirCaller, localId: string, key: EstablishmentKey = 'strasbourg'): Promise<string> {
  const patient = toPatient({ ...PERSON, localId: { [key]: localId } }, ESTABLISHMENTS[key]);
  const { system, value } = patientIdentifier({ ...PERSON, localId: { [key]: localId } }, ESTABLISHMENTS[key]);
  const [identifier] = (patient.identifier ?? []).filter((one) => one.system === system);
  const path = `Patient?identifier=${system}|${value}`;
  const sent = { ...patient, identifier: identifier === undefined ? [] : [identifier] };
  const answer = await caller.send('PUT', path, sent);
  expect(answer.status, answer.text).to.equal(201);
  return answer.headers.get('location')?.split('/').at(-3) ?? '';
}

async function opposed(caller: FhirCaller, patient: string): Promise<Consent & { id: string }> {
  const answer = await caller.send('POST', 'Consent', opposition(patient));
  expect(answer.status, answer.text).to.equal(201);
  return (await caller.get(pathOf(answer))).json<Consent & { id: string }>();
}

async function imported(running: Running, study: DemoStudy): Promise<{ readonly code: number | null; stdout: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-opposed-'));
  try {
    await mkdir(join(folder, 'archive'));
    for (const { sopInstanceUID, bytes } of study.instances())
      await writeFile(join(folder, 'archive', sopInstanceUID), bytes);
    const place = { dataDir: running.server.dataDir, store: running.store };
    return await runCommand('import', [join(folder, 'archive'), '--organization', 'demo-strasbourg'], place);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

onEachStore('Opposition (C08), instances refused', {}, (running) => {
  let region: Demonstration;
  before(async () => {
    region = await fillDemonstration(running().server);
  });

  it('before any exam exists: nothing comes in by any door, and nothing of it is on disk', async () => {
    const { server } = running();
    const patient = await fed(region.strasbourg, 'opposed-1');
    await opposed(region.strasbourg, patient);
    const byStore = studyOf('opposed/c-store', 'opposed-1');
    expect(await sendStudy(server, byStore)).to.deep.equal([NOT_AUTHORIZED]);
    const byWeb = studyOf('opposed/stow', 'opposed-1');
    const { status, reasons } = await storeOverWeb(server.url, region.strasbourg, byWeb);
    expect([status, reasons]).to.deep.equal([409, [NOT_AUTHORIZED]]);
    const byImport = studyOf('opposed/import', 'opposed-1');
    const { code, stdout } = await imported(running(), byImport);
    expect(code, stdout).to.equal(1);
    const report = await region.strasbourg.send('POST', '', await buildReportBundle(byStore, reportTextOf('mr-head')));
    expectOutcome(report, 422, 'business-rule');
    const visit = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${patient}` },
    };
    expectOutcome(await region.strasbourg.send('POST', 'Encounter', visit), 422, 'business-rule');
    for (const study of [byStore, byWeb, byImport])
      expect(await leftOfStudy(running(), study), study.key).to.deep.equal([]);
  });

  it('keeps no instance aside either, that contradicts what stands', async () => {
    const { server } = running();
    const patient = await fed(region.strasbourg, 'opposed-2');
    const stands = studyOf('opposed/aside', 'standing-2');
    expect(await sendStudy(server, stands)).to.deep.equal([0]);
    await opposed(region.strasbourg, patient);
    const description = 'Examen contredit';
    const patientOf = { ...PERSON, localId: { strasbourg: 'opposed-2' } };
    const other = aStudy({ key: stands.key, patient: patientOf, description, instances: 1 });
    expect(await sendStudy(server, other)).to.deep.equal([NOT_AUTHORIZED]);
    const canary = new Map([['description', formsOf(description)]]);
    expect(await leftOf(server.dataDir, canary)).to.deep.equal([]);
  });

  it('what came in before by another number is purged when the desk confirms that both are one person', async () => {
    const { server } = running();
    const desk = await personCaller(server, 'demo-region-desk');
    const there = studyOf('opposed/joined', 'joined-there', 'nancy');
    expect(await sendStudy(server, there)).to.deep.equal([0]);
    const seen = async () => (await region.nancy.find<ImagingStudy>(`ImagingStudy?${byStudyUid(there)}`))[0];
    const other = (await eventually(seen)).subject.reference?.replace('Patient/', '') ?? '';
    const patient = await fed(region.strasbourg, 'joined-here');
    await opposed(region.strasbourg, patient);
    const joined = await judge(desk, 'join', [patient, other]);
    expect(joined.status, joined.text).to.equal(200);
    expect(await seen()).to.equal(undefined);
    const waiting = async () => (await desk.find<Task>('Task?code=joined-purge'))[0];
    const task = await waiting();
    expect(task).to.deep.include({ status: 'requested', for: { reference: `Patient/${other}` } });
    expect(await leftOfStudy(running(), there), 'before').to.not.deep.equal([]);
    const verdict = [
      { name: 'verdict', valueCode: 'confirmed' },
      { name: 'comment', valueString: 'Carte d’identité' },
    ];
    const decided = { resourceType: 'Parameters', parameter: verdict };
    for (const nobody of [region.nancy, region.declared])
      expect((await nobody.send('POST', `Task/${task?.id}/$decide`, decided)).status).to.be.oneOf([403, 404]);
    const answer = await desk.send('POST', `Task/${task?.id}/$decide`, decided);
    expect(answer.status, answer.text).to.equal(200);
    await eventually(async () => ((await waiting())?.status === 'completed' ? true : undefined));
    expect(await leftOfStudy(running(), there)).to.deep.equal([]);
    expect((await sendStudy(server, there))[0]).to.equal(NOT_AUTHORIZED);
  });

  it('is ended by who spoke: that of an establishment by it; instances come again', async () => {
    const { server } = running();
    const patient = await fed(region.strasbourg, 'opposed-3');
    const consent = await opposed(region.strasbourg, patient);
    const study = studyOf('opposed/ended', 'opposed-3');
    expect(await sendStudy(server, study)).to.deep.equal([NOT_AUTHORIZED]);
    const again = await region.strasbourg.send('POST', 'Consent', opposition(patient));
    expect([again.status, pathOf(again)]).to.deep.equal([200, `Consent/${consent.id}`]);
    const ended = await region.strasbourg.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    expect(await sendStudy(server, study)).to.deep.equal([0]);
    await opposed(region.strasbourg, patient);
    expect(await sendStudy(server, study)).to.deep.equal([NOT_AUTHORIZED]);
    const answer = await region.strasbourg.send('POST', 'Patient/$reconsent', withdrawal(patient));
    expect(answer.status, answer.text).to.equal(202);
    expect(await sendStudy(server, study)).to.deep.equal([0]);
    await eventually(async () => (await region.strasbourg.find(`ImagingStudy?${byStudyUid(study)}`))[0]);
  });

  it('of the patient hides what exists from every professional, in an emergency too; hers to end', async () => {
    const { server, patients } = region;
    const seen = async (): Promise<readonly number[]> =>
      await Promise.all(
        [region.declared, region.nancy, region.strasbourg].map(
          async (caller) => (await caller.find<ImagingStudy>(`ImagingStudy?patient=${patients.helene}`)).length,
        ),
      );
    expect(await seen()).to.deep.equal([2, 1, 1]);
    const answer = await region.patient.send('POST', 'Consent', opposition(patients.helene));
    expect(answer.status, answer.text).to.equal(201);
    const consent = (await region.patient.get(pathOf(answer))).json<Consent>();
    expect(await seen()).to.deep.equal([0, 0, 0]);
    expect((await region.patient.find('ImagingStudy')).length).to.equal(2);
    const { system, value } = PATIENTS.helene.national;
    const parameter = [
      { name: 'identifier', valueIdentifier: { system, value } },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Douleur thoracique, inconsciente' },
    ];
    const emergency = await region.stranger.send('POST', 'Patient/$break-glass', {
      resourceType: 'Parameters',
      parameter,
    });
    expect(emergency.status).to.equal(201);
    expect((await region.stranger.find('ImagingStudy')).length).to.equal(0);
    const further = aStudy({ key: 'opposed/helene', patient: PATIENTS.helene, instances: 1 });
    expect(await sendStudy(server, further)).to.deep.equal([NOT_AUTHORIZED]);
    for (const caller of [region.strasbourg, region.nancy]) {
      expect((await caller.send('POST', 'Patient/$reconsent', withdrawal(patients.helene))).status).to.equal(202);
      expectOutcome(await caller.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' }), 404);
    }
    expect(await seen()).to.deep.equal([0, 0, 0]);
    // She withdraws besides: each is ended by itself.
    const withdrawn = (await region.patient.send('POST', 'Patient/$withdraw')).json<{
      parameter: { valueReference: { reference: string } }[];
    }>().parameter[0]?.valueReference.reference;
    expect(withdrawn)
      .to.match(/^Consent\//)
      .and.not.equal(`Consent/${consent.id}`);
    const ended = await region.patient.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    expect(await seen(), 'withdrawn').to.deep.equal([0, 0, 0]);
    expect(await sendStudy(server, further), 'not opposed any more').to.deep.equal([0]);
    expect((await region.patient.send('DELETE', withdrawn ?? '')).status).to.equal(204);
    expect((await seen())[0]).to.be.greaterThan(1);
    expect((await region.stranger.find('ImagingStudy')).length, 'no emergency revives').to.equal(0);
  });
});

onEachStore(
  'Opposition (C08), instances dropped',
  { region: (edited) => void (edited.opposedInstances = 'drop') },
  (running) => {
    it('the sender hears of success (0000H, 200), and nothing of it is kept', async () => {
      const { server } = running();
      const strasbourg = await establishmentCaller(server, 'strasbourg');
      const patient = await fed(strasbourg, 'dropped-1');
      await opposed(strasbourg, patient);
      const [byStore, byWeb, byImport] = ['c-store', 'stow', 'import'].map((door) =>
        studyOf(`dropped/${door}`, 'dropped-1'),
      ) as [DemoStudy, DemoStudy, DemoStudy];
      expect(await sendStudy(server, byStore)).to.deep.equal([0]);
      const { status, reasons } = await storeOverWeb(server.url, strasbourg, byWeb);
      expect([status, reasons]).to.deep.equal([200, []]);
      const { code, stdout } = await imported(running(), byImport);
      expect([code, stdout]).to.deep.equal([0, stdout.match(/^1 not kept, for the patient is opposed in .*\n$/)?.[0]]);
      for (const study of [byStore, byWeb, byImport])
        expect(await leftOfStudy(running(), study), study.key).to.deep.equal([]);
      const report = await strasbourg.send('POST', '', await buildReportBundle(byStore, reportTextOf('mr-head')));
      expectOutcome(report, 422, 'business-rule');
    });
  },
);

function pathOf(answer: FhirAnswer): string {
  return (answer.headers.get('location') ?? '').replace(/^.*\/fhir\/|\/_history.*$/g, '');
}
