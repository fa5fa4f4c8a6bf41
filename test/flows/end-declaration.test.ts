/** The end of a declaration: who may end it, what ends with it, and what else of a Consent cannot be changed. */
import { expect } from 'chai';
import type { Consent } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventsOf, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';

/** A zone where the day is another than in UTC, for an hour at least. */
const farZone = () =>
  new Date().getUTCHours() < 11 ? { zone: 'Etc/GMT+12', hours: -12 } : { zone: 'Pacific/Kiritimati', hours: 14 };
const dayAfter = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 10);

describe('Consent update (FHIR R4 http.html#update): a declaration ends', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let far: ReturnType<typeof farZone>;
  before(async () => {
    far = farZone();
    region = await startDemonstration({ env: { TIME_ZONE: far.zone } });
  });
  after(async () => await region?.server.stop());

  const studiesSeenBy = async (caller: FhirCaller): Promise<number> => (await caller.find('ImagingStudy')).length;
  /** A declaration of demo-stranger by the caller, as it is stored. */
  const declare = async (
    caller: FhirCaller,
    period?: { readonly start?: string; readonly end: string },
  ): Promise<Consent & { id: string }> => {
    const consent = demoConsent(`Patient/${region.patients.helene}`);
    const actor = (consent.provision?.actor ?? []).map((one) => ({
      ...one,
      reference: { reference: 'Practitioner/demo-stranger' },
    }));
    const provision = { ...consent.provision, actor, ...(period === undefined ? {} : { period }) };
    const made = await caller.send('POST', 'Consent', { ...consent, provision });
    expect(made.status, made.text).to.equal(201);
    const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
    return { ...(await caller.get(`Consent/${id}`)).json<Consent>(), id };
  };

  it('by the patient: the correspondent sees nothing from the next request on', async () => {
    const consent = await declare(region.patient);
    expect(await studiesSeenBy(region.stranger)).to.equal(2);
    const ended = await region.patient.send(
      'PUT',
      `Consent/${consent.id}`,
      { ...consent, status: 'inactive' },
      { 'if-match': 'W/"1"' },
    );
    expect(ended.status, ended.text).to.equal(200);
    expect(ended.headers.get('etag')).to.equal('W/"2"');
    expect(await studiesSeenBy(region.stranger)).to.equal(0);
    expect((await region.patient.get(`Consent/${consent.id}`)).json<Consent>().status).to.equal('inactive');
    const [event] = await eventsOf(region.patient, 'update');
    expect(JSON.stringify(event?.entity)).to.include(`Consent/${consent.id}`);
    const again = await region.patient.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
    expect([again.status, again.headers.get('etag')]).to.deep.equal([200, 'W/"2"']);
  });

  it('by the establishment that recorded it, without ending what others declared', async () => {
    const [mine, hers] = [await declare(region.strasbourg), await declare(region.patient)];
    expect(
      (await region.strasbourg.send('PUT', `Consent/${mine.id}`, { ...mine, status: 'entered-in-error' })).status,
    ).to.equal(200);
    expect(await studiesSeenBy(region.stranger)).to.equal(2);
    expect((await region.patient.send('PUT', `Consent/${hers.id}`, { ...hers, status: 'inactive' })).status).to.equal(
      200,
    );
    expect(await studiesSeenBy(region.stranger)).to.equal(0);
    expect(await studiesSeenBy(region.declared), 'another correspondent').to.equal(2);
  });

  it('not by others, for whom it is as absent as an unknown one', async () => {
    const consent = await declare(region.patient);
    for (const caller of [region.stranger, region.declared, region.nancy, region.strasbourg]) {
      const hidden = await caller.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
      const absent = await caller.send('PUT', 'Consent/nobody', { ...consent, id: 'nobody', status: 'inactive' });
      expectOutcome(hidden, 404, 'not-found');
      expect([hidden.status, hidden.text]).to.deep.equal([absent.status, absent.text]);
    }
    expect(await studiesSeenBy(region.stranger)).to.equal(2);
    await region.patient.send('PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
  });

  it('B12 by its last day, which ends with that of the region, not of UTC', async () => {
    const [here, utc] = [dayAfter(far.hours), dayAfter(0)];
    expect(here).to.not.equal(utc);
    const lasting = await declare(region.patient, { start: here, end: here });
    expect(await studiesSeenBy(region.stranger)).to.equal(2);
    await region.patient.send('PUT', `Consent/${lasting.id}`, { ...lasting, status: 'inactive' });
    expect(await studiesSeenBy(region.stranger)).to.equal(0);
    const other = await declare(region.patient, { start: utc, end: utc });
    expect(await studiesSeenBy(region.stranger), 'over, or to come').to.equal(0);
    await region.patient.send('DELETE', `Consent/${other.id}`);
  });

  it('and nothing else of it changes: no content, no other version, no withdrawal or emergency', async () => {
    const consent = await declare(region.patient);
    const path = `Consent/${consent.id}`;
    expectOutcome(await region.patient.send('PUT', path, { ...consent, status: 'active' }), 501, 'not-supported');
    expectOutcome(
      await region.patient.send('PUT', path, { ...consent, status: 'inactive', dateTime: '2026-01-01' }),
      501,
      'not-supported',
    );
    expectOutcome(
      await region.patient.send('PUT', path, { ...consent, status: 'inactive' }, { 'if-match': 'W/"7"' }),
      412,
      'conflict',
    );
    expectOutcome(
      await region.patient.send('PUT', path, { ...consent, id: 'other', status: 'inactive' }),
      400,
      'invalid',
    );
    expectOutcome(await region.patient.send('PUT', 'Consent?identifier=a', consent), 405, 'not-supported');
    const { system, value } = PATIENTS.helene.national;
    const emergency = [
      { name: 'identifier', valueIdentifier: { system, value } },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Douleur thoracique, inconsciente' },
    ];
    expect(
      (await region.stranger.send('POST', 'Patient/$break-glass', { resourceType: 'Parameters', parameter: emergency }))
        .status,
    ).to.equal(201);
    const consents = await region.patient.find<Consent>('Consent?status=active');
    const broken = consents.find(({ provision }) => provision?.purpose?.[0]?.code === 'BTG');
    expectOutcome(
      await region.patient.send('PUT', `Consent/${broken?.id ?? ''}`, { ...broken, status: 'inactive' }),
      501,
      'not-supported',
    );
    expectOutcome(await region.patient.send('DELETE', `Consent/${broken?.id ?? ''}`), 501, 'not-supported');
    expect(await studiesSeenBy(region.stranger)).to.equal(2);
  });
});
