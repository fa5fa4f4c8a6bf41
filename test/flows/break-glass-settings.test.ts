/**
 * What a region lets emergencies open beyond normal items (access.md Q1, Q2; layers 3, 5 and 6): confidential items,
 * and normal ones of a record that is closed to who declares it. Both are closed by default; private items, and records
 * that are not shared, no setting opens.
 */
import type { Communication, Consent, DiagnosticReport, Parameters, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { demoConsent } from '../../fixtures/consent.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import type { BreakGlassSettings } from '../../profiles/consent/emergency.ts';
import { ABSENT_TEXTS } from '../../server/endpoints/viewer/absent/texts.ts';
import { eventsOf, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { openSignedIn } from '../support/clients/signed-in-browser.ts';
import { runCommand } from '../support/command.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { comparable, count, declare } from './support/emergencies.ts';

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const VISIBILITY = 'urn:oid:1.2.250.1.213.1.1.4.13';
const TEMPORARY = 'urn:passerelle:CodeSystem:temporary-access';
const STRANGER = 'Practitioner/demo-stranger';
const OTHER = 'Practitioner/demo-region-desk';

/** Labels of reports of Hélène. */
const LABELS = {
  confidential: { system: CONFIDENTIALITY, code: 'R' },
  private: { system: CONFIDENTIALITY, code: 'V' },
  masked: { system: VISIBILITY, code: 'MASQUE_PS' },
} as const;

/** Of each language what a patient reads. */
const ALTHOUGH = {
  fr: 'alors que vous lui aviez fermé votre dossier',
  de: 'obwohl Sie Ihr Dossier für diese Person gesperrt hatten',
  en: 'although you had closed your record to them',
} as const;

describe('What a region lets emergencies open (breakGlass of the region file)', function () {
  this.timeout(120_000);
  let file: RegionFile;
  let server: TestServer;
  let region: Demonstration;
  let other: FhirCaller;
  let officer: FhirCaller;
  const reports: Partial<Record<keyof typeof LABELS, string>> = {};

  before(async () => {
    file = await makeRegionFile();
    await file.write(settings({ reachesConfidential: true, passesBlocks: true }));
    server = await startServer({ env: { REGION: file.path } });
    region = await fillDemonstration(server);
    other = await personCaller(server, 'demo-region-desk');
    officer = await personCaller(server, 'demo-region-dpo');
    for (const name of Object.keys(LABELS) as (keyof typeof LABELS)[]) reports[name] = await publish(region, name);
  });
  after(async () => {
    await server?.stop();
    await file?.remove();
  });

  /** Loads the region file with other settings. */
  const letRegion = async (breakGlass: BreakGlassSettings | undefined): Promise<string> => {
    await file.write(settings(breakGlass));
    const done = await runCommand('region', ['reload'], { dataDir: server.dataDir, env: { REGION: file.path } });
    expect(done.code, done.stderr).to.equal(0);
    return done.stdout;
  };
  /** How many exams somebody sees, and which of the labelled reports. */
  const seen = async (caller: FhirCaller): Promise<string> => {
    const found = await caller.find<DiagnosticReport>('DiagnosticReport?_count=100');
    expect(await count(caller, 'DiagnosticReport'), 'its count').to.equal(found.length);
    const labelled = Object.entries(reports).filter(([, id]) => found.some((one) => one.id === id));
    for (const [name, id = ''] of Object.entries(reports))
      expect((await caller.get(`DiagnosticReport/${id}`)).status, name).to.equal(
        labelled.some(([shown]) => shown === name) ? 200 : 404,
      );
    const exams = await count(caller, `ImagingStudy?patient=${region.patients.helene}`);
    return [`${exams} exams`, ...labelled.map(([name]) => name)].join(', ');
  };
  const opened = async (caller: FhirCaller, study?: string): Promise<string> => {
    const further = study === undefined ? [] : [{ name: 'study', valueReference: { reference: study } }];
    const answer = await declare(caller, { further });
    expect(answer.status, answer.text).to.equal(201);
    return answer.headers.get('location')?.replace(/.*\/fhir\//, '') ?? '';
  };
  /** What she was told last, by language, and the Consent that it is about. */
  const told = async (): Promise<{ readonly texts: string; readonly consent: Consent | undefined }> => {
    const [notice] = await region.patient.find<Communication>('Communication?_count=1');
    const about = notice?.about?.[0]?.reference;
    const consent = about === undefined ? undefined : (await region.patient.get(about)).json<Consent>();
    return { texts: JSON.stringify(notice?.payload), consent };
  };
  const block = async (reference: string): Promise<string> => {
    const { provision, ...consent } = demoConsent(`Patient/${region.patients.helene}`);
    const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference } }));
    const policy = [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-deny' }];
    const denied = { ...consent, policy, provision: { ...provision, type: 'deny', actor } };
    const made = await region.patient.send('POST', 'Consent', denied);
    expect(made.status, made.text).to.equal(201);
    return made.headers.get('location')?.replace(/.*(?=Consent\/)|\/_history.*/g, '') ?? '';
  };
  /** The current accesses of a professional in her list, as `relation reach`. */
  const listed = async (who: string): Promise<readonly string[]> => {
    const { parameter = [] } = (await region.patient.get('Patient/$who-can-access')).json<Parameters>();
    return parameter.flatMap(({ part = [] }) => {
      const said = (name: string) => part.find((one) => one.name === name);
      if (said('who')?.valueReference?.reference !== who) return [];
      return [`${said('relation')?.valueCode} ${said('reach')?.valueCode} ${said('temporary')?.valueBoolean}`];
    });
  };
  const sentences = async (language: string, query = ''): Promise<readonly string[]> => {
    const path = `Patient/$access-history?_count=200&language=${language}${query}`;
    const { parameter = [] } = (await region.patient.get(path)).json<Parameters>();
    return parameter.flatMap(({ part = [] }) => part.find(({ name }) => name === 'sentence')?.valueString ?? []);
  };
  const review = async (task: string): Promise<readonly string[]> => {
    const { input = [] } = (await officer.get(task)).json<Task>();
    return input.map(({ type, valueBoolean }) => `${type.coding?.[0]?.code} ${valueBoolean}`);
  };

  /** What the page at a link says that an emergency opens. */
  const terms = async (): Promise<readonly string[]> => {
    const { page } = await openSignedIn(`${server.url}/voir/unknown`, 'demo-stranger');
    const names = ['normalOnly', 'confidentialToo', 'pastBlock'] as const;
    return names.filter((name) => page.text.includes(ABSENT_TEXTS.fr[name]));
  };

  it('Q2 reaches confidential items, where the region says so: nothing private, nothing masked', async () => {
    expect(await terms()).to.deep.equal(['confidentialToo', 'pastBlock']);
    const task = await opened(region.stranger);
    expect(await seen(region.stranger)).to.equal('2 exams, confidential');
    const { texts, consent } = await told();
    expect(texts).to.include('Vos examens confidentiels en font partie ; vos examens privés restent fermés.');
    expect(texts).to.include('Das schließt vertrauliche Untersuchungen ein').and.include('Your confidential exams are');
    expect(consent?.provision?.securityLabel).to.deep.equal([{ system: CONFIDENTIALITY, code: 'R' }]);
    expect(consent?.meta?.profile?.join()).to.match(/consentAdvanced$/);
    expect(await review(task)).to.deep.equal(['R true']);
    expect(await listed(STRANGER)).to.deep.equal(['break-glass-confidential record true']);
    const [start] = await eventsOf(region.patient, '110127');
    expect(JSON.stringify(start?.entity)).to.include('break-glass-confidential');
    const french = (await sentences('fr')).filter((one) => one.includes('Vaudrémont'));
    expect(french.join('\n'))
      .to.match(/a déclaré une urgence pour ouvrir votre dossier, avec ce qui y est confidentiel\./)
      .and.match(/a consulté .*, en urgence \(bris de glace\), parmi vos éléments confidentiels\./);
    const reads = (await eventsOf(region.patient, 'read')).map(({ agent, entity }) => JSON.stringify([agent, entity]));
    const ofIt = reads.filter((one) => one.includes(reports.confidential ?? ''));
    expect(ofIt.join()).to.include(`Consent/${consent?.id}`).and.include('BTG');
  });

  it('Q2 finds one exam that is confidential, and opens that alone', async () => {
    const [study] = await region.patient.find(`ImagingStudy?modality=CR`);
    const parameter = [{ name: 'confidentiality', valueCoding: LABELS.confidential }];
    const path = `ImagingStudy/${study?.id}/$set-confidentiality`;
    const labelled = await region.patient.send('POST', path, { resourceType: 'Parameters', parameter });
    expect(labelled.status, labelled.text).to.equal(200);
    await opened(other, `ImagingStudy/${study?.id}`);
    expect((await told()).texts)
      .to.include('à un seul de vos examens')
      .and.include('examen confidentiel');
    expect(await seen(other)).to.equal('1 exams');
    expect(await seen(region.stranger)).to.equal('2 exams, confidential');
  });

  it('is closed by a block that comes after it, and passes one that came before, to normal items alone', async () => {
    const id = await block(STRANGER);
    expect(await seen(region.stranger), 'blocked since').to.equal('0 exams');
    expect(await listed(STRANGER)).to.deep.equal(['break-glass-confidential nothing true']);
    const task = await opened(region.stranger);
    expect(await seen(region.stranger), 'one of two exams is confidential').to.equal('1 exams');
    const { texts, consent } = await told();
    for (const words of Object.values(ALTHOUGH)) expect(texts).to.include(words);
    expect(texts).to.include('Vos examens confidentiels et privés restent fermés.');
    expect(JSON.stringify(consent?.category)).to.include(TEMPORARY).and.include('past-block');
    expect(consent?.provision?.securityLabel).to.equal(undefined);
    expect(await review(task)).to.deep.equal(['past-block true']);
    expect(await listed(STRANGER)).to.have.members([
      'break-glass-confidential nothing true',
      'break-glass-past-block record true',
    ]);
    for (const [language, words] of Object.entries(ALTHOUGH)) {
      const said = (await sentences(language)).filter((one) => one.endsWith(`${words}.`));
      expect(said.length, `${language}: that it was declared, and what was seen`).to.be.greaterThan(1);
    }
    const [report] = await region.stranger.find<DiagnosticReport>('DiagnosticReport');
    await region.stranger.get(`DiagnosticReport/${report?.id}`);
    const reads = (await eventsOf(region.patient, 'read')).map(({ agent, entity }) => JSON.stringify([agent, entity]));
    const ofIt = reads.filter((one) => one.includes('break-glass-past-block'));
    expect(ofIt.join()).to.include(`Consent/${consent?.id}`).and.include('BTG');
    expect((await region.patient.send('DELETE', id)).status).to.be.oneOf([200, 204]);
    expect(await seen(region.stranger), 'by the first of both').to.equal('2 exams, confidential');
  });

  it('shows nothing of one confidential exam past a block', async () => {
    const id = await block(OTHER);
    const [study] = await region.patient.find(`ImagingStudy?modality=CR`);
    await opened(other, `ImagingStudy/${study?.id}`);
    expect((await told()).texts).to.include('rien n’a été montré');
    expect(await seen(other)).to.equal('0 exams');
    expect((await region.patient.send('DELETE', id)).status).to.be.oneOf([200, 204]);
  });

  it('is closed from the next request on where the region file takes it back, what is open, too', async () => {
    const id = await block(STRANGER);
    expect(await seen(region.stranger)).to.equal('1 exams');
    const lines = await letRegion({ reachesConfidential: true });
    expect(lines).to.include('changed: emergencies of the region');
    expect(await seen(region.stranger)).to.equal('0 exams');
    expect(await listed(STRANGER)).to.have.members([
      'break-glass-confidential nothing true',
      'break-glass nothing true',
    ]);
    const task = await opened(region.stranger);
    expect(await review(task)).to.deep.equal([]);
    const { texts, consent } = await told();
    expect([texts.includes('Vous lui avez fermé votre dossier'), consent]).to.deep.equal([true, undefined]);
    expect((await region.patient.send('DELETE', id)).status).to.be.oneOf([200, 204]);
    expect(await seen(region.stranger)).to.equal('2 exams, confidential');
    await letRegion(undefined);
    expect(await seen(region.stranger), 'as every emergency').to.equal('1 exams');
    expect(await terms()).to.deep.equal(['normalOnly']);
  });

  it('gives an emergency nothing that it was not declared with: who declared before declares again', async () => {
    const third = await personCaller(server, 'demo-strasbourg-desk');
    await opened(third);
    expect(await seen(third)).to.equal('1 exams');
    await letRegion({ reachesConfidential: true, passesBlocks: true });
    expect(await seen(third)).to.equal('1 exams');
    expect(await seen(region.stranger), 'declared with it').to.equal('2 exams, confidential');
    await opened(third);
    expect(await seen(third)).to.equal('2 exams, confidential');
  });

  it('Q1 opens nothing after a withdrawal, past a block neither; the answer is the same', async () => {
    const before = await declare(region.stranger);
    await block(STRANGER);
    expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
    expect([await seen(region.stranger), await seen(other)]).to.deep.equal(['0 exams', '0 exams']);
    expect(comparable(await declare(region.stranger))).to.equal(comparable(before));
    expect(await seen(region.stranger)).to.equal('0 exams');
    const { texts, consent } = await told();
    expect([texts.includes('Vos examens ne sont pas partagés'), consent]).to.deep.equal([true, undefined]);
  });

  it('has no setting for what is withdrawn, nor for what is private: such a file is not taken', async () => {
    for (const name of ['afterWithdrawal', 'reachesPrivate']) {
      await file.write((edited) => void Object.assign(edited, { breakGlass: { [name]: false } }));
      const done = await runCommand('region', ['reload'], { dataDir: server.dataDir, env: { REGION: file.path } });
      expect(done.code).to.not.equal(0);
      expect(done.stderr).to.include(`/breakGlass has an unknown member: ${name}`);
    }
  });
});

function settings(breakGlass: BreakGlassSettings | undefined) {
  return (edited: EditedRegion): void => {
    if (breakGlass !== undefined) edited.breakGlass = breakGlass;
  };
}

/** A report of Hélène with a label; gives its id. */
async function publish({ strasbourg, patients }: Demonstration, name: keyof typeof LABELS): Promise<string> {
  const study = aStudy({ key: `break-glass-settings/${name}`, patient: PATIENTS.helene });
  const bundle = await buildReportBundle(study, reportTextOf('mr-head'));
  const report = bundle.entry?.[1]?.resource as DiagnosticReport;
  const subject = { reference: `Patient/${patients.helene}` };
  const answer = await strasbourg.send('POST', 'DiagnosticReport', {
    ...report,
    meta: { security: [LABELS[name]] },
    subject,
  });
  if (answer.status !== 201) expectOutcome(answer, 201);
  return answer.headers.get('location')?.replace(/.*DiagnosticReport\/|\/_history.*/g, '') ?? '';
}
