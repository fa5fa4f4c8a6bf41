/** Who ends a withdrawal: each is ended by who may, and the record stays hidden while one stands. */
import { expect } from 'chai';
import type { AuditEvent, Consent, Parameters } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { expectUnshared, fillDemonstration, rowsOfReaders, type Demonstration } from '../support/demonstration.ts';
import { consentFor, transactionOf } from './support/fhir-write.ts';
import { onEachStore } from './support/each-store.ts';

onEachStore('The end of a withdrawal (Patient/$withdraw, $reconsent)', {}, (running, store) => {
  let region: Demonstration;
  before(async () => {
    region = await fillDemonstration(running().server);
  });

  const own = async (operation: string, body?: Parameters): Promise<FhirAnswer> =>
    await region.patient.send('POST', `Patient/$${operation}`, body);
  const by = async (caller: FhirCaller, operation: string): Promise<FhirAnswer> => {
    const parameter = [{ name: 'patient', valueReference: { reference: `Patient/${region.patients.helene}` } }];
    return await caller.send('POST', `Patient/$${operation}`, { resourceType: 'Parameters', parameter });
  };
  const expectHidden = async (why: string): Promise<void> => await expectUnshared(region, why);
  const expectShared = async (): Promise<void> => void expect(await rowsOfReaders(region)).to.be.greaterThan(0);
  const changes = async (): Promise<readonly string[]> =>
    (await eventsOf(region.patient, 'AuthZ-Consent')).flatMap((event) => changeOf(event) ?? []);
  const referenceOf = (answer: FhirAnswer, name = 'return'): readonly string[] =>
    (answer.json<Parameters>().parameter ?? [])
      .filter((parameter) => parameter.name === name)
      .map(({ valueReference }) => valueReference?.reference ?? '');
  /** Everybody ends what stands. */
  afterEach(async () => {
    for (const caller of [region.strasbourg, region.nancy])
      expect((await by(caller, 'reconsent')).status).to.equal(202);
    expect((await own('reconsent')).status).to.equal(201);
    await expectShared();
  });

  it('A10 is the patient’s own where she withdrew: an establishment’s $reconsent is a request', async () => {
    await expectShared();
    expect((await own('withdraw')).status).to.equal(201);
    await expectHidden('she withdrew');
    for (const caller of [region.strasbourg, region.nancy]) {
      const answer = await by(caller, 'reconsent');
      expect(answer.status, answer.text).to.equal(202);
      expect(answer.headers.get('location')).to.match(/\/fhir\/Task\/[0-9a-f-]{36}$/);
      await expectHidden('an establishment asked');
    }
    const [latest, before, withdrawal] = await changes();
    expect([latest, before, withdrawal]).to.deep.equal(['reconsent-request', 'reconsent-request', 'withdraw']);
    const confirmed = await own('reconsent');
    expect(confirmed.status, confirmed.text).to.equal(201);
    expect(referenceOf(confirmed, 'standing')).to.deep.equal([]);
    await expectShared();
    expect((await changes())[0]).to.equal('reconsent');
  });

  it('she confirms by naming the request of hers, and no other one', async () => {
    await own('withdraw');
    const [task = ''] = referenceOf(await by(region.nancy, 'reconsent'));
    const naming = (reference: string): Parameters => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'task', valueReference: { reference } }],
    });
    expectOutcome(await own('reconsent', naming('Task/00000000-0000-4000-8000-000000000000')), 404, 'not-found');
    await expectHidden('another request');
    expect((await own('reconsent', naming(task))).status).to.equal(201);
    await expectShared();
    expectOutcome(await own('reconsent', naming(task)), 404, 'not-found');
  });

  it('of an establishment is ended by it, not by the patient nor by another establishment', async () => {
    expect((await by(region.strasbourg, 'withdraw')).status).to.equal(201);
    await expectHidden('Strasbourg recorded it');
    expect((await by(region.nancy, 'reconsent')).status).to.equal(202);
    await expectHidden('Nancy did not record it');
    const answer = await own('reconsent');
    expect(answer.status).to.equal(201);
    const standing = referenceOf(answer, 'standing');
    expect(standing).to.have.lengthOf(1);
    const consent = (await region.patient.get(standing[0] ?? '')).json<Consent>();
    expect(consent.organization?.[0]?.reference).to.equal('Organization/demo-strasbourg');
    expect((await region.patient.get(referenceOf(answer)[0] ?? '')).json<Consent>().status).to.equal('proposed');
    await expectHidden('it is not hers to end');
    expect((await by(region.strasbourg, 'reconsent')).status).to.equal(202);
    await expectShared();
    expect((await region.patient.get(standing[0] ?? '')).json<Consent>().status).to.equal('inactive');
  });

  it('of the patient is changed by no establishment that feeds her: its Consent stands as she said it', async () => {
    await own('withdraw');
    const standing = async () =>
      await region.patient.find<Consent>('Consent?status=active&_sort=-_lastUpdated&_count=1');
    const [consent] = await standing();
    expect(consent?.performer?.[0]?.reference).to.match(/^Patient\//);
    const path = `Consent/${consent?.id}`;
    const patch = [{ op: 'replace', path: '/status', value: 'inactive' }];
    for (const caller of [region.strasbourg, region.nancy]) {
      expectOutcome(await caller.send('PUT', path, { ...consent, status: 'inactive' }), 404, 'not-found');
      const headers = { 'content-type': 'application/json-patch+json' };
      expectOutcome(await caller.send('PATCH', path, patch, headers), 404, 'not-found');
      // As of what is not there (FHIR R4 http.html#delete).
      expect((await caller.send('DELETE', path)).status).to.equal(204);
    }
    expect(await standing()).to.deep.equal([consent]);
    await expectHidden('it stands');
  });

  it('is that of each: a later one takes the place of none, in whatever order they are ended', async () => {
    await own('withdraw');
    await by(region.strasbourg, 'withdraw');
    await by(region.nancy, 'withdraw');
    await by(region.strasbourg, 'reconsent');
    await expectHidden('hers and that of Nancy stand');
    await own('reconsent');
    await expectHidden('that of Nancy stands');
    await own('withdraw');
    await by(region.nancy, 'reconsent');
    await expectHidden('hers stands again');
    await own('reconsent');
    await expectShared();
  });

  it('is said once: who withdraws again hears of the same Consent, and ends it once', async () => {
    const [first] = referenceOf(await own('withdraw'));
    const again = await own('withdraw');
    expect([again.status, referenceOf(again)[0]]).to.deep.equal([201, first]);
    await own('reconsent');
    await expectShared();
  });

  it('keeps one consent to share or its withdrawal active, whatever came before', async () => {
    for (const operation of ['withdraw', 'reconsent', 'withdraw', 'reconsent', 'reconsent']) await own(operation);
    const active = (await region.patient.find<Consent>('Consent?status=active')).filter(
      ({ provision }) => provision?.actor === undefined,
    );
    expect(active.map(({ provision }) => provision?.type)).to.deep.equal(['permit']);
  });

  it('is hidden whichever of a withdrawal and an end that cross each other comes first', async function crossing() {
    for (let round = 0; round < 10; round += 1) {
      await own('withdraw');
      const [ended, withdrawn] = await Promise.all([own('reconsent'), by(region.nancy, 'withdraw')]);
      expect([ended.status, withdrawn.status]).to.deep.equal([201, 201]);
      await expectHidden(`round ${round}`);
      await by(region.nancy, 'reconsent');
      await own('reconsent');
    }
  });

  it('answers an establishment the same, whatever the patient has said herself', async () => {
    const shape = ({ status, text }: FhirAnswer): readonly unknown[] => [status, text.replace(/Task\/[0-9a-f-]+/, '')];
    const open = shape(await by(region.nancy, 'reconsent'));
    await own('withdraw');
    expect(shape(await by(region.nancy, 'reconsent'))).to.deep.equal(open);
    expect(shape(await by(region.nancy, 'reconsent'))).to.deep.equal(open);
  });

  // A rule of the flow, which both stores have: a flood is long on MongoDB.
  if (store === 'SQLite')
    it('stands beside however many declarations an establishment files, which are 500 at most', async () => {
      await own('withdraw');
      const statuses: number[] = [];
      for (let from = 0; from < 600 && !statuses.some((status) => status > 299); from += 100) {
        const entry = Array.from({ length: 100 }, (_, at) => ({
          request: { method: 'POST' as const, url: 'Consent' },
          resource: naming(region.patients.helene, `1${String(from + at).padStart(10, '0')}`),
        }));
        const answer = await region.strasbourg.send('POST', '', transactionOf(...entry));
        statuses.push(answer.status);
        if (answer.status > 299) expectOutcome(answer, answer.status, 'too-costly');
      }
      expect(statuses).to.deep.equal([200, 200, 200, 200, 200, 413]);
      await expectHidden('she withdrew');
    });
});

/** A declaration by a number of nobody: each of them is another one. */
function naming(patient: string, value: string): Consent {
  const consent = consentFor(patient, '') as Consent;
  const [actor] = consent.provision?.actor ?? [];
  if (actor === undefined) throw new Error('It names somebody');
  const reference = { type: 'Practitioner' as const, identifier: { system: IDENTIFIER_SYSTEM.rpps, value } };
  return { ...consent, provision: { ...consent.provision, actor: [{ ...actor, reference }] } };
}

/** What an event of a change tells. */
function changeOf({ entity = [] }: AuditEvent): string | undefined {
  const details = entity.flatMap(({ detail = [] }) => detail);
  return details.find(({ type }) => type === 'change')?.valueString;
}
