/**
 * What an establishment files is shared when it says that it informs its patients, or has recorded that it informed
 * this one; else it is for its author, its own service and the patient alone, through every door, on both stores.
 * @see access.md; identity.md 7
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Consent, DiagnosticReport, DocumentReference, Encounter, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { oralInformation } from '../../fixtures/information.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import type { Region } from '../../server/config/region-model.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { runCommand } from '../support/command.ts';
import { byStudyUid } from '../support/demonstration.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import { canAsk, type PersonKey } from './support/people.ts';
import { aReport, examByUid } from './support/report-region.ts';
import { breakGlass, callOf, type World } from './support/world.ts';

const { strasbourg } = ESTABLISHMENTS;
const ITEM_STATE = 'urn:passerelle:CodeSystem:item-state';

type Saying = Region['identifierDomains'][number]['informsPatients'];

/** Strasbourg says something else of informing: the region file is loaded again. */
async function saysOfInforming({ folder, server }: World, informsPatients: Saying): Promise<void> {
  const path = join(folder, 'region.json');
  const region = JSON.parse(await readFile(path, 'utf8')) as Region;
  const identifierDomains = region.identifierDomains.map((domain) =>
    domain.organization === strasbourg.organization ? { ...domain, informsPatients } : domain,
  );
  await writeFile(path, JSON.stringify({ ...region, serial: region.serial + 1, identifierDomains }));
  const done = await runCommand('region', ['reload'], { dataDir: server.dataDir, env: { REGION: path } });
  expect(done.code, done.stderr).to.equal(0);
}

