/**
 * Somebody who has withdrawn, joined with a namesake by a wrong number: the stricter hides at once, and each has her
 * own state again when the number is corrected.
 */
import type { AuditEvent, Parameters } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { runCommand } from '../../support/command.ts';
import { personCaller } from '../../support/demonstration.ts';
import { consentFor, count, withdrawal } from '../support/fhir-write.ts';
import { requestIdOf } from '../support/trail.ts';
import { each, heardOf, openPages, pass, passAll } from './passages.ts';
import { aLocalId, anINS, idIn, somebody } from './people.ts';
import {
  expectToldAsBefore,
  feedsOf,
  openPortal,
  portalOf,
  publish,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
  type Session,
  type Told,
} from './story.ts';

const KEYS = ['before', 'while', 'herself', 'named', 'ended', 'both', 'later', 'read', 'page'] as const;
const NUMBERS = Object.fromEntries(
  KEYS.flatMap((key) => [`${key}-open`, `${key}-namesake`].map((one) => [one, anINS()])),
);

tellOnEachStore('Joined by mistake (identity.md section 1, state)', { persons: NUMBERS }, (story) => {
  let declared: FhirCaller;
  before(async () => void (declared = await personCaller(story().server, 'demo-declared')));

  const accepted = feedsOf(story);

  /** Two of one name, each with an exam, whom one doctor treats; Nancy then gives one of them the other's number. */
  async function namesakes(key: (typeof KEYS)[number]) {
    const one = somebody();
    const open = { localId: aLocalId(), one: { ...one, numbers: [NUMBERS[`${key}-open`] ?? {}] } };
    const namesake = { localId: aLocalId(), one: { ...one, numbers: [NUMBERS[`${key}-namesake`] ?? {}] } };
    // Of these two the namesake is known longer, so that both are her Patient while they are one.
    if (key === 'ended') await accepted('nancy', namesake.localId, namesake.one);
    const ids = [
      idIn(await accepted('strasbourg', open.localId, open.one)),
      idIn(await accepted('nancy', namesake.localId, namesake.one)),
    ] as const;
    const key1 = `mistake/${key}/${story().server.url}`;
    const studies = [
      await publish(story(), { key: `${key1}/open`, at: 'strasbourg', localId: open.localId }),
      await publish(story(), { key: `${key1}/namesake`, at: 'nancy', localId: namesake.localId }),
    ] as const;
    for (const [caller, id] of [
      [story().strasbourg, ids[0]],
      [story().nancy, ids[1]],
    ] as const) {
      const consent = await caller.send('POST', 'Consent', consentFor(id, 'Practitioner/demo-declared'));
      expect(consent.status, consent.text).to.equal(201);
    }
    const sessions: readonly [Session, Session] = [
      await signInAtPortal(story(), `${key}-open`),
      await signInAtPortal(story(), `${key}-namesake`),
    ];
    return {
      ids,
      studies,
      exams: [uidsOf(studies[0]), uidsOf(studies[1])] as const,
      sessions,
      mistake: async () => await accepted('nancy', namesake.localId, { ...one, numbers: open.one.numbers }),
      correction: async () => await accepted('nancy', namesake.localId, namesake.one),
      told: async (): Promise<Told> =>
        await toldToAll(story(), { open: sessions[0].caller, namesake: sessions[1].caller, declared }),
    };
  }

  const seesOf = async (...ids: readonly string[]): Promise<readonly (number | undefined)[]> =>
    await Promise.all(ids.map(async (id) => await count(declared, `ImagingStudy?patient=${id}`)));

  it('hides both while they are one, and gives back to each what was hers', async () => {
    const { ids, exams, sessions, mistake, correction, told } = await namesakes('before');
    const withdrawn = await story().nancy.send('POST', 'Patient/$withdraw', withdrawal(ids[1]));
    expect(withdrawn.status, withdrawn.text).to.equal(201);
    const before = await told();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
    await mistake();
    expect(await seesOf(...ids)).to.deep.equal([0, 0]);
    expect((await portalOf(sessions[0])).exams).to.deep.equal([...exams[0], ...exams[1]].toSorted());
    expect(await story().stranger.find('Patient')).to.deep.equal([]);
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
    expectToldAsBefore(await told(), before);
    expect((await openPortal(story(), 'before-open')).exams).to.deep.equal(exams[0]);
    expect((await openPortal(story(), 'before-namesake')).exams).to.deep.equal(exams[1]);
    // Each is told of the mistake and of its end, and of nothing else of the other.
    for (const [at, session] of sessions.entries()) {
      const { events } = await portalOf(session);
      expect(events.filter(isFeedOfNancy), `events of ${at}`).to.not.have.length(0);
      expect(JSON.stringify(events.filter(isFeedOfNancy))).to.not.match(/2\.25\.|ID-\d/);
    }
    const again = await story().nancy.send('POST', 'Patient/$reconsent', withdrawal(ids[1]));
    expect(again.status, again.text).to.equal(202);
    expect(await seesOf(...ids)).to.deep.equal([1, 1]);
  });

  it('what an establishment was told while they were one goes with the identity that it is a source of', async () => {
    const { ids, mistake, correction } = await namesakes('while');
    await mistake();
    expect(await seesOf(ids[0])).to.deep.equal([2]);
    const withdrawn = await story().nancy.send('POST', 'Patient/$withdraw', withdrawal(ids[0]));
    expect(withdrawn.status, withdrawn.text).to.equal(201);
    expect(await seesOf(ids[0])).to.deep.equal([0]);
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
  });

  it('what she said herself while they were one goes with the identity that she signed in as', async () => {
    const { ids, sessions, mistake, correction } = await namesakes('herself');
    await mistake();
    const withdrawn = await sessions[1].caller.send('POST', 'Patient/$withdraw');
    expect(withdrawn.status, withdrawn.text).to.equal(201);
    expect(await seesOf(ids[0])).to.deep.equal([0]);
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
  });

  /** `$withdraw` or `$reconsent` by a patient; the withdrawals (`Consent/id`) that still hide her record. */
  const says = async ({ caller }: Session, operation: 'withdraw' | 'reconsent'): Promise<readonly string[]> => {
    const answer = await caller.send('POST', `Patient/$${operation}`);
    expect(answer.status, answer.text).to.equal(201);
    return referencesIn(answer.json<Parameters>(), 'standing');
  };

  it('what the other said herself is not ended by her: it stands, and is told', async () => {
    const { ids, sessions, mistake, correction } = await namesakes('ended');
    await says(sessions[1], 'withdraw');
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
    await mistake();
    const standing = await says(sessions[0], 'reconsent');
    expect(standing).to.have.length(1);
    expect(await seesOf(...ids), 'the other’s withdrawal').to.deep.equal([0, 0]);
    // Whoever signs in by the number that both bear is the one who bore it first.
    const again = await signInAtPortal(story(), 'ended-open');
    expect(await says(again, 'reconsent')).to.deep.equal(standing);
    expect(await seesOf(...ids)).to.deep.equal([0, 0]);
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
    expect(await says(sessions[1], 'reconsent')).to.deep.equal([]);
    expect(await seesOf(...ids)).to.deep.equal([1, 1]);
  });

  it('what both said herself hides both afterwards, and each ends her own', async () => {
    const { ids, sessions, mistake, correction } = await namesakes('both');
    await says(sessions[1], 'withdraw');
    await mistake();
    await says(sessions[0], 'withdraw');
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([0, 0]);
    await says(sessions[0], 'reconsent');
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
  });

  it('what one said later that is to be shared ends nothing that the other said before', async () => {
    const { ids, sessions, mistake, correction } = await namesakes('later');
    await says(sessions[1], 'withdraw');
    await says(sessions[0], 'withdraw');
    await says(sessions[0], 'reconsent');
    await mistake();
    // A change of the person that both are.
    const asked = await story().strasbourg.send('POST', 'Patient/$reconsent', withdrawal(ids[0]));
    expect(asked.status, asked.text).to.equal(202);
    expect(await seesOf(...ids)).to.deep.equal([0, 0]);
    await correction();
    expect(await seesOf(...ids)).to.deep.equal([1, 0]);
  });

  it('what a source declared while they were one goes with its identity', async () => {
    const { ids, told, mistake, correction } = await namesakes('named');
    const before = await told();
    await mistake();
    const consent = await story().nancy.send('POST', 'Consent', consentFor(ids[0], 'Practitioner/demo-stranger'));
    expect(consent.status, consent.text).to.equal(201);
    const seen = await story().stranger.find(`ImagingStudy?patient=${ids[0]}`);
    expect(seen).to.have.length(2);
    await correction();
    expect(await story().stranger.find(`ImagingStudy?patient=${ids[0]}`)).to.deep.equal([]);
    expect(await story().stranger.find(`ImagingStudy?patient=${ids[1]}`)).to.have.length(1);
    const location = consent.headers.get('location')?.replace(/^.*\/fhir\/|\/_history.*$/g, '') ?? '';
    expect((await story().nancy.send('DELETE', location)).status).to.equal(204);
    expectToldAsBefore(await told(), before);
  });

  it('what was read of each of them while they were one is heard of by her alone', async () => {
    const { ids, studies, sessions, mistake, correction } = await namesakes('read');
    await mistake();
    const passages = [
      await passAll(story(), declared, studies[0]),
      await passAll(story(), declared, studies[1]),
    ] as const;
    const ofBoth = await pass(declared, `ImagingStudy?patient=${ids[0]}`);
    for (const some of passages) expect(await heardOf(sessions[1].caller, some)).to.deep.equal(each(some, 1));
    await correction();
    for (const [at, { caller }] of sessions.entries())
      for (const [of, some] of passages.entries())
        expect(await heardOf(caller, some), `${at} of ${of}`).to.deep.equal(each(some, at === of ? 1 : 0));
    for (const [at, { caller }] of sessions.entries()) {
      expect(await heardOf(caller, [ofBoth])).to.deep.equal(each([ofBoth], 1));
      const ofHer = await caller.find<AuditEvent>(`AuditEvent?patient=${ids[at]}&_count=500`);
      expect(ofHer.map(requestIdOf), `by the Patient of ${at}`).to.include(ofBoth.requestId);
    }
    const { server, store } = story();
    const { code, stdout, stderr } = await runCommand('audit:verify', [], { dataDir: server.dataDir, store });
    expect(code, stdout + stderr).to.equal(0);
  });

  it('pages of an exam of one of them, which listed the exams of both, are heard of by her alone', async () => {
    const { studies, sessions, mistake, correction } = await namesakes('page');
    await mistake();
    const pages = await openPages(story(), 'demo-declared', { caller: declared, study: studies[0] });
    await correction();
    expect(await heardOf(sessions[0].caller, pages)).to.deep.equal(each(pages, 1));
    expect(await heardOf(sessions[1].caller, pages)).to.deep.equal(each(pages, 0));
  });
});

function referencesIn({ parameter = [] }: Parameters, of: string): readonly string[] {
  return parameter.flatMap(({ name, valueReference }) => (name === of ? (valueReference?.reference ?? []) : []));
}

function isFeedOfNancy({ agent, subtype = [] }: AuditEvent): boolean {
  return JSON.stringify(agent).includes('demo-nancy') && subtype.some(({ code }) => code === 'update');
}
