/** News in states of a patient that no door sets yet. */
import type { Communication } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { OPEN_STATE, type PatientState } from '../../../../server/access/decide.ts';
import { newsId } from '../../../../server/flows/notices/news-id.ts';
import { tellNews } from '../../../../server/flows/notices/tell-news.ts';
import { putOf } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPlan, aQuery, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

describe('Telling news', () => {
  let clinic: Clinic;
  let now: number;
  before(async () => {
    clinic = await openClinic();
    now = Date.parse(clinic.ct.resource.started ?? '') + 3_600_000;
  });
  after(async () => await clinic?.close());

  /** Runs the work as often as a job may run, and gives the kinds that she has been told of. */
  async function toldOf(item: string): Promise<readonly string[]> {
    const { indexer } = await loadDefinitions();
    const { records } = clinic.stores;
    const tell = tellNews({ records, clock: { now: () => now }, indexer, timeZone: 'UTC' });
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
