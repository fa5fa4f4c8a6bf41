/**
 * What a region lets the representatives of small children reach (access.md section 3, layer 6; S4): private items,
 * too, of a child below an age. It is closed by default, and never opens what is masked.
 */
import type { AuditEvent, Parameters, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import type { RepresentativeSettings } from '../../profiles/consent/representation.ts';
import { fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { birthday, LOGIN, representing } from '../support/clients/representing.ts';
import { runCommand } from '../support/command.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { count } from './support/emergencies.ts';
import { makeExam } from './support/exam.ts';
import { publish } from './support/world.ts';

const NORMAL = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' } as const;
const PRIVATE = { ...NORMAL, code: 'V' };
const VISIBILITY = 'urn:oid:1.2.250.1.213.1.1.4.13';

describe('What a region lets representatives of children reach (representatives of the region file)', function () {
  this.timeout(120_000);
  let file: RegionFile;
  let server: TestServer;
  let strasbourg: FhirCaller;
  let patient: FhirCaller;
  let parent: FhirCaller;
  let exam: string;

  before(async function () {
    if (!hasProgram('storescu')) this.skip();
    file = await makeRegionFile();
    server = await startServer({ env: { REGION: file.path } });
    const token = await clientToken({ url: server.url, client: ESTABLISHMENTS.strasbourg.clientId });
    const { ids } = await publish(server, { url: server.url, token }, await makeExam(1));
    exam = `ImagingStudy/${ids.imagingStudy}`;
    strasbourg = await establishmentCaller(server, 'strasbourg');
    patient = await personCaller(server, 'demo-patient');
    await feed(birthday(3));
    const named = await strasbourg.send('POST', 'RelatedPerson', representing(ids.patient));
    expect(named.status, named.text).to.equal(201);
    parent = fhirCaller(server.url, await signIn({ url: server.url, person: LOGIN }));
    await label(PRIVATE);
  });
  after(async () => {
    await server?.stop();
    await file?.remove();
  });

  const feed = async (birthDate: string): Promise<void> => {
    const said: Patient = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg), birthDate };
    const [{ system, value } = {}] = said.identifier ?? [];
    const fed = await strasbourg.send('PUT', `Patient?identifier=${system}|${value}`, said);
    expect(fed.status, fed.text).to.equal(200);
  };
  const label = async (...codings: readonly object[]): Promise<void> => {
    const parameter = codings.map((valueCoding) => ({ name: 'confidentiality', valueCoding }));
    const body = { resourceType: 'Parameters', parameter };
    const labelled = await patient.send('POST', `${exam}/$set-confidentiality`, body);
    expect(labelled.status, labelled.text).to.equal(200);
  };
  /** Loads the region file with another setting. */
  const letRegion = async (representatives?: RepresentativeSettings): Promise<string> => {
    await file.write(settings(representatives));
    const done = await runCommand('region', ['reload'], { dataDir: server.dataDir, env: { REGION: file.path } });
    expect(done.code, done.stderr).to.equal(0);
    return done.stdout;
  };
  const sees = async (): Promise<boolean> => {
    const { status } = await parent.get(exam);
    expect(status).to.be.oneOf([200, 404]);
    expect(await count(parent, `ImagingStudy?_id=${exam.split('/')[1]}`), 'its count').to.equal(Number(status === 200));
    return status === 200;
  };
  /** The relation by which the event says that the exam was read last. */
  const cited = async (): Promise<readonly (string | undefined)[]> => {
    const [event] = await patient.find<AuditEvent>('AuditEvent?_count=1');
    const details = (event?.entity ?? []).flatMap(({ detail = [] }) => detail);
    return details.map(({ valueString }) => valueString).filter((said) => said?.startsWith('representative'));
  };

  it('shows what is private to nobody else than the patient as long as it says nothing', async () => {
    expect(await sees()).to.equal(false);
    await letRegion({});
    expect(await sees()).to.equal(false);
  });

  it('shows it while the child is below the age, from the next request on, by the birth date', async () => {
    expect(await letRegion({ reachPrivateBelowAge: 4 })).to.include('representatives of the region');
    expect(await sees()).to.equal(true);
    expect((await parent.get(exam)).status).to.equal(200);
    expect(await cited()).to.include('representative-of-child');
    await feed(birthday(4, 1));
    expect(await sees(), 'a day before').to.equal(true);
    await feed(birthday(4));
    expect(await sees(), 'at the age').to.equal(false);
    await feed(birthday(3));
    expect(await sees()).to.equal(true);
    await letRegion({ reachPrivateBelowAge: 3 });
    expect(await sees(), 'another age').to.equal(false);
    await letRegion({ reachPrivateBelowAge: 4 });
    expect(await sees()).to.equal(true);
    await letRegion();
    expect(await sees(), 'the setting is taken out').to.equal(false);
  });

  it('shows nothing masked, cites the other relation for what every one shows, and lists her once', async () => {
    await letRegion({ reachPrivateBelowAge: 4 });
    await label(PRIVATE, { system: VISIBILITY, code: 'INVISIBLE_REPRESENTANTS_LEGAUX' });
    expect(await sees()).to.equal(false);
    await label(NORMAL);
    expect((await parent.get(exam)).status).to.equal(200);
    const relations = await cited();
    expect(relations).to.include('representative').and.not.include('representative-of-child');
    const { parameter = [] } = (await patient.get('Patient/$who-can-access')).json<Parameters>();
    const listed = parameter.flatMap(({ part = [] }) => part.filter(({ name }) => name === 'relation'));
    const codes = listed.flatMap(({ valueCode = '' }) => valueCode);
    expect(codes.filter((code) => code.startsWith('representative'))).to.deep.equal(['representative']);
    await label(PRIVATE);
    expect((await parent.get(exam)).status).to.equal(200);
    const history = (await patient.get('Patient/$access-history?language=en')).json<Parameters>();
    expect(JSON.stringify(history)).to.include('as your legal representative').and.include('representative-of-child');
  });

  it('is named rightly in the file', async () => {
    for (const age of [0, 18, '4']) {
      await file.write((edited) => void Object.assign(edited, { representatives: { reachPrivateBelowAge: age } }));
      const done = await runCommand('region', ['check', file.path], { dataDir: server.dataDir });
      expect(done.code, String(age)).to.not.equal(0);
      expect(done.stderr).to.include('/representatives/reachPrivateBelowAge');
    }
  });
});

function settings(representatives: RepresentativeSettings | undefined) {
  return (edited: EditedRegion): void => {
    if (representatives !== undefined) edited.representatives = representatives;
  };
}
