/**
 * An establishment declares a correspondent of a person who was there: it sent an exam, a report of one or a visit of
 * hers before. Feeding a number of somebody's opens nothing of hers to anybody.
 */
import type { DiagnosticReport, Encounter, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { eventually, expectOutcome, type FhirAnswer, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { sendStudy } from '../../support/clients/send-study.ts';
import { byStudyUid } from '../../support/demonstration.ts';
import { consentFor, transactionOf, withdrawal } from '../support/fhir-write.ts';
import { openTrail, type TrailReader } from '../support/trail.ts';
import { aLocalId, anINS, idIn, somebody } from './people.ts';
import { feedsOf, publish, signInAtPortal, tellOnEachStore } from './story.ts';

const KEYS = ['number', 'transaction', 'images', 'visit', 'report', 'herself', 'later'] as const;
const NUMBERS = Object.fromEntries(KEYS.map((key) => [key, anINS()]));
const STRANGER = 'Practitioner/demo-stranger';
const REFUSED = /exam, a report of one or a visit/;

tellOnEachStore('Who declares a correspondent (identity.md section 3)', { persons: NUMBERS }, (story) => {
  const fed = feedsOf(story);
  let trail: TrailReader;
  before(async () => void (trail = await openTrail(story().store, story().server.dataDir)));
  after(async () => await trail?.close());

  /** Somebody of whom Strasbourg has an exam, and Nancy a Patient with her number, which no more is known of there. */
  async function known(key: (typeof KEYS)[number]) {
    const one = somebody({ numbers: [NUMBERS[key] ?? {}] });
    const [inStrasbourg, inNancy] = [aLocalId(), aLocalId()];
    await fed('strasbourg', inStrasbourg, one);
    await publish(story(), { key: `declared/${key}/${story().server.url}`, at: 'strasbourg', localId: inStrasbourg });
    const patient = idIn(await fed('nancy', inNancy, one));
    return { patient, inNancy, inStrasbourg };
  }

  const declare = async (caller: FhirCaller, patient: string): Promise<FhirAnswer> =>
    await caller.send('POST', 'Consent', consentFor(patient, STRANGER));
  const seen = async (patient: string): Promise<number> =>
    (await story().stranger.find(`ImagingStudy?patient=${patient}`)).length;
  const consentsOf = async (patient: string): Promise<number> =>
    (await story().nancy.find(`Consent?patient=${patient}`)).length;

  /** Refused in plain words, with an event that says so; nothing stands, and nobody sees anything. */
  async function expectRefused(answer: FhirAnswer, patient: string, subtype = 'create'): Promise<void> {
    expect(expectOutcome(answer, 403, 'forbidden')).to.match(REFUSED);
    const [refusal, ...others] = await trail.eventsOf(answer.headers.get('X-Request-Id') ?? '');
    expect(others).to.deep.equal([]);
    expect(refusal?.event).to.deep.include({ outcome: '4' });
    expect(JSON.stringify(refusal?.event.subtype)).to.include(`"${subtype}"`);
    expect(await consentsOf(patient)).to.equal(0);
    expect(await seen(patient)).to.equal(0);
  }

  async function expectDeclared(patient: string, exams: number): Promise<void> {
    const answer = await declare(story().nancy, patient);
    expect(answer.status, answer.text).to.equal(201);
    expect(await seen(patient)).to.equal(exams);
  }

  it('not a source that has fed her qualified number and traits alone', async () => {
    const { patient } = await known('number');
    await expectRefused(await declare(story().nancy, patient), patient);
    const id = `${ESTABLISHMENTS.nancy.organization.replace('Organization/', '')}.declares`;
    const put = await story().nancy.send('PUT', `Consent/${id}`, { ...consentFor(patient, STRANGER), id });
    await expectRefused(put, patient, 'update');
    // Strasbourg has her exam: it speaks for her.
    const answer = await declare(story().strasbourg, patient);
    expect([answer.status, await seen(patient)], answer.text).to.deep.equal([201, 1]);
  });

  it('not by what comes in the same transaction: a Patient, a visit, a report', async () => {
    const { patient, inNancy } = await known('transaction');
    const { nancy } = story();
    const entries = [
      { resource: aVisit(patient, 'in-progress'), request: { method: 'POST', url: 'Encounter' } },
      { resource: aReportOf(patient, 'final'), request: { method: 'POST', url: 'DiagnosticReport' } },
    ] as const;
    const consent = {
      resource: consentFor(patient, STRANGER) as never,
      request: { method: 'POST', url: 'Consent' },
    } as const;
    for (const entry of entries)
      await expectRefused(await nancy.send('POST', '', transactionOf(entry, consent)), patient, 'transaction');
    expect(await nancy.find(`Encounter?patient=${patient}`)).to.deep.equal([]);
    expect((await nancy.find(`DiagnosticReport?patient=${patient}`)).length).to.equal(0);
    expect(inNancy).to.not.equal('');
  });

  it('from the first image on', async () => {
    const { patient, inNancy } = await known('images');
    await expectRefused(await declare(story().nancy, patient), patient);
    await imagesFromNancy(inNancy);
    await expectDeclared(patient, 2);
  });

  it('with a visit that began, not with one that is planned, cancelled or deleted', async () => {
    const { patient } = await known('visit');
    const { nancy, strasbourg } = story();
    for (const status of ['planned', 'cancelled', 'entered-in-error', 'unknown'] as const)
      await sent(nancy, patient, status);
    // Nor with that of another establishment.
    await sent(strasbourg, patient, 'finished');
    await expectRefused(await declare(nancy, patient), patient);
    const deleted = await sent(nancy, patient, 'finished');
    expect((await nancy.send('DELETE', `Encounter/${deleted}`)).status).to.equal(204);
    await expectRefused(await declare(nancy, patient), patient);
    // However many visits were planned: one that began is found among them.
    const planned = Array.from({ length: 70 }, () => ({
      resource: aVisit(patient, 'planned'),
      request: { method: 'POST', url: 'Encounter' } as const,
    }));
    expect((await nancy.send('POST', '', transactionOf(...planned))).status).to.equal(200);
    await expectRefused(await declare(nancy, patient), patient);
    await sent(nancy, patient, 'arrived');
    await expectDeclared(patient, 1);
  });

  it('with a report of an exam, not with one that was an error, cancelled, or of none', async () => {
    const { patient } = await known('report');
    const { nancy } = story();
    const { imagingStudy: _exam, ...ofNone } = aReportOf(patient, 'final');
    for (const report of [ofNone, ...(['registered', 'cancelled'] as const).map((one) => aReportOf(patient, one))])
      expect((await nancy.send('POST', 'DiagnosticReport', report)).status).to.equal(201);
    await expectRefused(await declare(nancy, patient), patient);
    expect((await nancy.send('POST', 'DiagnosticReport', aReportOf(patient, 'preliminary'))).status).to.equal(201);
    await expectDeclared(patient, 1);
  });

  it('but she does herself, and an establishment records what she opposes', async () => {
    const { patient } = await known('herself');
    const { caller, launched } = await signInAtPortal(story(), 'herself');
    expect((await declare(caller, launched)).status).to.equal(201);
    expect(await seen(patient)).to.equal(1);
    expect((await story().nancy.send('POST', 'Patient/$withdraw', withdrawal(patient))).status).to.equal(201);
    expect(await seen(patient)).to.equal(0);
    expect((await story().nancy.send('POST', 'Patient/$reconsent', withdrawal(patient))).status).to.equal(202);
    // A refusal is spared the visit.
    const { provision, ...refusal } = consentFor(patient, STRANGER) as { provision: object };
    const denied = await story().nancy.send('POST', 'Consent', {
      ...refusal,
      provision: { ...provision, type: 'deny' },
    });
    expect(denied.status, denied.text).to.equal(201);
  });

  it('what was accepted stays, and is ended by who declared it, when the visit is gone', async () => {
    const { patient } = await known('later');
    const { nancy } = story();
    const visit = await sent(nancy, patient, 'finished');
    const answer = await declare(nancy, patient);
    expect(answer.status, answer.text).to.equal(201);
    expect((await nancy.send('DELETE', `Encounter/${visit}`)).status).to.equal(204);
    expect(await seen(patient)).to.equal(1);
    const path = answer.headers.get('location')?.replace(/^.*\/fhir\/|\/_history.*$/g, '') ?? '';
    const consent = (await nancy.get(path)).json<object>();
    const ended = await nancy.send('PUT', path, { ...consent, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    expect(await seen(patient)).to.equal(0);
  });

  /** One image of hers, by the modality of Nancy. */
  async function imagesFromNancy(localId: string): Promise<void> {
    const patient = { ...PATIENTS.gaetan, localId: { nancy: localId } };
    const key = `declared/nancy/${story().server.url}`;
    const study: DemoStudy = aStudy({ key, establishment: 'nancy', patient, instances: 1 });
    expect(await sendStudy(story().server, study), 'C-STORE').to.deep.equal([0]);
    await eventually(async () => (await story().nancy.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`))[0]);
  }
});

function aVisit(patient: string, status: Encounter['status']): Encounter {
  return {
    resourceType: 'Encounter',
    status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${patient}` },
  };
}

/** Posts a visit, and gives its id. */
async function sent(caller: FhirCaller, patient: string, status: Encounter['status']): Promise<string> {
  const answer = await caller.send('POST', 'Encounter', aVisit(patient, status));
  expect(answer.status, answer.text).to.equal(201);
  return idIn(answer);
}

/** A report of an exam whose images are nowhere. */
function aReportOf(patient: string, status: DiagnosticReport['status']): DiagnosticReport {
  const number = aLocalId();
  return {
    resourceType: 'DiagnosticReport',
    identifier: [{ system: 'urn:oid:2.25.331', value: number }],
    status,
    code: { text: 'Radiographie' },
    subject: { reference: `Patient/${patient}` },
    issued: '2026-01-15T18:00:00+01:00',
    imagingStudy: [
      { type: 'ImagingStudy', identifier: { system: 'urn:dicom:uid', value: `urn:oid:2.25.${number.slice(3)}77` } },
    ],
    presentedForm: [
      { contentType: 'application/pdf', data: Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64'), title: 'CR' },
    ],
  };
}
