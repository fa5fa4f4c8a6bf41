/**
 * Rights to one exam (access.md C8, 9.3): whom a Consent declares for it, and who declared an emergency for it, find
 * and open that exam at every door; another exam of the same patient is absent, from counts, too. The stores keep it
 * in test/contract/exams.contract.ts.
 */
import type { Communication, Consent, DiagnosticReport, ImagingStudy, Parameters } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { demoConsent } from '../../fixtures/consent.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { signIn } from '../../fixtures/sign-in.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { eventually, eventsOf, expectOutcome, fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { LOGIN, representing } from '../support/clients/representing.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { comparable, count, declare } from './support/emergencies.ts';
import { canAsk, SECOND_STRANGER, type PersonKey } from './support/people.ts';
import { openWorld, type World } from './support/world.ts';

describe('A right to one exam', function () {
  this.timeout(120_000);
  let world: World;
  let patient: FhirCaller;
  let author: FhirCaller;
  /** The other exam of the patient, and its report. */
  let other: { readonly study: string; readonly report: string; readonly uid: string };
  /** The id of an exam of another patient. */
  let another: string;
  /** An exam of the patient that no report lets her see. */
  let unreleased: string;

  const callerOf = (who: PersonKey): FhirCaller => fhirCaller(world.server.url, world.tokens.get(who));
  const wordsOf = async (): Promise<readonly string[]> =>
    (await patient.find<Communication>('Communication?_count=100')).map(
      ({ payload }) => payload?.[0]?.contentString ?? '',
    );

  before(async function () {
    if (!hasProgram('storescu')) this.skip();
    world = await openWorld({ store: 'sqlite', slices: 2 });
    [patient, author] = [callerOf('patient'), callerOf('author')];
    const study = aStudy({ key: 'flow/one-exam', patient: PATIENTS.helene, started: '2026-01-20T09:30:00' });
    await sendStudy(world.server, study);
    const sent = await author.send('POST', '', await buildReportBundle(study, reportTextOf('ct-thorax')));
    expect(sent.status, sent.text).to.equal(200);
    const uid = study.studyInstanceUID;
    const find = async () =>
      (await author.find<ImagingStudy>(`ImagingStudy?identifier=urn:oid:${uid}&status=available`))[0];
    const { id = '' } = await eventually(find, 30);
    const ofIt = `DiagnosticReport?imaging-study=ImagingStudy/${id}`;
    const report = await eventually(async () => (await author.find<DiagnosticReport>(ofIt))[0], 30);
    other = { study: `ImagingStudy/${id}`, report: `DiagnosticReport/${report.id}`, uid };
    const documents = async () => (await count(author, `DocumentReference?related=ImagingStudy/${id}`)) === 2;
    await eventually(async () => ((await documents()) ? true : undefined), 30);
    // The declaration of the whole record ends.
    for (const { id: whole } of await patient.find<Consent>('Consent?actor=Practitioner/demo-declared'))
      expect((await patient.send('DELETE', `Consent/${whole}`)).status).to.be.oneOf([200, 204]);
    expect(await count(callerOf('declared'), 'ImagingStudy')).to.equal(0);
  });
  after(async () => await world?.close());

  /** The Consent by which a caller declares the correspondent for an exam. */
  const sendFor = async (exam: string, caller = patient, changes: Partial<Consent> = {}, meaning = 'instance') => {
    const { provision, ...consent } = demoConsent(`Patient/${world.ids.patient}`);
    const data = [{ meaning, reference: { reference: exam } }];
    return await caller.send('POST', 'Consent', { ...consent, ...changes, provision: { ...provision, data } });
  };

  /** Every door shows the exam, and what is counted is the exam's. */
  const expectOnlyThis = async (who: 'declared' | 'emergency'): Promise<void> => {
    for (const door of DOORS.filter((one) => canAsk(who, one))) await expectShown(world, door, who);
    const caller = callerOf(who);
    for (const [path, rows] of [
      ['ImagingStudy', 1],
      ['DiagnosticReport', 1],
      ['DocumentReference', 2],
      [`ImagingStudy?patient=Patient/${world.ids.patient}`, 1],
      ['Patient', 1],
      [`DiagnosticReport?imaging-study=${other.study}`, 0],
    ] as const)
      expect(await count(caller, path), path).to.equal(rows);
    const unknown = expectOutcome(await caller.get('ImagingStudy/unknown'), 404);
    for (const path of [other.study, other.report])
      expect(expectOutcome(await caller.get(path), 404), path).to.equal(unknown);
    const headers = { Authorization: `Bearer ${caller.token}`, Accept: 'application/dicom+json' };
    const ask = async (path: string) => await fetch(`${world.server.url}/dicom-web/studies${path}`, { headers });
    expect((await (await ask('')).json()) as object[]).to.have.length(1);
    expect((await ask(`/${other.uid}/metadata`)).status).to.equal(404);
  };

  it('is declared by the patient: the exam is shown at every door, the other one at none', async () => {
    const sent = await sendFor(`ImagingStudy/${world.ids.imagingStudy}`);
    expect(sent.status, sent.text).to.equal(201);
    await expectOnlyThis('declared');
  });

  it('C12 said again is the one that stands; for another exam it is another one, and shows that, too', async () => {
    const exam = `ImagingStudy/${world.ids.imagingStudy}`;
    expect((await sendFor(exam)).status).to.equal(200);
    expect((await sendFor(other.report)).status).to.equal(201);
    const caller = callerOf('declared');
    expect(await count(caller, 'ImagingStudy'), 'a report shows no images').to.equal(1);
    expect(await count(caller, 'DiagnosticReport')).to.equal(2);
    expect(await count(caller, 'DocumentReference')).to.equal(3);
    expectOutcome(await caller.get(other.study), 404);
  });

  it('is told to her: in the notice, and in the list of who may open what', async () => {
    await eventually(async () =>
      (await wordsOf()).some((text) => text.includes('un seul de vos examens')) ? 1 : undefined,
    );
    const listed = (await patient.get('Patient/$who-can-access')).json<Parameters>().parameter ?? [];
    const accesses = listed.flatMap(({ part }) => (part === undefined ? [] : [part]));
    const ofDeclared = accesses.filter((parts) =>
      parts.some(({ valueReference }) => valueReference?.reference === 'Practitioner/demo-declared'),
    );
    const told = ofDeclared.map((parts) => [
      parts.find(({ name }) => name === 'reach')?.valueCode,
      parts.some(({ name }) => name === 'consent'),
    ]);
    expect(told).to.deep.equal([
      ['exam', true],
      ['exam', true],
    ]);
  });

  it('of an exam that who declares does not see is refused as of one that is unknown', async () => {
    const gaetan = aStudy({ key: 'flow/one-exam-gaetan', patient: PATIENTS.gaetan, started: '2026-01-21T09:30:00' });
    await sendStudy(world.server, gaetan);
    const uid = gaetan.studyInstanceUID;
    const find = async () => (await author.find<ImagingStudy>(`ImagingStudy?identifier=urn:oid:${uid}`))[0];
    const { id = '' } = await eventually(find, 30);
    another = id;
    const unseen = aStudy({ key: 'flow/one-exam-unseen', patient: PATIENTS.helene, started: '2026-01-22T09:30:00' });
    await sendStudy(world.server, unseen);
    const findUnseen = async () =>
      (await author.find<ImagingStudy>(`ImagingStudy?identifier=urn:oid:${unseen.studyInstanceUID}`))[0];
    const waiting = await eventually(findUnseen, 30);
    const refusals = [];
    for (const exam of ['ImagingStudy/unknown', `ImagingStudy/${id}`, `ImagingStudy/${waiting.id}`])
      refusals.push(comparable(await sendFor(exam)));
    expect(new Set(refusals).size, 'no report lets her see the third yet').to.equal(1);
    expectOutcome(await sendFor(`ImagingStudy/${id}`, author), 422, 'business-rule');
    expectOutcome(await sendFor(`ImagingStudy/${waiting.id}`, patient, {}, 'dependents'), 501, 'not-supported');
    const byAuthor = await sendFor(`ImagingStudy/${waiting.id}`, author);
    expect(byAuthor.status, byAuthor.text).to.equal(201);
    expect(await count(callerOf('declared'), 'ImagingStudy')).to.equal(2);
    unreleased = `ImagingStudy/${waiting.id}`;
  });

  it('ITI-108 ends with the Consent, and with it all that she declared of the same', async () => {
    const [first] = await patient.find<Consent>('Consent?actor=Practitioner/demo-declared&status=active');
    const ended = await patient.send('PUT', `Consent/${first?.id}`, { ...first, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    for (const door of DOORS.filter((one) => canAsk('declared', one))) await expectHidden(world, door, 'declared');
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'Patient'])
      expect(await count(callerOf('declared'), type), type).to.equal(0);
  });

  it('of an exam that she does not see yet tells her not which; she ends it, whoever declared', async () => {
    const sent = await sendFor(unreleased, author);
    expect(sent.status, sent.text).to.equal(201);
    const [path = ''] = /Consent\/[^/]+/.exec(sent.headers.get('location') ?? '') ?? [];
    expect((await author.get(path)).text, 'who filed it reads what it said').to.include(unreleased);
    const answers = [path, `${path}/_history`, `${path}/_history/1`, 'Consent?_count=100', 'Consent/_history'];
    for (const asked of [...answers, 'Patient?_revinclude=Consent:patient']) {
      const { status, text } = await patient.get(asked);
      expect([status, text.includes(path.slice('Consent/'.length))], asked).to.deep.equal([200, true]);
      expect(text, asked).to.not.include(unreleased);
    }
    const told = (await patient.get(path)).json<Consent>();
    const url = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
    expect(told.provision?.data).to.deep.equal([
      { meaning: 'instance', reference: { extension: [{ url, valueCode: 'masked' }] } },
    ]);
    const inactive = { ...told, status: 'inactive' as const };
    const changes = { ...inactive, provision: { ...told.provision, period: { end: '2030-01-01' } } };
    expectOutcome(await patient.send('PUT', path, changes), 501, 'not-supported');
    const ended = await patient.send('PUT', path, inactive, { Prefer: 'return=representation' });
    expect([ended.status, ended.text.includes(unreleased)], ended.text).to.deep.equal([200, false]);
    expect(await count(callerOf('declared'), 'ImagingStudy')).to.equal(0);
    expect((await author.get(path)).text, 'what was said stands')
      .to.include(unreleased)
      .and.include('inactive');
  });

  describe('of an emergency ($break-glass with study)', () => {
    const breakFor = async (valueReference: object, caller = callerOf('emergency')) =>
      await declare(caller, { further: [{ name: 'study', valueReference }] });
    /** The patient says codes of the DMP of the other exam. */
    const labelled = async (...codes: readonly string[]): Promise<void> => {
      const valueCoding = (code: string) => ({ system: 'urn:oid:1.2.250.1.213.1.1.4.13', code });
      const parameter = codes.map((code) => ({ name: 'confidentiality', valueCoding: valueCoding(code) }));
      const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
      expect((await patient.send('POST', `${other.study}/$set-confidentiality`, body)).status).to.equal(200);
    };
    before(async () => {
      const authTime = Math.floor(Date.now() / 1000);
      world.tokens.set('emergency', await signIn({ url: world.server.url, person: SECOND_STRANGER.login, authTime }));
    });

    it('opens nothing for an exam that is unknown, another’s or masked, answers the same; she is told', async () => {
      const answers = [];
      await labelled('MASQUE_PS');
      for (const study of [
        { reference: 'ImagingStudy/unknown' },
        { reference: `ImagingStudy/${another}` },
        { reference: other.study },
        { identifier: { system: 'urn:dicom:uid', value: `urn:oid:${other.uid}` } },
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3' } },
      ]) {
        const answer = await breakFor(study);
        expect(answer.status, answer.text).to.equal(201);
        answers.push(comparable(answer));
      }
      for (const type of ['ImagingStudy', 'Patient'])
        expect(await count(callerOf('emergency'), type), type).to.equal(0);
      expectOutcome(await callerOf('emergency').get(`Patient/${world.ids.patient}`), 404);
      const told = (await wordsOf()).filter((text) => text.includes('n’est pas dans votre dossier'));
      expect(told).to.have.length(5);
      await labelled();
      for (const study of [{ reference: 'DiagnosticReport/1' }, { reference: 'ImagingStudy' }])
        expectOutcome(await breakFor(study), 400, 'invalid');
      const opened = await breakFor({ reference: `ImagingStudy/${world.ids.imagingStudy}` });
      expect(new Set([...answers, comparable(opened)]).size).to.equal(1);
    });

    it('opens that exam at every door and nothing else, by a Consent that names it; she is told', async () => {
      await expectOnlyThis('emergency');
      const consents = await patient.find<Consent>(`Consent?actor=${'Practitioner/demo-radiologist-nancy'}`);
      expect(
        consents.map(({ provision }) => provision?.data?.map(({ reference }) => reference.reference)),
      ).to.deep.equal([[`ImagingStudy/${world.ids.imagingStudy}`]]);
      expect((await wordsOf()).filter((text) => text.includes('un accès temporaire à un seul'))).to.have.length(1);
      const [event] = await eventsOf(patient, '110127');
      expect(JSON.stringify(event?.entity)).to.include(`Consent/${consents[0]?.id}`);
      const history = await patient.get('Patient/$access-history');
      expect(history.text).to.include('a déclaré une urgence pour ouvrir un examen de votre dossier.');
    });

    it('by Study Instance UID opens the other one, too', async () => {
      const value = `urn:oid:${other.uid}`;
      expect((await breakFor({ identifier: { system: 'urn:dicom:uid', value } })).status).to.equal(201);
      expect(await count(callerOf('emergency'), 'ImagingStudy')).to.equal(2);
    });

    it('is masked with the exam from who represents her, and so is a declaration', async () => {
      const mandate = representing(world.ids.patient, 'POWATT', { period: { start: '2026-01-01' } });
      expect((await patient.send('POST', 'RelatedPerson', mandate)).status).to.equal(201);
      const representative = fhirCaller(world.server.url, await signIn({ url: world.server.url, person: LOGIN }));
      const named = async (by: FhirCaller): Promise<readonly Consent[]> =>
        (await by.find<Consent>('Consent?status=active&_count=100')).filter(({ provision }) =>
          provision?.data?.some(({ reference }) => reference.reference === other.study),
        );
      const [before, hers] = [await named(representative), await named(patient)];
      expect([before.length, hers.length], 'the emergency was before').to.deep.equal([1, 1]);
      await labelled('INVISIBLE_REPRESENTANTS_LEGAUX');
      expect((await sendFor(other.study)).status).to.equal(201);
      expect((await breakFor({ reference: other.study })).status).to.equal(201);
      expect([(await named(representative)).length, (await named(patient)).length]).to.deep.equal([0, 3]);
      const told = await representative.get(`Consent/${before[0]?.id}`);
      expect([told.status, told.text.includes(other.study)], 'the emergency alone').to.deep.equal([200, false]);
      await labelled();
      expect((await sendFor(other.study)).status).to.equal(200);
      expect((await named(representative)).length, 'the declaration is written anew').to.equal(2);
    });
  });
});
