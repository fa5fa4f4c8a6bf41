/** An exam that was sent under the wrong person is moved to the right one: what goes along, what ends, who is told. */
import { expect } from 'chai';
import type {
  AuditEvent,
  Consent,
  DiagnosticReport,
  DocumentReference,
  ImagingStudy,
  Parameters,
  Patient,
  Reference,
  Task,
} from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { feed } from './support/feed.ts';
import { onEachStore } from './support/each-store.ts';

onEachStore('ImagingStudy/$move', {}, (running) => {
  let strasbourg: FhirCaller;
  let nancy: FhirCaller;
  let regionDesk: FhirCaller;
  let helene: FhirCaller;
  let radiologist: FhirCaller;
  let patients: { readonly helene: string; readonly gaetan: string };
  before(async () => {
    const { server } = running();
    strasbourg = await establishmentCaller(server, 'strasbourg');
    nancy = await establishmentCaller(server, 'nancy');
    regionDesk = await personCaller(server, 'demo-region-desk');
    radiologist = await personCaller(server, 'demo-radiologist');
    await feed(strasbourg, PATIENTS.helene, 'strasbourg');
    await feed(strasbourg, PATIENTS.gaetan, 'strasbourg');
    helene = await personCaller(server, 'demo-patient');
    const idOf = async (family: string): Promise<string> =>
      (await strasbourg.findOne<Patient>(`Patient?family=${encodeURIComponent(family)}`)).id;
    patients = { helene: await idOf('Valbrémont'), gaetan: await idOf('Fréminval') };
  });

  const seen = async (caller: FhirCaller, study: DemoStudy): Promise<(ImagingStudy & { id: string })[]> =>
    await caller.find<ImagingStudy & { id: string }>(`ImagingStudy?${byStudyUid(study)}`);
  const manifests = async (caller: FhirCaller, study: DemoStudy): Promise<DocumentReference[]> =>
    (await caller.find<DocumentReference>('DocumentReference?status=current&_count=100')).filter((document) =>
      JSON.stringify(document).includes(study.studyInstanceUID),
    );
  const move = async (caller: FhirCaller, id: string, patient: string) =>
    await caller.send('POST', `ImagingStudy/${id}/$move`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }],
    });
  /** An exam of Gaëtan that was sent as Hélène's, with a report that released it to her. */
  const mistaken = async (key: string) => {
    const study = aStudy({ key, patient: PATIENTS.helene, instances: 2 });
    expect(await sendStudy(running().server, study)).to.deep.equal([0, 0]);
    const report = await strasbourg.send('POST', '', await buildReportBundle(study, reportTextOf('ct-thorax')));
    expect(report.status, report.text).to.equal(200);
    const { id } = await eventually(async () => (await seen(helene, study))[0]);
    await eventually(async () => ((await manifests(helene, study)).length >= 2 ? true : undefined));
    return { study, id };
  };

  it('tells the data protection officer who had opened it as the wrong person’s', async () => {
    const { id } = await mistaken('move/opened');
    for (const caller of [helene, radiologist]) expect((await caller.get(`ImagingStudy/${id}`)).status).to.equal(200);
    expect((await move(strasbourg, id, patients.gaetan)).status).to.equal(200);
    const office = await personCaller(running().server, 'demo-region-dpo');
    const task = await eventually(async () =>
      (await office.find<Task>('Task?code=opened-meanwhile')).find((one) => JSON.stringify(one).includes(id)),
    );
    const told = (task.input ?? []).flatMap(({ valueReference: { display } = {} }) => display ?? []).join('\n');
    for (const who of [`Patient/${patients.helene}`, 'Practitioner/demo-radiologist'])
      expect(told).to.include(` ${who} read Patient/${patients.helene} ImagingStudy/${id}`);
    expect(await helene.find<Task>('Task?code=opened-meanwhile')).to.deep.equal([]);
  });

  it('leaves no title and date of it in the events of the wrong person, in which what is hers stays', async () => {
    const [other, { study, id }] = [await mistaken('move/hers'), await mistaken('move/words')];
    const [manifest] = await manifests(helene, study);
    for (const item of [`ImagingStudy/${id}`, `DocumentReference/${manifest?.id}`, `ImagingStudy/${other.id}`])
      expect((await helene.get(item)).status, item).to.equal(200);
    const told = async (item: string) =>
      (await helene.find<AuditEvent>('AuditEvent?_count=200')).filter((event) =>
        event.entity?.some(({ detail = [] }) =>
          detail.some((said) => said.type === 'item' && said.valueString === item),
        ),
      );
    for (const item of [`ImagingStudy/${id}`, `DocumentReference/${manifest?.id}`])
      expect(await told(item), item).to.not.be.empty;
    // An event that names both loses the words of both.
    const kept = (await told(`ImagingStudy/${other.id}`)).filter(({ action }) => action === 'R');
    expect(kept).to.not.be.empty;
    expect((await move(strasbourg, id, patients.gaetan)).status).to.equal(200);
    for (const item of [`ImagingStudy/${id}`, `DocumentReference/${manifest?.id}`])
      await eventually(async () => ((await told(item)).length === 0 ? true : undefined));
    expect((await told(`ImagingStudy/${other.id}`)).map((event) => event.id)).to.include.members(
      kept.map((event) => event.id),
    );
    const read = await helene.find<AuditEvent>(`AuditEvent?entity=ImagingStudy/${id}&subtype=read`);
    expect(read, 'that it was opened stays told').to.not.be.empty;
  });

  it('is told of in words again when it was moved by a mistake and is hers again', async () => {
    const { study, id } = await mistaken('move/back');
    const item = `ImagingStudy/${id}`;
    expect((await radiologist.get(item)).status).to.equal(200);
    const told = async (): Promise<readonly Reference[]> => {
      const { text } = await helene.get('Patient/$access-history?own=false&_count=500');
      const history = JSON.parse(text) as Parameters;
      const exams = (history.parameter ?? []).flatMap(({ part = [] }) => part.filter(({ name }) => name === 'exam'));
      return exams.flatMap(({ valueReference }) => (valueReference?.reference === item ? [valueReference] : []));
    };
    const [exam] = await told();
    expect(exam?.display, 'at first').to.be.a('string');
    expect((await move(strasbourg, id, patients.gaetan)).status).to.equal(200);
    await eventually(async () => ((await told()).every(({ display }) => display === undefined) ? true : undefined));
    expect((await move(strasbourg, id, patients.helene)).status).to.equal(200);
    await eventually(async () => ((await seen(helene, study)).length > 0 ? true : undefined));
    expect(await told(), 'back').to.deep.include(exam);
  });

  for (const [name, who] of [
    ['its establishment', () => strasbourg],
    ['the desk of the region', () => regionDesk],
  ] as const) {
    it(`takes it to the person whose it is, with its authors and readers: ${name}`, async () => {
      const { study, id } = await mistaken(`move/${name}`);
      const former = await strasbourg.get(`ImagingStudy/${id}/_history/1`);
      expect(former.status).to.equal(200);
      const answer = await move(who(), id, patients.gaetan);
      expect(answer.status, answer.text).to.equal(200);
      expect(await seen(helene, study), 'the wrong person').to.deep.equal([]);
      const [moved] = await seen(strasbourg, study);
      expect(moved).to.include({ id, numberOfInstances: 2 });
      expect(moved?.subject.reference).to.equal(`Patient/${patients.gaetan}`);
      expect((await seen(radiologist, study)).map((one) => one.id)).to.deep.equal([id]);
      expect(await seen(nancy, study)).to.deep.equal([]);
      expectOutcome(await strasbourg.get(`ImagingStudy/${id}/_history/1`), 404, 'not-found');
      const metadata = await fetch(`${running().server.url}/dicom-web/studies/${study.studyInstanceUID}/metadata`, {
        headers: { Authorization: `Bearer ${strasbourg.token}`, Accept: 'application/dicom+json' },
      });
      expect(((await metadata.json()) as unknown[]).length).to.equal(2);
      const rebuilt = await eventually(async () => {
        const found = await manifests(strasbourg, study);
        return found.find(({ subject }) => subject?.reference === `Patient/${patients.gaetan}`);
      });
      expect(rebuilt.status).to.equal('current');
      const reports = await helene.find<DiagnosticReport>('DiagnosticReport?_count=100');
      expect(JSON.stringify(reports)).to.include(study.studyInstanceUID);
      const events = await helene.find<AuditEvent>('AuditEvent?_count=100');
      const told = events.filter((event) => JSON.stringify(event).includes('"valueString":"move"'));
      expect(told.filter((event) => JSON.stringify(event).includes(id))).to.have.length(1);
      expect(JSON.stringify(told)).not.to.include(patients.gaetan);
    });
  }

  it('is refused to others, and where it changes nothing', async () => {
    const { study, id } = await mistaken('move/refused');
    expectOutcome(await move(nancy, id, patients.gaetan), 404, 'not-found');
    expectOutcome(await move(radiologist, id, patients.gaetan), 403, 'forbidden');
    expectOutcome(await move(helene, id, patients.gaetan), 403, 'forbidden');
    expectOutcome(await move(strasbourg, id, 'nobody'), 400, 'invalid');
    expectOutcome(await move(strasbourg, id, patients.helene), 409, 'conflict');
    expectOutcome(await move(strasbourg, 'nothing', patients.gaetan), 404, 'not-found');
    await sendStudy(
      running().server,
      aStudy({
        key: 'move/nancy',
        establishment: 'nancy',
        patient: { ...PATIENTS.noemie, localId: { nancy: 'NC-move' } },
      }),
    );
    const { id: others } = await nancy.findOne<Patient>('Patient?identifier=NC-move');
    const desk = await personCaller(running().server, 'demo-strasbourg-desk');
    for (const caller of [strasbourg, desk]) {
      const refused = await move(caller, id, others);
      expectOutcome(refused, 400, 'invalid');
      expect(refused.text, 'as of nobody').to.equal((await move(caller, id, 'nobody')).text);
    }
    expect((await seen(helene, study)).map((one) => one.id)).to.deep.equal([id]);
  });

  it('takes no permit of the wrong person along', async () => {
    const { study, id } = await mistaken('move/permit');
    const declared = await personCaller(running().server, 'demo-declared');
    const consent: Consent = {
      ...(await import('../../fixtures/consent.ts')).demoConsent(`Patient/${patients.helene}`),
    };
    expect((await helene.send('POST', 'Consent', consent)).status).to.equal(201);
    expect((await seen(declared, study)).map((one) => one.id)).to.deep.equal([id]);
    expect((await move(strasbourg, id, patients.gaetan)).status).to.equal(200);
    expect(await seen(declared, study)).to.deep.equal([]);
    const bytes = await fetch(`${running().server.url}/dicom-web/studies/${study.studyInstanceUID}/metadata`, {
      headers: { Authorization: `Bearer ${declared.token}`, Accept: 'application/dicom+json' },
    });
    expect(bytes.status).to.equal(404);
  });
});
