/** N01 and N03 of smart-security.md: erasure of a record is asked for, and cancelled. C07: an account is off. */
import { expect } from 'chai';
import type { Bundle, Communication, Consent, Parameters, Patient, Task } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { formsOf, leftOf } from '../support/data-folder/erasing.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { onEachStore } from './support/each-store.ts';
import { feed, visited } from './support/feed.ts';
import { withdrawal } from './support/fhir-write.ts';

const DAY_MS = 24 * 3_600_000;
const TYPES = ['ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'Patient'];

onEachStore('Erasure of a record, asked for (N01, N03)', { env: { ERASURE_DAYS: '40' } }, (running) => {
  let region: Demonstration;
  before(async () => {
    region = await fillDemonstration(running().server);
  });

  const ask = async (caller: FhirCaller, operation: string, body?: object): Promise<FhirAnswer> =>
    await caller.send('POST', `Patient/$${operation}`, body);
  const helene = (): object => withdrawal(region.patients.helene);
  /** What each of them finds of Hélène, by type. */
  const seen = async (caller: FhirCaller): Promise<number> => {
    let rows = 0;
    for (const type of TYPES) {
      const by = type === 'Patient' ? `_id=${region.patients.helene}` : `patient=${region.patients.helene}`;
      rows += (await caller.find(`${type}?${by}`)).length;
    }
    return rows;
  };
  const everybody = (): readonly FhirCaller[] => [region.patient, region.declared, region.nancy, region.strasbourg];
  const counts = async (): Promise<readonly number[]> => await Promise.all(everybody().map(seen));

  it('N01 hides it at once from everybody but for the status of her request, which is due in time', async () => {
    const before = await counts();
    expect(before.every((count) => count > 0)).to.equal(true);
    const answer = await ask(region.patient, 'request-erasure');
    expect(answer.status, answer.text).to.equal(201);
    const path = pathOf(answer);
    expect(await counts()).to.deep.equal([0, 0, 0, 0]);
    const task = (await region.patient.get(path)).json<Task>();
    expect([task.status, task.code?.coding?.[0]?.code]).to.deep.equal(['requested', 'erasure']);
    const due = Date.parse(task.restriction?.period?.end ?? '') - Date.parse(task.authoredOn ?? '');
    expect(due).to.equal(40 * DAY_MS);
    expect((await region.patient.find<Task>('Task?code=erasure&status=requested')).map(({ id }) => id)).to.deep.equal([
      path.split('/')[1],
    ]);
    for (const caller of [region.declared, region.nancy, region.strasbourg])
      expectOutcome(await caller.get(path), 404, 'not-found');
    const dpo = await personCaller(region.server, 'demo-region-dpo');
    expect((await dpo.get(path)).status, 'the officer of the region').to.equal(200);
    const [notice] = await region.patient.find<Communication>('Communication?_sort=-sent&_count=1');
    expect(notice?.about?.[0]?.reference).to.equal(path);
    expect(notice?.payload?.[0]?.contentString).to.match(/^La demande d’effacement .* le \d+ \S+ \d{4} au plus tard/);
    const [event] = await eventsOf(region.patient, 'operation');
    expect(JSON.stringify(event?.entity)).to.include(path).and.to.include('request-erasure');
    // Her own Consents hold no exam, and she may still read them.
    expect((await region.patient.find<Consent>('Consent')).length).to.be.greaterThan(0);
    // So is who looked, and who may: nobody any more, but those who see no content.
    const history = await region.patient.get('Patient/$access-history?language=fr');
    expect(history.status, history.text).to.equal(200);
    expect(history.text).to.include('vous avez');
    const access = await region.patient.get('Patient/$who-can-access');
    expect(access.status, access.text).to.equal(200);
    expect(reachesOf(access.json<Parameters>())).to.deep.equal(['nothing']);
    const [asking] = await eventsOf(region.patient, 'search-type');
    const query = asking?.entity?.find((entity) => entity.query !== undefined)?.query;
    expect(Buffer.from(query ?? '', 'base64').toString()).to.equal('Patient/$who-can-access');
    const again = await ask(region.patient, 'request-erasure');
    expect([again.status, pathOf(again)]).to.deep.equal([201, path]);
    const cancelled = await ask(region.patient, 'cancel-erasure');
    expect(cancelled.status, cancelled.text).to.equal(200);
    // What follows from a study or a report may have come since.
    for (const [at, count] of (await counts()).entries()) expect(count, 'N03').to.be.at.least(before[at] ?? 1);
    expect((await region.patient.get(path)).json<Task>().status).to.equal('cancelled');
    expectOutcome(await ask(region.patient, 'cancel-erasure'), 404, 'not-found');
  });

  it('nothing comes in meanwhile: C-STORE 0124H, FHIR 403, nothing of it on disk', async () => {
    await ask(region.patient, 'request-erasure');
    const study = aStudy({
      key: 'erasure/meanwhile',
      patient: PATIENTS.helene,
      description: 'Examen refusé',
      instances: 1,
    });
    expect(await sendStudy(region.server, study)).to.deep.equal([0x0124]);
    const canaries = new Map([study.studyInstanceUID, study.description].map((text) => [text, formsOf(text)] as const));
    expect(await leftOf(region.server.dataDir, canaries)).to.deep.equal([]);
    const visit = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${region.patients.helene}` },
    };
    expectOutcome(await region.strasbourg.send('POST', 'Encounter', visit), 403, 'forbidden');
    const emergency = [
      { name: 'identifier', valueIdentifier: PATIENTS.helene.national },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Douleur thoracique, inconsciente' },
    ];
    const opened = await ask(region.stranger, 'break-glass', { resourceType: 'Parameters', parameter: emergency });
    expect(opened.status).to.equal(201);
    expect(await seen(region.stranger), 'an emergency').to.equal(0);
    await ask(region.patient, 'cancel-erasure');
    expect(await seen(region.stranger), 'it does not open afterwards').to.equal(0);
    expect(await sendStudy(region.server, study)).to.deep.equal([0]);
  });

  it('C4 is asked by an establishment, too; it cancels what it received, she whatever is hers', async () => {
    expectOutcome(await ask(region.strasbourg, 'request-erasure'), 400, 'required');
    expectOutcome(await ask(region.luxembourg, 'request-erasure', helene()), 404, 'not-found');
    expectOutcome(await ask(region.declared, 'request-erasure', helene()), 403, 'forbidden');
    const byMail = await ask(region.strasbourg, 'request-erasure', helene());
    expect(byMail.status, byMail.text).to.equal(201);
    expect(await counts()).to.deep.equal([0, 0, 0, 0]);
    expectOutcome(await ask(region.nancy, 'cancel-erasure', helene()), 404, 'not-found');
    const hers = await ask(region.patient, 'request-erasure');
    expect(pathOf(hers)).to.not.equal(pathOf(byMail));
    expect((await ask(region.strasbourg, 'cancel-erasure', helene())).status).to.equal(200);
    expect(await counts(), 'hers stands').to.deep.equal([0, 0, 0, 0]);
    await ask(region.strasbourg, 'request-erasure', helene());
    expect((await ask(region.patient, 'cancel-erasure')).status).to.equal(200);
    expect((await counts()).every((count) => count > 0)).to.equal(true);
    expectOutcome(await ask(region.strasbourg, 'cancel-erasure', helene()), 404, 'not-found');
  });

  it('is cancelled by her under whichever identity it was asked, and she is told once none is left', async () => {
    const told = async (): Promise<number> => (await region.patient.find('Communication?_count=100')).length;
    // Each establishment knows her by an identity of its own.
    for (const establishment of [region.strasbourg, region.nancy])
      expect((await ask(establishment, 'request-erasure', helene())).status).to.equal(201);
    await ask(region.patient, 'request-erasure');
    const before = await told();
    expect((await ask(region.nancy, 'cancel-erasure', helene())).status).to.equal(200);
    expect([await counts(), await told()]).to.deep.equal([[0, 0, 0, 0], before]);
    expect((await ask(region.patient, 'cancel-erasure')).status).to.equal(200);
    expect((await counts()).every((count) => count > 0)).to.equal(true);
    expect(await told()).to.equal(before + 1);
    for (const caller of [region.strasbourg, region.nancy])
      expectOutcome(await ask(caller, 'cancel-erasure', helene()), 404, 'not-found');
  });

  it('is asked by an establishment of a patient who was there, not of one whom it registered alone', async () => {
    await feed(region.nancy, { ...PATIENTS.gaetan, localId: { nancy: 'ERASED-1' } }, 'nancy');
    const { id } = await region.nancy.findOne<Patient>(`Patient?birthdate=${PATIENTS.gaetan.birthDate}`);
    const rows = async (): Promise<number> => (await region.strasbourg.find(`ImagingStudy?patient=${id}`)).length;
    const before = await rows();
    expectOutcome(await ask(region.nancy, 'request-erasure', withdrawal(id)), 403, 'forbidden');
    expect(await rows())
      .to.equal(before)
      .and.to.be.greaterThan(0);
    await visited(region.nancy, id);
    expect((await ask(region.nancy, 'request-erasure', withdrawal(id))).status).to.equal(201);
    expect(await rows()).to.equal(0);
    expect((await ask(region.nancy, 'cancel-erasure', withdrawal(id))).status).to.equal(200);
  });

  it('stands beside a withdrawal: cancelled, the record is as it was before', async () => {
    expect((await ask(region.patient, 'withdraw')).status).to.equal(201);
    await ask(region.patient, 'request-erasure');
    expect((await ask(region.patient, 'withdraw')).status, 'said while it is hidden').to.equal(201);
    expect(await counts()).to.deep.equal([0, 0, 0, 0]);
    await ask(region.patient, 'cancel-erasure');
    const [own, ...others] = await counts();
    expect(own).to.be.greaterThan(0);
    expect(others).to.deep.equal([0, 0, 0]);
    expect((await ask(region.patient, 'reconsent')).status).to.equal(201);
    expect((await counts())[1]).to.be.greaterThan(0);
  });

  it('C07 an account that is off: the patient is refused (401), professionals see what they saw', async () => {
    const off = (active: boolean, patient?: string): Parameters => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'active', valueBoolean: active },
        ...(patient === undefined ? [] : [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }]),
      ],
    });
    const desk = await personCaller(region.server, 'demo-region-desk');
    expectOutcome(await ask(region.strasbourg, 'set-account', off(false, region.patients.helene)), 403, 'forbidden');
    expectOutcome(await ask(region.declared, 'set-account', off(false, region.patients.helene)), 403, 'forbidden');
    expectOutcome(await ask(region.patient, 'set-account', off(false, region.patients.gaetan)), 404, 'not-found');
    const answer = await ask(region.patient, 'set-account', off(false));
    expect(answer.status, answer.text).to.equal(200);
    for (const path of ['ImagingStudy', `Patient/${region.patients.helene}`, 'AuditEvent'])
      expectOutcome(await region.patient.get(path), 401, 'login');
    const professionals = [region.declared, region.nancy, region.strasbourg];
    for (const caller of professionals) expect(await seen(caller)).to.be.greaterThan(0);
    expectOutcome(await ask(region.patient, 'set-account', off(true)), 401, 'login');
    // what is fed later turns nothing on.
    const further = aStudy({ key: 'account/later', patient: PATIENTS.helene, instances: 1 });
    expect(await sendStudy(region.server, further)).to.deep.equal([0]);
    expectOutcome(await region.patient.get('ImagingStudy'), 401, 'login');
    expect((await ask(desk, 'set-account', off(true, region.patients.helene))).status).to.equal(200);
    const patient = await personCaller(region.server, 'demo-patient');
    expect((await patient.find('ImagingStudy')).length).to.be.greaterThan(0);
    expect((await ask(desk, 'set-account', off(false, region.patients.helene))).status).to.equal(200);
    expectOutcome(await patient.get('ImagingStudy'), 401, 'login');
    expect((await ask(desk, 'set-account', off(true, region.patients.helene))).status).to.equal(200);
    expectOutcome(await ask(desk, 'set-account', off(true, 'nobody')), 404, 'not-found');
    expect((await patient.get('Patient?_summary=count')).json<Bundle>().total).to.equal(1);
  });
});

/** How far each access of a list reaches, each once. */
function reachesOf({ parameter = [] }: Parameters): readonly string[] {
  const parts = parameter.flatMap(({ name, part = [] }) => (name === 'access' ? part : []));
  return [...new Set(parts.flatMap(({ name, valueCode = '' }) => (name === 'reach' ? [valueCode] : [])))];
}

function pathOf(answer: FhirAnswer): string {
  return (answer.headers.get('location') ?? '').replace(/^.*\/fhir\/|\/_history.*$/g, '');
}