async function ask(world: World, who: PersonKey, method: string, path: string, body?: object): Promise<Response> {
  const { url, token } = callOf(world, who);
  return await fetch(`${url}/fhir/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Waits until so many exams, reports and documents of Strasbourg are not shared; the author reads that of each. */
async function unshared(world: World, count: number): Promise<void> {
  await eventually(async () => {
    const all = [
      ...(await find<ImagingStudy>(callOf(world, 'author'), 'ImagingStudy')),
      ...(await find<DiagnosticReport>(callOf(world, 'author'), 'DiagnosticReport')),
      ...(await find<DocumentReference>(callOf(world, 'author'), 'DocumentReference')),
    ];
    const marked = all.filter(({ meta }) =>
      (meta?.security ?? []).some(({ system, code }) => system === ITEM_STATE && code === 'unshared'),
    );
    return marked.length === count ? true : undefined;
  });
}

const SEEING: readonly PersonKey[] = ['author', 'radiologist', 'patient'];
const OTHERS: readonly PersonKey[] = ['declared', 'emergency'];

/** Asks every door for everybody, but for what is told of the service, which is asked by itself. */
async function expectAtEveryDoor(world: World, persons: readonly PersonKey[], isShared: boolean): Promise<void> {
  const failures: string[] = [];
  for (const person of persons)
    for (const door of DOORS.filter((one) => canAsk(person, one))) {
      const isShown = isShared || SEEING.includes(person);
      const answer = isShown ? expectShown(world, door, person) : expectHidden(world, door, person);
      await answer.catch((error: Error) => failures.push(`${person} ${isShown} ${door.name}: ${error.message}`));
    }
  expect(failures.join('\n')).to.equal('');
}

/** `Consent/id` that an answer names. */
function consentIn({ headers }: Response): string {
  return (headers.get('location') ?? '').replace(/.*(?=Consent\/)|\/_history.*/g, '');
}

async function seenBy(world: World, who: PersonKey, type: string): Promise<readonly string[]> {
  return (await find(callOf(world, who), `${type}?_count=100`)).map(({ id = '' }) => id);
}

onEachWorld('What is filed without recorded information', (world, store) => {
  // The doors are the same on each store: what differs is how access rows follow.
  const persons: readonly PersonKey[] = store === 'SQLite' ? ['author', 'patient', ...OTHERS] : ['declared'];
  let consent = '';
  const patient = (): string => `Patient/${world().ids.patient}`;
  before(async () => await breakGlass(world()));

  it('is hidden from others as soon as the region file says so, with all that shows it', async () => {
    await saysOfInforming(world(), false);
    await unshared(world(), 4);
    await expectAtEveryDoor(world(), persons, false);
  });

  it('is seen by the service that made it, item by item, as its own', async () => {
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference'])
      expect(await seenBy(world(), 'radiologist', type), type).to.have.members(await seenBy(world(), 'author', type));
    const hers = await find(callOf(world(), 'radiologist'), `ImagingStudy?patient=${patient()}`);
    expect(hers.map(({ id }) => id)).to.deep.equal([world().ids.imagingStudy]);
    for (const type of ['ImagingStudy', 'DocumentReference'])
      for (const who of OTHERS) expect(await seenBy(world(), who, type), `${type} ${who}`).to.deep.equal([]);
  });

  it('is shared when the establishment records that it informed her, orally or in writing', async () => {
    for (const who of ['patient', 'radiologist'] as const) {
      const refused = await ask(world(), who, 'POST', 'Consent', oralInformation(patient()));
      expect(refused.status, who).to.equal(403);
    }
    const made = await ask(world(), 'author', 'POST', 'Consent', oralInformation(patient()));
    expect(made.status, await made.text()).to.equal(201);
    consent = consentIn(made);
    await unshared(world(), 0);
    await expectAtEveryDoor(world(), persons, true);
  });

  it('is shared by one record of it, which she reads and is answered when it is sent again', async () => {
    const again = await ask(world(), 'author', 'POST', 'Consent', oralInformation(patient()));
    expect([again.status, again.headers.get('content-location') ?? again.headers.get('location')].join()).to.include(
      `200`,
    );
    const hers = await find<Consent>(callOf(world(), 'patient'), 'Consent?_count=100');
    const npp = hers.filter(({ category }) => JSON.stringify(category).includes('npp'));
    expect(npp.map(({ id }) => `Consent/${id}`)).to.deep.equal([consent]);
    expect(npp[0]?.performer).to.deep.equal([{ reference: 'Practitioner/demo-radiologist' }]);
    expect((await ask(world(), 'patient', 'DELETE', consent)).status).to.equal(403);
  });

  it('is shared again after a withdrawal and its end: neither speaks of the information', async () => {
    for (const operation of ['$withdraw', '$reconsent']) {
      const done = await ask(world(), 'patient', 'POST', `Patient/${operation}`);
      expect(done.status, await done.text()).to.equal(201);
    }
    const { status } = (await (await ask(world(), 'author', 'GET', consent)).json()) as Consent;
    expect(status).to.equal('active');
    expect(await seenBy(world(), 'declared', 'ImagingStudy')).to.have.length(1);
  });

  it('is hidden again when that record ends, and shared when the region file says a day that is past', async () => {
    const ended = await ask(world(), 'author', 'DELETE', consent);
    expect(ended.status, await ended.text()).to.be.oneOf([200, 204]);
    await eventually(async () => ((await seenBy(world(), 'declared', 'ImagingStudy')).length === 0 ? true : undefined));
    await saysOfInforming(world(), '2999-01-01');
    expect(await seenBy(world(), 'declared', 'ImagingStudy')).to.deep.equal([]);
    await saysOfInforming(world(), '2026-01-05');
    await unshared(world(), 0);
    expect(await seenBy(world(), 'declared', 'ImagingStudy')).to.have.length(1);
  });

  it('is what the establishment sends from then on: an exam, its report, a visit', async () => {
    // The withdrawal has ended the former one.
    await breakGlass(world());
    await saysOfInforming(world(), false);
    await unshared(world(), 4);
    const study = aStudy({ key: 'information/later', patient: PATIENTS.helene, instances: 1 });
    expect(await sendStudy(world().server, study)).to.deep.equal([0]);
    const exam = await eventually(
      async () => (await find<ImagingStudy>(callOf(world(), 'author'), `ImagingStudy?${byStudyUid(study)}`))[0],
    );
    const { ids } = world();
    const patients = { helene: ids.patient, heleneNancy: ids.patient, gaetan: '' };
    const report = aReport({ patients }, 'information/later', { imagingStudy: [examByUid(study)] });
    const sent = await ask(world(), 'author', 'POST', 'DiagnosticReport', report);
    expect(sent.status, await sent.text()).to.equal(201);
    const visit: Encounter = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: patient() },
    };
    const visited = await ask(world(), 'author', 'POST', 'Encounter', visit);
    expect(visited.status, await visited.text()).to.equal(201);
    const { id = '' } = JSON.parse(await (await ask(world(), 'author', 'GET', 'Encounter')).text()).entry[0].resource;
    for (const who of SEEING) {
      expect(await seenBy(world(), who, 'Encounter'), who).to.deep.equal([id]);
      await eventually(async () =>
        (await seenBy(world(), who, 'ImagingStudy')).includes(exam.id ?? '') ? true : undefined,
      );
    }
    for (const who of OTHERS) {
      for (const type of ['Encounter', 'ImagingStudy', 'DiagnosticReport', 'DocumentReference'])
        expect(await seenBy(world(), who, type), `${type} ${who}`).to.deep.equal([]);
      expect((await ask(world(), who, 'GET', `ImagingStudy/${exam.id}`)).status, who).to.equal(404);
    }
    const recorded = await ask(world(), 'author', 'POST', 'Consent', oralInformation(patient()));
    expect(recorded.status, await recorded.text()).to.equal(201);
    consent = consentIn(recorded);
    const { status } = await ask(world(), 'author', 'POST', 'Encounter', visit);
    expect(status).to.equal(201);
    expect(await seenBy(world(), 'declared', 'Encounter'), 'filed after the information').not.to.deep.equal([]);
    await unshared(world(), 0);
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'Encounter'])
      for (const who of OTHERS)
        expect(await seenBy(world(), who, type), `${type} ${who}`).to.have.members(
          await seenBy(world(), 'author', type),
        );
  });

  it('is seen by its service all the same, and by no others, when it was filed while it was shared', async () => {
    const ended = await ask(world(), 'author', 'DELETE', consent);
    expect(ended.status, await ended.text()).to.be.oneOf([200, 204]);
    await eventually(async () => ((await seenBy(world(), 'declared', 'Encounter')).length === 0 ? true : undefined));
    const hers = await seenBy(world(), 'author', 'Encounter');
    expect(hers).to.have.length(2);
    for (const who of SEEING) expect(await seenBy(world(), who, 'Encounter'), who).to.have.members(hers);
  });
});
