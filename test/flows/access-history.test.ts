/** `Patient/$access-history`: the list of accesses reads aloud (access.md R-20, smart-security.md M08). */
import { readFileSync } from 'node:fs';
import type { AuditEvent, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { LANGUAGES, type Language } from '../../profiles/language.ts';
import { ask, birthday, LOGIN, representing } from '../support/clients/representing.ts';
import { eventsForPatient } from './support/cell.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import type { PersonKey } from './support/people.ts';
import { breakGlass, callOf, type World } from './support/world.ts';

async function get(world: World, who: PersonKey, path: string, requestId?: string): Promise<Response> {
  const call = callOf(world, who);
  const headers = { Authorization: `Bearer ${call.token}`, 'X-Request-Id': requestId ?? call.requestId };
  const response = await fetch(`${call.url}${path}`, { headers });
  await response.clone().arrayBuffer();
  return response;
}

/** Asks for something that is there. */
async function see(world: World, who: PersonKey, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) expect((await get(world, who, path)).status, path).to.equal(200);
}

const asked = async (world: World, query = ''): Promise<Parameters> => {
  const response = await get(world, 'patient', `/fhir/Patient/$access-history${query}`);
  expect(response.status, query).to.equal(200);
  return (await response.json()) as Parameters;
};

function accessesOf({ parameter = [] }: Parameters): readonly ParametersParameter[][] {
  return parameter.flatMap(({ name, part = [] }) => (name === 'access' ? [part] : []));
}

function valueOf(part: readonly ParametersParameter[], name: string): ParametersParameter | undefined {
  return part.find((one) => one.name === name);
}

function totalOf({ parameter = [] }: Parameters): number | undefined {
  return parameter.find(({ name }) => name === 'total')?.valueInteger;
}

/** When the story was told, as each language writes it. */
const WHEN: Readonly<Record<Language, RegExp>> = {
  fr: /^Le \d+(?:er)?\u00A0\p{L}+ \d{4} à \d+\u00A0h\u00A0\d\d/u,
  de: /^Am \d+\. \p{L}+ \d{4} um \d\d:\d\d Uhr/u,
  en: /^On \d+ \p{L}+ \d{4} at \d\d:\d\d/u,
};

