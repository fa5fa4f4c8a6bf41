/** News in states of a patient that no door sets yet. */
import type { Communication, Consent, PractitionerRole } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { OPEN_STATE, type PatientState } from '../../../../server/access/decide.ts';
import { indexHolders } from '../../../../server/flows/directory/holders.ts';
import { newsId } from '../../../../server/flows/notices/news-id.ts';
import { tellNews } from '../../../../server/flows/notices/tell-news.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPlan, aQuery, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

/** The policy of a Consent that denies. */
const DENIES = 'https://profiles.ihe.net/ITI/PCF/Policy-deny';

describe('Telling news', () => {
  let clinic: Clinic;
  let now: number;
  let holders = indexHolders([]);
  before(async () => {
    clinic = await openClinic();
    now = Date.parse(clinic.ct.resource.started ?? '') + 3_600_000;
  });
  after(async () => await clinic?.close());

  /** Runs the work as often as a job may run, and gives the kinds that she has been told of. */
  async function toldOf(item: string): Promise<readonly string[]> {
    const { indexer } = await loadDefinitions();
    const { records } = clinic.stores;
    const tell = tellNews({ records, clock: { now: () => now }, indexer, timeZone: 'UTC', holders: () => holders });
    for (const _twice of [1, 2]) await tell({ subject: item } as TakenJob<'tell-news'>);
    const { rows } = await records.peek(SYSTEM, { kind: 'search', query: aQuery('Communication') });
    return rows.map((row) => openedResource<Communication>(row).category?.[0]?.coding?.[0]?.code ?? '');
  }

  async function setState(change: Partial<PatientState>): Promise<void> {
    await commitPlan(clinic.stores.records, aPlan({ states: [{ person: clinic.anne.person, change }] }));
  }

  it('of a document are not told while it is to be erased with all that is hers', async () => {
    const item = `ImagingStudy/${clinic.ct.resource.id}`;
    await setState({ erasurePending: true });
    expect(await toldOf(item)).to.not.include('new-document');
    await setState(OPEN_STATE);
    expect(await toldOf(item)).to.include('new-document');
  });

  it('come once, also of one exam on two days when something came on each', async () => {
    const item = `ImagingStudy/${clinic.ct.resource.id}`;
    const once = await toldOf(item);
    now += 24 * 3_600_000;
    const all = await toldOf(item);
    expect(all.filter((kind) => kind === 'new-document')).to.have.length(2);
    expect(all.length, 'the imaging service is no news any more').to.equal(once.length + 1);
  });

  it('of an exam that a second establishment adds to: its imaging service, too, each once', async () => {
    const { indexer } = await loadDefinitions();
    const { anne, ct } = clinic;
    const study = { ...ct.resource, id: 'shared' };
    const services = ['Organization/one', 'Organization/two'];
    const rooms = services.map((reference) => ({
      resourceType: 'Organization' as const,
      id: reference.slice('Organization/'.length),
      name: reference,
    }));
    await commitPlan(clinic.stores.records, aPlan({ puts: rooms.map((one) => putOf(indexer, one, now)) }));
    const kinds: number[] = [];
    for (const count of [1, 2]) {
      const origin = { sources: [CLINIC], services: services.slice(0, count) };
      const facts = { person: anne.person, subject: `Patient/${anne.resource.id}`, origin };
      await commitPlan(clinic.stores.records, aPlan({ puts: [putOf(indexer, study, now, facts)] }));
      const told = await toldOf('ImagingStudy/shared');
      kinds.push(told.filter((kind) => kind === 'imaging-service').length);
    }
    expect(kinds.map((count) => count - (kinds[0] ?? 0))).to.deep.equal([0, 1]);
  });

  it('of a correspondent: not of one who is barred by an organization, a role or for all records (C16)', async () => {
    const { indexer } = await loadDefinitions();
    const { anne } = clinic;
    const organization = { resourceType: 'Organization' as const, id: 'barred', name: 'Barred' };
    const people = ['seen', 'member', 'outside'].map((id) => ({
      resourceType: 'Practitioner' as const,
      id,
      name: [{ family: id }],
    }));
    const roleOf = (id: string, at: string, code: string): PractitionerRole & { readonly id: string } => ({
      resourceType: 'PractitionerRole',
      id: `${id}-role`,
      practitioner: { reference: `Practitioner/${id}` },
      organization: { reference: `Organization/${at}` },
      code: [{ coding: [{ code }] }],
    });
    const roles = [roleOf('seen', 'other', 'SM26'), roleOf('member', 'barred', 'SM26'), roleOf('outside', 'o', 'SM25')];
    const directory = [organization, ...people, ...roles];
    holders = indexHolders(directory);
    const { provision, policy, ...demo } = demoConsent(`Patient/${anne.resource.id}`);
    const consentOf = (id: string, type: 'permit' | 'deny', reference: string): Consent & { readonly id: string } => {
      const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference } }));
      const policies = type === 'deny' ? [{ uri: DENIES }] : policy;
      return { ...demo, id, ...(policies && { policy: policies }), provision: { ...provision, type, actor } };
    };
    const consents = [
      consentOf('block', 'deny', 'Organization/barred'),
      ...people.map(({ id }) => consentOf(`to-${id}`, 'permit', `Practitioner/${id}`)),
      ...roles.map(({ id }) => consentOf(`to-${id}`, 'permit', `PractitionerRole/${id}`)),
    ];
    const facts = { person: anne.person, subject: `Patient/${anne.resource.id}`, origin: filedBy(CLINIC) };
    const puts = directory.map((one) => putOf(indexer, one, now));
    await commitPlan(clinic.stores.records, aPlan({ puts }));
    for (const one of consents)
      await commitPlan(clinic.stores.records, aPlan({ puts: [putOf(indexer, one, now, facts)] }));
    const counts: Record<string, number> = {};
    for (const { id } of consents) {
      const before = (await toldOf('Consent/none')).filter((kind) => kind === 'correspondent').length;
      const after = (await toldOf(`Consent/${id}`)).filter((kind) => kind === 'correspondent').length;
      counts[id] = after - before;
    }
    const [some, none] = [1, 0];
    expect(counts).to.deep.equal({
      block: none,
      'to-seen': some,
      'to-member': none,
      'to-outside': none,
      'to-seen-role': some,
      'to-member-role': none,
      'to-outside-role': none,
    });
  });

  it('of a block: when it begins, and when it ends where no other closes the record to the same', async () => {
    const { indexer } = await loadDefinitions();
    const { anne } = clinic;
    const { provision, policy: _, ...demo } = demoConsent(`Patient/${anne.resource.id}`);
    const facts = { person: anne.person, subject: `Patient/${anne.resource.id}`, origin: filedBy(CLINIC) };
    const practitioner = { resourceType: 'Practitioner' as const, id: 'closed-to', name: [{ family: 'Closed' }] };
    await commitPlan(clinic.stores.records, aPlan({ puts: [putOf(indexer, practitioner, now)] }));
    const actor = (provision?.actor ?? []).map((one) => ({
      ...one,
      reference: { reference: 'Practitioner/closed-to' },
    }));
    /** What is told when a block is put so. */
    const told = async (id: string, status: Consent['status'], start?: number): Promise<readonly string[]> => {
      const period = start === undefined ? {} : { period: { start: new Date(start).toISOString() } };
      const said = { ...provision, type: 'deny' as const, actor, ...period };
      const consent = { ...demo, id, status, policy: [{ uri: DENIES }], provision: said };
      await commitPlan(clinic.stores.records, aPlan({ puts: [putOf(indexer, consent, now, facts)] }));
      const all = async (item: string) => Map.groupBy(await toldOf(item), (kind) => kind);
      const [before, after] = [await all('Consent/none'), await all(`Consent/${id}`)];
      return [...after].filter(([kind, { length }]) => length > (before.get(kind)?.length ?? 0)).map(([kind]) => kind);
    };
    expect(await told('block-1', 'active')).to.deep.equal(['block']);
    expect(await told('block-2', 'active'), 'closed already').to.deep.equal([]);
    expect(await told('block-1', 'inactive'), 'the other stands').to.deep.equal([]);
    expect(await told('block-2', 'inactive')).to.deep.equal(['block-ended']);
    expect(await told('block-3', 'active', now + 1_000), 'later').to.deep.equal([]);
    now += 1_000;
    expect(await told('block-3', 'active', now)).to.deep.equal(['block']);
  });

  it('of what is gone, or is of no type that brings any, are none', async () => {
    const before = await toldOf('Binary/none');
    for (const item of ['ImagingStudy/none', 'Practitioner/lambert', 'nothing', 'Consent/'])
      expect(await toldOf(item)).to.deep.equal(before);
  });
});

describe('The id of a notice that is told once', () => {
  it('is a UUID that depends on kind, item and day (RFC 9562 section 5.8)', () => {
    const id = newsId('new-document', 'ImagingStudy/a', '2026-11-30');
    expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const others = [
      newsId('new-document', 'ImagingStudy/b', '2026-11-30'),
      newsId('new-document', 'ImagingStudy/a', '2026-12-01'),
      newsId('imaging-service', 'ImagingStudy/a', '2026-11-30'),
    ];
    expect(new Set([id, ...others]).size).to.equal(4);
    expect(newsId('new-document', 'ImagingStudy/a', '2026-11-30')).to.equal(id);
  });
});
