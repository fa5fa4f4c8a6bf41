/** A search of events by what no index keeps: of whom it finds them, page by page, and what an erasure leaves of it. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { anAudit, anId, aPatientGrant, aPersonKey, aQuery, aUid, NOW, SYSTEM } from '../../support/plans.ts';
import { idsOf, searchIds, searchPages } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';

const NAME = 'Solène Quévremont-Tassin';
const ADDRESS = '203.0.113.77';

/** An event of somebody who represents a patient. */
function actedBy(related: string, at: number, study = aUid()): AuditEvent & { id: string } {
  return buildAuditEvent({
    id: anId(),
    kind: 'read',
    outcome: '0',
    recorded: new Date(NOW + at).toISOString(),
    requestId: anId(),
    server: 'https://region.example/fhir',
    client: { id: 'espace', address: ADDRESS },
    user: { reference: related, display: NAME, purpose: 'FAMRQT' },
    entities: [studyEntity(study)],
  });
}

const byName: Criterion = { kind: 'string', param: 'agent-name', values: ['solene quevremont'], match: 'starts' };
const byAddress: Criterion = { kind: 'string', param: 'address', values: [ADDRESS], match: 'starts' };

/** Its tests. */
export function readingEvents(suite: Suite): void {
  it('finds by what no index keeps, page by page, with the total, what whoever asks may read', async () => {
    const [person, another] = [aPersonKey(), aPersonKey()];
    const events = Array.from({ length: 9 }, (_, at) => actedBy(`RelatedPerson/${person}`, at));
    const others = actedBy(`RelatedPerson/${another}`, 3);
    const records = events.map((event) => ({ event, persons: [person] }));
    await suite.trail.record([...records, { event: others, persons: [another] }, anAudit([person])]);
    const hers = events.map(({ id }) => id).toReversed();
    const query = aQuery('AuditEvent', { where: [byName, byAddress], count: 4, total: 'bounded' });
    const pages = await searchPages(suite.records, aPatientGrant(person), query);
    expect(pages.map(({ rows }) => idsOf(rows))).to.deep.equal([hers.slice(0, 4), hers.slice(4, 8), hers.slice(8)]);
    expect(pages.map(({ total }) => total)).to.deep.equal([9, 9, 9]);
    const order = [{ by: 'token', param: 'type', descending: false }] as const;
    expect(await searchIds(suite.records, aPatientGrant(person), { ...query, order, count: 20 })).to.deep.equal(hers);
    expect(await searchIds(suite.records, aPatientGrant(another), query)).to.deep.equal([others.id]);
    expect(await searchIds(suite.records, aPatientGrant(aPersonKey()), query)).to.deep.equal([]);
  });

  it('N09 finds nobody by what was erased', async () => {
    const [person, study] = [aPersonKey(), aUid()];
    const related = `RelatedPerson/${person}`;
    const event = actedBy(related, 1, study);
    await suite.trail.record([{ event, persons: [person] }]);
    const agent: Criterion = { kind: 'reference', param: 'agent', values: [related] };
    const found = async (where: readonly Criterion[]) =>
      idsOf((await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { where }) })).rows);
    const exact = { kind: 'token', param: 'agent-name:exact', values: [{ system: '', code: NAME }] } as const;
    const own = { kind: 'token', param: 'entity:identifier', values: [{ code: `urn:oid:${study}` }] } as const;
    const byNumber: Criterion = { kind: 'reference', param: 'entity', values: [], own };
    const told = [byName, byAddress, exact, byNumber];
    for (const asked of told) expect(await found([agent, asked])).to.deep.equal([event.id]);
    const who = { persons: new Set([person]), agents: new Set([related]), names: [] };
    await suite.trail.erasePerson(who, () => anAudit([], anId(), [{ detail: { events: '1' } }]));
    for (const asked of told) expect(await found([agent, asked])).to.deep.equal([]);
    const missing: Criterion = { kind: 'missing', param: 'agent-name', missing: true };
    expect(await found([agent, missing])).to.deep.equal([event.id]);
    expect(await suite.trail.verify()).to.have.property('whole', true);
  });
}