onEachWorld('The list of accesses', (world) => {
  let former = 0;

  before(async () => {
    const { ids } = world();
    const study = `/dicom-web/studies/${ids.studyInstanceUID}`;
    const instance = `${study}/series/${ids.seriesInstanceUID}/instances/${ids.sopInstanceUIDs[0]}`;
    former = accessesOf(await asked(world())).length;
    await see(world(), 'declared', `/fhir/ImagingStudy?patient=${ids.patient}`);
    // One viewing: the metadata, then frame by frame.
    await see(world(), 'declared', `${study}/metadata`, `${instance}/frames/1`, `${instance}/frames/1`);
    await see(world(), 'declared', `/fhir/ImagingStudy/${ids.imagingStudy}`);
    await see(world(), 'declared', `/fhir/Binary/${ids.reportDocument.binary}`);
    await see(world(), 'radiologist', `/fhir/DiagnosticReport/${ids.diagnosticReport}`);
    for (const path of [`/fhir/ImagingStudy/${ids.imagingStudy}`, `${study}/metadata`])
      expect((await get(world(), 'stranger', path)).status).to.equal(404);
    await breakGlass(world());
    await see(world(), 'emergency', `${study}/metadata`);
    await see(world(), 'patient', `/fhir/ImagingStudy/${ids.imagingStudy}`);
  });

  for (const language of LANGUAGES)
    it(`reads aloud in ${language}: one sentence for one access, none for a refusal`, async () => {
      const { ids } = world();
      const listed = accessesOf(await asked(world(), `?language=${language}`));
      const sentences = listed.map((part) => valueOf(part, 'sentence')?.valueString ?? '');
      expect(sentences.filter((text) => !WHEN[language].test(text))).to.deep.equal([]);
      // She reads her list in each language: of her own accesses the exam alone is part of the story.
      const story = sentences.slice(0, sentences.length - former);
      const told = story
        .filter((_, at) => valueOf(listed[at] ?? [], 'kind')?.valueCode !== 'record' || !isOwn(listed[at]))
        .map((text) => text.replace(WHEN[language], '{moment}'));
      const golden = readFileSync(
        new URL(`../../fixtures/golden/access-list.${language}.txt`, import.meta.url),
        'utf8',
      );
      expect(`${told.toReversed().join('\n')}\n`).to.equal(golden);
      expect(told.join()).to.not.include(ids.patient);
    });

  it('says who, what, by which right and Consent, and of which events; an emergency is marked', async () => {
    const { ids } = world();
    const listed = accessesOf(await asked(world()));
    const viewing = listed.find(
      (part) =>
        valueOf(part, 'who')?.valueReference?.reference === 'Practitioner/demo-declared' &&
        valueOf(part, 'kind')?.valueCode === 'opened' &&
        valueOf(part, 'exam')?.valueReference?.reference === `ImagingStudy/${ids.imagingStudy}`,
    );
    expect(valueOf(viewing ?? [], 'exam')?.valueReference?.display).to.equal(world().exam.study.description);
    expect(valueOf(viewing ?? [], 'relation')?.valueCode).to.equal('declared');
    expect(valueOf(viewing ?? [], 'consent')?.valueReference?.reference).to.match(/^Consent\//);
    expect(valueOf(viewing ?? [], 'emergency')?.valueBoolean).to.equal(false);
    const events = (viewing ?? []).filter(({ name }) => name === 'event');
    // Metadata, the first frame, the read of the resource.
    expect(events).to.have.length(3);
    for (const { valueReference } of events) await see(world(), 'patient', `/fhir/${valueReference?.reference}`);
    const emergencies = listed.filter((part) => valueOf(part, 'emergency')?.valueBoolean === true);
    expect(emergencies.map((part) => valueOf(part, 'kind')?.valueCode)).to.deep.equal(['opened', 'emergency']);
  });

  it('leaves out her own accesses, begins and ends with a period, and comes in parts', async () => {
    const others = accessesOf(await asked(world(), '?own=false'));
    expect(others).to.not.be.empty;
    expect(others.filter(isOwn)).to.deep.equal([]);
    const all = await asked(world());
    expect(accessesOf(all).filter(isOwn)).to.not.be.empty;
    const parts = [
      await asked(world(), '?own=false&_count=2'),
      await asked(world(), '?own=false&_count=500&_offset=2'),
    ];
    expect(parts.flatMap(accessesOf).map(sentence)).to.deep.equal(others.map(sentence));
    expect(parts.map(totalOf)).to.deep.equal([others.length, others.length]);
    const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    expect(totalOf(await asked(world(), `?start=${tomorrow}&end=${tomorrow}`))).to.equal(0);
    expect(totalOf(await asked(world(), '?end=2020'))).to.equal(0);
    expect(totalOf(await asked(world(), `?own=false&start=2020&end=${tomorrow}`))).to.equal(others.length);
  });

  it('is for no professional, by name of its parameters alone, and is itself an event of hers', async () => {
    for (const other of ['declared', 'author', 'stranger', 'emergency'] as const)
      expect((await get(world(), other, '/fhir/Patient/$access-history')).status, other).to.equal(403);
    for (const query of ['?other=a', '?_count=x', '?own=maybe', '?language=it', '?start=soon', '?own=true&own=true'])
      expect((await get(world(), 'patient', `/fhir/Patient/$access-history${query}`)).status, query).to.equal(400);
    const requestId = `urn:uuid:${crypto.randomUUID()}`;
    await get(world(), 'patient', '/fhir/Patient/$access-history', requestId);
    const events = await eventsForPatient(world(), requestId);
    const queries = events.map(({ entity = [] }) => entity.find(({ query }) => query !== undefined)?.query ?? '');
    expect(queries.map((query) => Buffer.from(query, 'base64').toString())).to.deep.equal(['Patient/$access-history']);
  });

  it('tells who represents her nothing of exams and readers that are not for that one (R-74)', async () => {
    const { server, ids } = world();
    const { url } = server;
    const establishment = await clientToken({ url, client: ESTABLISHMENTS.strasbourg.clientId });
    const fed = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg), birthDate: birthday(10) };
    const [{ system, value } = {}] = fed.identifier ?? [];
    const said = await ask(url, establishment, 'PUT', `Patient?identifier=${system}|${value}`, fed);
    expect(said.status).to.equal(200);
    const { id } = await ask(url, establishment, 'POST', 'RelatedPerson', representing(ids.patient, 'PRN'));
    const token = await signIn({ url, person: LOGIN });
    const exam = `ImagingStudy/${ids.imagingStudy}`;
    const label = async (...codings: readonly object[]): Promise<void> => {
      const parameter = codings.map((valueCoding) => ({ name: 'confidentiality', valueCoding }));
      const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
      for (const item of [exam, `DiagnosticReport/${ids.diagnosticReport}`])
        expect(
          (await ask(url, callOf(world(), 'patient').token, 'POST', `${item}/$set-confidentiality`, body)).status,
        ).to.equal(200);
    };
    const told = async (): Promise<readonly string[]> => {
      const { status, body } = await ask(url, token, 'GET', 'Patient/$access-history?_count=500');
      expect(status).to.equal(200);
      expect(JSON.stringify(body)).to.not.match(/AuditEvent\/|votre dossier/);
      return accessesOf(body as unknown as Parameters).map((part) =>
        ['who', 'kind', 'exam']
          .map((name) => valueOf(part, name))
          .map((one) => one?.valueReference?.reference ?? one?.valueCode ?? '-')
          .join(' '),
      );
    };
    for (const who of ['declared', 'radiologist', 'patient'] as const) await see(world(), who, `/fhir/${exam}`);
    expect((await ask(url, token, 'GET', exam)).status).to.equal(200);
    const opened = ['Practitioner/demo-declared', 'Practitioner/demo-radiologist', `RelatedPerson/${id}`].map(
      (who) => `${who} opened ${exam}`,
    );
    const all = await told();
    expect(all).to.include.members(opened);
    // What she looked at herself is hers.
    expect(all.filter((line) => line.startsWith('Patient/'))).to.deep.equal([]);
    await label({ system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_REPRESENTANTS_LEGAUX' });
    const hidden = await told();
    expect(hidden.filter((line) => line.includes(exam) || line.includes('demo-radiologist '))).to.deep.equal([]);
    expect(hidden).to.include(`RelatedPerson/${id} record -`);
    await label();
    expect(await told()).to.include.members(opened);
    const [event] = await find<AuditEvent>(callOf(world(), 'patient'), `AuditEvent?agent=RelatedPerson/${id}&_count=1`);
    expect((event?.entity ?? []).flatMap(({ query }) => (query === undefined ? [] : [atob(query)]))).to.deep.equal([
      'Patient/$access-history',
    ]);
    expect((await ask(url, establishment, 'DELETE', `RelatedPerson/${id}`)).status).to.be.oneOf([200, 204]);
  });
});

function isOwn(part: readonly ParametersParameter[] | undefined): boolean {
  return valueOf(part ?? [], 'own')?.valueBoolean === true;
}

function sentence(part: readonly ParametersParameter[]): string | undefined {
  return valueOf(part, 'sentence')?.valueString;
}
