/** The time of an emergency access, which no test over the wire can wait for. */
import { expect } from 'chai';
import type { Consent, Identifier, Task } from '@medplum/fhirtypes';
import { oidUri } from '../../../../profiles/codes.ts';
import type { PractitionerRequester } from '../../../../server/access/requester.ts';
import { endConsent, endingAt } from '../../../../server/flows/consent/end-consent.ts';
import { breakGlass } from '../../../../server/flows/consent/break-glass.ts';
import { searchResources } from '../../../../server/flows/read/search-resources.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { expectFault } from '../../../support/faults.ts';
import { registerIdentity } from '../../../support/identities.ts';
import { anId, aPlan, aPut, aQuery, NOW, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import {
  CLINIC,
  NATIONAL_SYSTEM,
  openClinic,
  OTHER_NATIONAL_SYSTEM,
  PATIENT_DOMAIN,
  type Clinic,
  type ClinicPatient,
} from '../../endpoints/clinic.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';

const HOURS = 4;
const HOUR_MS = 3_600_000;

describe('Emergency access over time', () => {
  let clinic: Clinic;
  let now = NOW;
  const clock = { now: () => now };
  before(async () => {
    clinic = await openClinic();
    const puts = ['ahead', 'fresh', 'identifier', 'night', 'stale', 'twice', 'undated'].map((id) =>
      aPut({ type: 'Practitioner', id }),
    );
    await commitPlan(clinic.guard.records, aPlan({ puts }));
  });
  beforeEach(() => {
    now = NOW + 60_000;
  });
  after(async () => await clinic?.close());

  /** A professional whom nobody declared, who signed in at a moment (epoch milliseconds). */
  function doctor(name: string, signedIn: number): PractitionerRequester {
    return {
      kind: 'practitioner',
      practitioner: `Practitioner/${name}`,
      roles: [],
      display: name,
      clientId: 'app',
      scopes: ['user/*.rs'],
      purpose: 'TREAT',
      authTime: signedIn / 1000,
    };
  }

  async function declare(
    requester: PractitionerRequester,
    [identifier]: readonly Identifier[] = clinic.anne.resource.identifier ?? [],
  ): Promise<{ taskId: string }> {
    const { indexer } = await loadDefinitions();
    const emergency = {
      sought: { identifier: { system: identifier?.system ?? '', value: identifier?.value ?? '' } },
      reason: 'BTG',
      justification: 'Patiente inconsciente aux urgences',
    };
    return await breakGlass({ ...clinic.guard, clock, indexer, region: clinic.region, hours: HOURS })(
      { requester, requestId: 'r', server: 'fhir' },
      emergency,
    );
  }

  /** Registers an identity more of each, all with one further number; the first one bears her own number, too. */
  async function share(patients: readonly ClinicPatient[]): Promise<readonly Identifier[]> {
    const { indexer } = await loadDefinitions();
    const { stores, region } = clinic;
    const shared = { system: OTHER_NATIONAL_SYSTEM, value: anId() };
    for (const [at, { resource }] of patients.entries()) {
      const own = { system: oidUri(PATIENT_DOMAIN), value: anId() };
      const numbers = (resource.identifier ?? []).filter(({ system }) => at === 0 && system === NATIONAL_SYSTEM);
      const said = { ...resource, id: anId(), identifier: [own, ...numbers, shared] };
      await registerIdentity({ records: stores.records, indexer, region }, { source: CLINIC, own, said });
    }
    return [shared];
  }

  async function taskOf({ taskId }: { taskId: string }): Promise<Task> {
    const row = await clinic.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Task', id: taskId });
    return openedResource<Task>(row ?? expect.fail('The Task is not found'));
  }

  async function tasksOf(code: string): Promise<readonly Task[]> {
    const query = aQuery('Task', { where: [{ kind: 'token', param: 'code', values: [{ code }] }] });
    const { rows } = await clinic.stores.records.peek(SYSTEM, { kind: 'search', query });
    return rows.map((row) => openedResource<Task>(row));
  }

  async function studiesOf(requester: PractitionerRequester): Promise<number> {
    const request = { query: aQuery('ImagingStudy'), text: 'ImagingStudy', passage: 'search' } as const;
    return (await searchResources({ ...clinic.guard, clock })({ requester, requestId: 'r', server: 'fhir' }, request))
      .rows.length;
  }

  it('F05 ends after the hours of the configuration, to the millisecond, without renewal by use', async () => {
    const requester = doctor('night', now);
    expect(await studiesOf(requester)).to.equal(0);
    await declare(requester);
    expect(await studiesOf(requester)).to.equal(2);
    const opened = now;
    now = opened + HOURS * HOUR_MS - 1;
    expect(await studiesOf(requester)).to.equal(2);
    now = opened + HOURS * HOUR_MS;
    expect(await studiesOf(requester)).to.equal(0);
  });

  it('F07 becomes inactive at its end, by a job that says when it is too early, and one event tells it', async () => {
    const requester = doctor('night', now);
    await declare(requester);
    const query = aQuery('Consent', { where: [{ kind: 'token', param: 'status', values: [{ code: 'active' }] }] });
    const { rows } = await clinic.stores.records.peek(SYSTEM, { kind: 'search', query });
    const consent =
      rows.find((row) => JSON.stringify(openedResource(row)).includes('Practitioner/night')) ??
      expect.fail('No Consent stands');
    const { indexer } = await loadDefinitions();
    const end = endConsent({ records: clinic.stores.records, clock, indexer });
    const job = { subject: consent.id, payload: {} } as TakenJob<'end-consent'>;
    expect(await end(job)).to.deep.equal({ againAt: now + HOURS * HOUR_MS });
    now += HOURS * HOUR_MS;
    for (const _twice of [1, 2]) expect(await end(job)).to.equal(undefined);
    const row = await clinic.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Consent', id: consent.id });
    expect(openedResource<Consent>(row ?? expect.fail('It is gone')).status).to.equal('inactive');
    const subtype = [{ kind: 'token', param: 'subtype', values: [{ code: '110138' }] }] as const;
    const events = await clinic.stores.records.peek(SYSTEM, {
      kind: 'search',
      query: aQuery('AuditEvent', { where: subtype }),
    });
    expect(
      events.rows.filter((event) => JSON.stringify(openedResource(event)).includes(`Consent/${consent.id}`)),
    ).to.have.length(1);
  });

  it('B12 a Consent becomes inactive when its last day is over in the zone that came with it', async () => {
    const { indexer } = await loadDefinitions();
    const id = anId();
    const provision = {
      type: 'permit',
      period: { end: '2026-07-10' },
      actor: [{ reference: { reference: 'Practitioner/night' } }],
    };
    const resource = { resourceType: 'Consent', id, status: 'active', provision } as Consent;
    const { person } = clinic.anne;
    await commitPlan(clinic.guard.records, aPlan({ puts: [aPut({ type: 'Consent', id, person, resource })] }));
    const end = endConsent({ records: clinic.stores.records, clock, indexer });
    const { payload } = endingAt(id, 0, 'Europe/Paris');
    const over = Date.parse('2026-07-10T22:00:00Z');
    now = over - 1;
    expect(await end({ subject: id, payload } as TakenJob<'end-consent'>)).to.deep.equal({ againAt: over });
    expect(await end({ subject: id, payload: {} } as TakenJob<'end-consent'>)).to.deep.equal({
      againAt: Date.parse('2026-07-11T00:00:00Z'),
    });
    now = over;
    expect(await end({ subject: id, payload } as TakenJob<'end-consent'>)).to.equal(undefined);
    const row = await clinic.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Consent', id });
    expect(openedResource<Consent>(row ?? expect.fail('It is gone')).status).to.equal('inactive');
  });

  it('opens nothing by a number of two persons, one record by that of two identities of one person', async () => {
    const requester = doctor('identifier', now);
    const { anne, bruno } = clinic;
    const ambiguous = await taskOf(await declare(requester, await share([bruno, anne])));
    expect(await studiesOf(requester)).to.equal(0);
    expect([ambiguous.description, ambiguous.for]).to.deep.equal(['Patiente inconsciente aux urgences', undefined]);
    const told = await tasksOf('ambiguous-emergency');
    expect(told.map(({ input = [] }) => input.length)).to.deep.equal([2]);
    const single = await taskOf(await declare(requester, await share([anne, anne])));
    expect(await studiesOf(requester)).to.equal(2);
    expect(single.for?.reference).to.match(/^Patient\//);
  });

  it('F03 counts the five minutes from the sign-in', async () => {
    await declare(doctor('fresh', now - 300_000));
    const fault = await expectFault(declare(doctor('stale', now - 301_000)), 'login');
    expect(fault.protocolCode).to.equal('insufficient_user_authentication');
    await declare(doctor('fresh', now + 60_000));
    await expectFault(declare(doctor('ahead', now + 61_000)), 'login');
    const { authTime: _unknown, ...undated } = doctor('undated', now);
    await expectFault(declare(undated), 'login');
  });

  it('a second emergency begins its own hours and leaves the first as it was', async () => {
    const requester = doctor('twice', now);
    await declare(requester);
    const first = now;
    now = first + 60_000;
    await declare(requester);
    now = first + HOURS * HOUR_MS + 30_000;
    expect(await studiesOf(requester)).to.equal(2);
    now = first + 60_000 + HOURS * HOUR_MS;
    expect(await studiesOf(requester)).to.equal(0);
  });
});
