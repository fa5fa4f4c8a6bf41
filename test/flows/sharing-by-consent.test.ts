/** A Consent without actor says what `$withdraw` and `$reconsent` say (ITI-108, access.md C10 and C11). */
import { expect } from 'chai';
import type { Bundle, Communication, Consent, Task } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import {
  expectUnshared,
  fillDemonstration,
  personCaller,
  rowsOfReaders,
  type Demonstration,
} from '../support/demonstration.ts';
import { aPatient, transactionOf, withdrawal } from './support/fhir-write.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { onEachStore } from './support/each-store.ts';

/** What professionals read. */

onEachStore('Sharing said by a Consent without actor (IHE PCF Consent Basic)', {}, (running) => {
  let region: Demonstration;
  before(async () => {
    region = await fillDemonstration(running().server);
  });

  const consentOf = (type: 'permit' | 'deny', patient = region.patients.helene): Consent => {
    const { provision: _, policy: __, ...frame } = demoConsent(`Patient/${patient}`);
    return { ...frame, policy: [{ uri: 'https://example.org/notice' }], provision: { type } };
  };
  const say = async (caller: FhirCaller, type: 'permit' | 'deny'): Promise<FhirAnswer> =>
    await caller.send('POST', 'Consent', consentOf(type));
  const said = async (caller: FhirCaller, type: 'permit' | 'deny'): Promise<Consent & { id: string }> => {
    const answer = await say(caller, type);
    expect(answer.status, answer.text).to.equal(201);
    return await standing(caller, pathOf(answer));
  };
  const standing = async (caller: FhirCaller, path: string): Promise<Consent & { id: string }> =>
    (await caller.get(path)).json<Consent & { id: string }>();
  const ended = async (caller: FhirCaller, consent: Consent, status: Consent['status'] = 'inactive') =>
    await caller.send('PUT', `Consent/${consent.id}`, { ...consent, status });
  const expectHidden = async (why: string): Promise<void> => await expectUnshared(region, why);
  const expectShared = async (why: string): Promise<void> =>
    void expect(await rowsOfReaders(region), why).to.be.greaterThan(0);
  const active = async (): Promise<readonly (Consent & { id: string })[]> =>
    (await region.patient.find<Consent & { id: string }>('Consent?status=active')).filter(
      ({ provision }) => provision?.actor === undefined,
    );
  /** Everybody ends what stands. */
  afterEach(async () => {
    for (const caller of [region.strasbourg, region.nancy])
      await caller.send('POST', 'Patient/$reconsent', withdrawal(region.patients.helene));
    expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
    await expectShared('afterwards');
  });

  it('a deny of hers hides her record at once; set inactive, it gives it back', async () => {
    const consent = await said(region.patient, 'deny');
    expect([consent.status, consent.sourceAttachment?.title]).to.deep.equal(['active', 'Déclaration de correspondant']);
    await expectHidden('she denied');
    expectOutcome(await region.nancy.get(`Consent/${consent.id}`), 404);
    const [event] = await eventsOf(region.patient, 'AuthZ-Consent');
    expect(JSON.stringify(event?.entity)).to.include(`Consent/${consent.id}`).and.to.include('withdraw');
    expect((await ended(region.patient, consent)).status).to.equal(200);
    await expectShared('she ended it');
    expect((await active()).map(({ id }) => id)).to.deep.equal([]);
    expect((await standing(region.patient, `Consent/${consent.id}`)).status).to.equal('inactive');
    const again = { ...(await standing(region.patient, `Consent/${consent.id}`)), status: 'active' as const };
    expectOutcome(await ended(region.patient, again, 'active'), 501, 'not-supported');
    await expectShared('an ended one does not begin again');
  });

  it('a deny is ended by DELETE, and as an error; it stays, inactive', async () => {
    const [first] = [await said(region.patient, 'deny')];
    expect((await region.patient.send('DELETE', `Consent/${first.id}`)).status).to.equal(204);
    await expectShared('deleted');
    expect((await standing(region.patient, `Consent/${first.id}`)).status).to.equal('inactive');
    const second = await said(region.patient, 'deny');
    expect((await ended(region.patient, second, 'entered-in-error')).status).to.equal(200);
    await expectShared('an error');
    expect((await standing(region.patient, `Consent/${second.id}`)).status).to.equal('entered-in-error');
    const third = await said(region.patient, 'deny');
    const patch = [{ op: 'replace', path: '/status', value: 'inactive' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await region.patient.send('PATCH', `Consent/${third.id}`, patch, headers)).status).to.equal(200);
    await expectShared('patched');
  });

  it('C10 is ended by who spoke: that of an establishment neither by her nor by another, hers by none', async () => {
    const theirs = await said(region.strasbourg, 'deny');
    expect(theirs.organization?.[0]?.reference, 'as it was sent').to.equal('Organization/demo-strasbourg');
    await expectHidden('Strasbourg recorded it');
    const readByHer = await standing(region.patient, `Consent/${theirs.id}`);
    expectOutcome(await ended(region.patient, readByHer), 403, 'forbidden');
    expectOutcome(await region.patient.send('DELETE', `Consent/${theirs.id}`), 403, 'forbidden');
    expectOutcome(await ended(region.nancy, theirs), 404, 'not-found');
    await expectHidden('it stands');
    // She names an establishment that keeps the paper: she spoke, all the same.
    const hers = await said(region.patient, 'deny');
    for (const caller of [region.strasbourg, region.nancy]) expectOutcome(await ended(caller, hers), 404, 'not-found');
    expect((await ended(region.strasbourg, theirs)).status).to.equal(200);
    await expectHidden('hers stands');
    expect((await ended(region.patient, hers)).status).to.equal(200);
    await expectShared('none stands');
  });

  it('C10 the mark of who recorded one is set by the server, whatever is sent', async () => {
    const mark = {
      url: 'urn:passerelle:StructureDefinition:Consent-recorded-by',
      valueReference: { reference: `Patient/${region.patients.helene}` },
    };
    const answer = await region.nancy.send('POST', 'Consent', { ...consentOf('deny'), extension: [mark] });
    const consent = await standing(region.nancy, pathOf(answer));
    expect(consent.extension).to.deep.equal([
      { ...mark, valueReference: { reference: ESTABLISHMENTS.nancy.organization } },
    ]);
    expectOutcome(await ended(region.patient, await standing(region.patient, `Consent/${consent.id}`)), 403);
  });

  it('C10 a permit of an establishment is a request against hers: 202, whatever stands', async () => {
    const shape = ({ status, text, headers }: FhirAnswer): readonly unknown[] => [
      status,
      text,
      headers.get('location')?.replace(/Task\/[0-9a-f-]+/, ''),
    ];
    const open = await say(region.nancy, 'permit');
    expect(open.status, open.text).to.equal(202);
    expect(pathOf(open)).to.match(/^Task\//);
    expect(
      (await active()).map(({ provision }) => provision?.type),
      'nothing stands against it',
    ).to.deep.equal(['permit']);
    const hers = await said(region.patient, 'deny');
    const asked = await say(region.nancy, 'permit');
    expect(shape(asked)).to.deep.equal(shape(open));
    await expectHidden('she denied');
    expect(
      (await active()).map(({ id }) => id),
      'it is not stored',
    ).to.deep.equal([hers.id]);
    const task = (await region.patient.get(pathOf(asked))).json<Task>();
    expect([task.status, task.requester?.reference]).to.deep.equal(['requested', ESTABLISHMENTS.nancy.organization]);
    const notices = await region.patient.find<Communication>('Communication?_sort=-sent&_count=1');
    expect(notices[0]?.about?.[0]?.reference).to.equal(pathOf(asked));
    const confirmed = await said(region.patient, 'permit');
    expect(confirmed.status).to.equal('active');
    await expectShared('she confirmed');
    expect((await region.patient.get(pathOf(asked))).json<Task>().status).to.equal('completed');
  });

  it('C11 one is active: said again it is the one that stands (200), and a permit ends a deny', async () => {
    const first = await said(region.patient, 'deny');
    const again = await say(region.patient, 'deny');
    expect([again.status, pathOf(again)]).to.deep.equal([200, `Consent/${first.id}`]);
    expect((await active()).map(({ id }) => id)).to.deep.equal([first.id]);
    const permit = await said(region.patient, 'permit');
    expect((await active()).map(({ id }) => id)).to.deep.equal([permit.id]);
    const later = await said(region.patient, 'permit');
    expect((await active()).map(({ id }) => id)).to.deep.equal([later.id]);
    const deny = await said(region.patient, 'deny');
    expect((await active()).map(({ id }) => id)).to.deep.equal([deny.id]);
  });

  it('R-56 the end of a permit is a withdrawal, never the implicit permit', async () => {
    const permit = await said(region.patient, 'permit');
    expect((await ended(region.patient, permit)).status).to.equal(200);
    await expectHidden('she ended her consent');
    expect((await active()).map(({ provision }) => provision?.type)).to.deep.equal(['deny']);
    const other = await said(region.patient, 'permit');
    await expectShared('she consents again');
    expect((await region.patient.send('DELETE', `Consent/${other.id}`)).status).to.equal(204);
    await expectHidden('she deleted it');
  });

  it('a permit of hers waits for the end of another’s deny, and is in force then', async () => {
    const theirs = await said(region.nancy, 'deny');
    const permit = await said(region.patient, 'permit');
    expect(permit.status).to.equal('proposed');
    await expectHidden('that of Nancy stands');
    expect((await region.nancy.send('DELETE', `Consent/${theirs.id}`)).status).to.equal(204);
    await expectShared('Nancy ended it');
    expect((await standing(region.patient, `Consent/${permit.id}`)).status).to.equal('active');
  });

  it('is said of a Patient of the same transaction, and hides what comes later', async () => {
    const patient = aPatient(ESTABLISHMENTS.nancy, 'sharing-1');
    const urn = 'urn:uuid:3f1c1d0e-8a53-4c2e-9a51-7d7c2f0f4f10';
    const bundle: Bundle = transactionOf(
      { fullUrl: urn, resource: patient, request: { method: 'POST', url: 'Patient' } },
      {
        resource: { ...consentOf('deny'), patient: { reference: urn } },
        request: { method: 'POST', url: 'Consent' },
      },
    );
    const answer = await region.nancy.send('POST', '', bundle);
    expect(answer.status, answer.text).to.equal(200);
    const [made] = answer.json<Bundle>().entry ?? [];
    const id = made?.response?.location?.split('/')[1] ?? '';
    const visit = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${id}` },
    };
    const filed = await region.nancy.send('POST', 'Encounter', visit);
    expect(filed.status, filed.text).to.equal(201);
    expect(await region.nancy.find(`Encounter?patient=${id}`)).to.deep.equal([]);
    const opened = await region.nancy.send('POST', 'Patient/$reconsent', withdrawal(id));
    expect(opened.status, opened.text).to.equal(202);
    expect((await region.nancy.find(`Encounter?patient=${id}`)).length).to.equal(1);
  });

  it('is said by nobody else, and of nobody else: professionals, other patients, unknown ones', async () => {
    expectOutcome(await say(region.declared, 'deny'), 403, 'forbidden');
    const other = consentOf('deny', region.patients.gaetan);
    expectOutcome(await region.patient.send('POST', 'Consent', other), 400, 'invalid');
    const [hidden, unknown] = [other, consentOf('deny', 'nobody')].map(
      async (consent) => await region.nancy.send('POST', 'Consent', consent),
    );
    expect([(await hidden)?.status, (await hidden)?.text]).to.deep.equal([
      (await unknown)?.status,
      (await unknown)?.text,
    ]);
    await expectShared('nothing was said');
  });

  it('ends the emergencies that stand, as a withdrawal does', async () => {
    const stranger = await personCaller(running().server, 'demo-stranger');
    const { system, value } = PATIENTS.helene.national;
    const parameter = [
      { name: 'identifier', valueIdentifier: { system, value } },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Douleur thoracique, inconsciente' },
    ];
    const opened = await stranger.send('POST', 'Patient/$break-glass', { resourceType: 'Parameters', parameter });
    expect(opened.status, opened.text).to.equal(201);
    expect((await stranger.find('ImagingStudy')).length).to.equal(2);
    const consent = await said(region.patient, 'deny');
    expect((await ended(region.patient, consent)).status).to.equal(200);
    expect((await stranger.find('ImagingStudy')).length, 'it does not revive').to.equal(0);
  });
});

function pathOf(answer: FhirAnswer): string {
  return (answer.headers.get('location') ?? '').replace(/^.*\/fhir\/|\/_history.*$/g, '');
}
