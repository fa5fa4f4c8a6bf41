/** What every adapter finds among AuditEvents: the same as profiles/search-match says of their search values. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { array, assert, asyncProperty } from 'fast-check';
import { spanOfEvents } from '../../profiles/audit/event-span.ts';
import { indexAuditEvent } from '../../profiles/search/audit-event-index.ts';
import type { Criterion } from '../../profiles/search/criterion.ts';
import {
  compareInList,
  compareSorted,
  isReversedList,
  sortValueOf,
  type SortKey,
} from '../../profiles/search/order.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import type { RegionRole } from '../../profiles/region-role.ts';
import { expectFault } from '../support/faults.ts';
import { aGrant, anIdentity, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, NOW, SYSTEM } from '../support/plans.ts';
import { ask, idsOf, searchIds, searchPages } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { commitPlan } from '../support/warrants.ts';
import { criteria, EVENTS, EVENTS_ASKED, FILER, isFound, OTHERS, OWN } from './events/asked-events.ts';
import { readingEvents } from './events/reading-events.ts';
import { useStores } from './suite.ts';
import { openedResource } from '../../server/ports/internal-row.ts';

/** Who is shown what everybody was shown: more is read for each question. */
const OFFICE = 'the office of the region';

/** Offices of establishments, by the organizations that each oversees: of people, of who filed, and of both. */
const OFFICES = { people: ['Organization/1'], items: [FILER], both: ['Organization/1', FILER] } as const;

/** An event as the office of some organizations sees it; undefined: not at all. */
function seenIn(event: AuditEvent, organizations: readonly string[]): AuditEvent | undefined {
  const named = (references: readonly string[]) => references.some((one) => organizations.includes(one));
  if (named(event.agent.map(({ who }) => who?.reference ?? ''))) return event;
  const isSeen = (reference = '') => reference === OWN || /^(Patient|Consent)\//.test(reference);
  const entity = (event.entity ?? []).filter(
    ({ what }) => isSeen(what?.reference) || what?.identifier?.value?.startsWith('request-') === true,
  );
  const isOwn = named([FILER]) && entity.some(({ what }) => what?.reference === OWN);
  return isOwn ? { ...event, entity } : undefined;
}

/** What the office of an establishment may ask for: kinds of entities it is refused. */
function isAsked(criterion: Criterion): boolean {
  return !('param' in criterion) || criterion.param !== 'entity-type';
}

/** Somebody who holds an office, and is no more. */
function inOffice(office: RegionRole, oversees: readonly string[] = []) {
  const organization = 'Organization/region';
  const role = {
    reference: 'PractitionerRole/1',
    organization,
    within: [organization],
    radiologist: false,
    offices: [office],
    ...(oversees.length === 0 ? {} : { oversees }),
  };
  return aGrant('Practitioner/officer', NOW, [role]);
}

/** As the flow asks for events: with the part of the trail in which the dates lie. */
function spanOf(where: readonly Criterion[]): Pick<SearchQuery, 'span'> {
  const span = spanOfEvents(where);
  return span === undefined ? {} : { span };
}

/** Runs the contract on an adapter. */
export function eventSearchContract(name: string, open: OpenStores): void {
  describe(`A search of AuditEvents: ${name}`, function () {
    this.timeout(60_000);
    const suite = useStores(open);
    const person = aPersonKey();

    before(async () => {
      await suite.trail.record(EVENTS_ASKED.map((event) => ({ event, persons: [person] })));
      await suite.trail.head();
      const puts = [
        [OWN, FILER],
        [OTHERS, 'Organization/other'],
      ].map(([item = '', source = '']) => {
        const origin = { sources: [source], services: [] };
        return aPut({ type: 'ImagingStudy', id: item.replace('ImagingStudy/', ''), person, origin });
      });
      await commitPlan(suite.records, aPlan({ puts: [anIdentity(person), ...puts] }));
    });

    const searches: readonly (readonly [who: string, search: (query: SearchQuery) => Promise<readonly string[]>])[] = [
      ['the server', async (query) => idsOf((await suite.records.peek(SYSTEM, { kind: 'search', query })).rows)],
      ['their person', async (query) => await searchIds(suite.records, aPatientGrant(person), query)],
      [
        OFFICE,
        async (query) => {
          // Its own questions are events, too.
          const found = await searchIds(suite.records, inOffice('region-dpo'), { ...query, count: 1_000 });
          return found.filter((id) => EVENTS_ASKED.some((event) => event.id === id));
        },
      ],
    ];
    for (const [who, search] of searches) {
      it(`finds for ${who} what matchesCriterion says of each event`, async () => {
        await assert(
          asyncProperty(array(criteria, { maxLength: 2 }), async (where) => {
            const ids = await search(aQuery('AuditEvent', { where, count: EVENTS, ...spanOf(where) }));
            const expected = EVENTS_ASKED.filter((event) => where.every((one) => isFound(event, one)));
            expect([...ids].sort()).to.deep.equal(expected.map(({ id }) => id).sort());
          }),
          { numRuns: who === OFFICE ? 30 : 200 },
        );
      });
    }

    for (const [name, oversees] of Object.entries(OFFICES)) {
      it(`finds for the office of an establishment (${name}) what it sees of each event`, async () => {
        await assert(
          asyncProperty(array(criteria.filter(isAsked), { maxLength: 2 }), async (where) => {
            const query = aQuery('AuditEvent', { where, count: 1_000, ...spanOf(where) });
            const ids = await searchIds(suite.records, inOffice('establishment-dpo', oversees), query);
            const expected = EVENTS_ASKED.flatMap((event) => {
              const seen = seenIn(event, oversees);
              return seen && where.every((one) => isFound({ ...seen, id: event.id }, one)) ? [event.id] : [];
            });
            expect([...ids].sort()).to.deep.equal(expected.sort());
          }),
          { numRuns: 40 },
        );
      });
    }

    it('shows the office of who filed an exam no other exam of an event, by whatever question', async () => {
      const office = inOffice('establishment-dpo', [FILER]);
      const { rows } = await ask(suite.records, office, {
        kind: 'search',
        query: aQuery('AuditEvent', { count: 1_000 }),
      });
      expect(rows).to.not.be.empty;
      const known = new Map(EVENTS_ASKED.map((event) => [event.id, event]));
      expect(rows.some(({ id }) => JSON.stringify(known.get(id)).includes(OTHERS))).to.equal(true);
      for (const { id, json } of rows) {
        const row = await ask(suite.records, office, { kind: 'resource', type: 'AuditEvent', id });
        for (const text of [json, row?.json])
          expect(text, id)
            .to.include(OWN)
            .and.not.match(/ImagingStudy\/2|IRM du genou|2026-03-02|"modality"/);
      }
      for (const { id } of EVENTS_ASKED.filter((event) => seenIn(event, [FILER]) === undefined))
        expect(await ask(suite.records, office, { kind: 'resource', type: 'AuditEvent', id })).to.equal(undefined);
      await commitPlan(suite.records, aPlan({ deletes: [{ type: 'ImagingStudy', id: '1' }] }));
      const again = await searchIds(suite.records, office, aQuery('AuditEvent', { count: 1_000 }));
      expect([...again].sort(), 'of an exam that was deleted').to.deep.equal(idsOf(rows).toSorted());
    });

    it('sorts events by their date from both ends, by tokens and by ids, page by page', async () => {
      const orders: readonly (readonly SortKey[])[] = [
        [{ by: 'moment', param: 'date', descending: false }],
        [{ by: 'token', param: 'outcome', descending: true }],
        [
          { by: 'token', param: 'subtype', descending: false },
          { by: 'moment', param: 'date', descending: false },
          { by: 'id', param: '_id', descending: true },
        ],
        [{ by: 'date', param: '_lastUpdated', descending: false }],
      ];
      for (const order of orders) {
        const query = aQuery('AuditEvent', { order, count: 7, total: 'bounded' });
        const pages = await searchPages(suite.records, aPatientGrant(person), query);
        const sorted = EVENTS_ASKED.map((event) => {
          const sort = Date.parse(event.recorded);
          const index = { ...indexAuditEvent(event), id: event.id, sort };
          const stamped = { ...index, dates: [{ param: '_lastUpdated', lo: sort, hi: sort + 1 }] };
          return { id: event.id, sort, keys: order.map((key) => sortValueOf(stamped, key)) };
        }).sort((a, b) => (isReversedList(order) ? compareInList(b, a) : compareSorted(order, a, b)));
        expect(
          pages.flatMap(({ rows }) => idsOf(rows)),
          JSON.stringify(order),
        ).to.deep.equal(idsOf(sorted));
        expect(pages.map(({ total }) => total)).to.deep.equal(pages.map(() => EVENTS));
      }
    });

    it('shows the whole trail to the data protection office of the region, and to no other office', async () => {
      const [event] = EVENTS_ASKED;
      const question = { kind: 'resource', type: 'AuditEvent', id: event?.id ?? '' } as const;
      const row = await ask(suite.records, inOffice('region-dpo'), question);
      expect(row?.shownBy).to.deep.equal({ rightId: event?.id, relation: 'named', source: undefined });
      for (const office of ['region-desk', 'support', 'establishment-desk', 'establishment-dpo'] as const) {
        expect(await ask(suite.records, inOffice(office), question), office).to.equal(undefined);
        expect(await searchIds(suite.records, inOffice(office), aQuery('AuditEvent')), office).to.deep.equal([]);
      }
    });

    it('shows the office who, when and which item, and no words of exams (access.md C7)', async () => {
      const told = EVENTS_ASKED.filter((event) => JSON.stringify(event).includes('IRM du genou'));
      expect(told).to.not.be.empty;
      const { rows } = await ask(suite.records, inOffice('region-dpo'), {
        kind: 'search',
        query: aQuery('AuditEvent', { count: 1_000 }),
      });
      for (const { id } of told) {
        const question = { kind: 'resource', type: 'AuditEvent', id } as const;
        for (const row of [
          await ask(suite.records, inOffice('region-dpo'), question),
          rows.find((one) => one.id === id),
        ])
          expect(row?.json, id)
            .to.match(/"ImagingStudy\/[12]"/)
            .and.not.match(/IRM du genou|2026-03-02|"modality"/);
        expect((await ask(suite.records, aPatientGrant(person), question))?.json).to.include('IRM du genou');
      }
    });

    it('refuses chains: events join no other rows', async () => {
      const inner: readonly Criterion[] = [
        { kind: 'missing', param: 'birthdate', missing: true },
        { kind: 'reference', param: 'organization', values: ['Organization/1'] },
        { kind: 'id', values: ['1'] },
      ];
      for (const criterion of inner) {
        for (const param of ['patient', 'source']) {
          const where = [{ kind: 'chain', param, target: 'Patient', criterion }] as const;
          const query = aQuery('AuditEvent', { where });
          await expectFault(suite.records.peek(SYSTEM, { kind: 'search', query }), 'not-supported');
        }
        const referred = aQuery('AuditEvent', {
          where: [{ kind: 'has', source: 'Provenance', param: 'target', criterion }],
        });
        await expectFault(suite.records.peek(SYSTEM, { kind: 'search', query: referred }), 'not-supported');
      }
    });

    it('includes nothing, whatever is asked for', async () => {
      const query = aQuery('AuditEvent', {
        count: EVENTS,
        include: [{ param: 'patient' }, { param: 'entity', target: 'ImagingStudy' }],
        revinclude: [{ source: 'Provenance', param: 'target' }],
      });
      const page = await suite.records.peek(SYSTEM, { kind: 'search', query });
      expect([page.rows.length, page.included]).to.deep.equal([EVENTS, []]);
    });

    it('gives each event back as it was recorded, and the chain is whole', async () => {
      for (const event of EVENTS_ASKED) {
        const row = await suite.records.peek(SYSTEM, { kind: 'resource', type: 'AuditEvent', id: event.id });
        const { meta, ...read } = openedResource(row ?? expect.fail('The event is not found'));
        const { meta: claimed, ...recorded } = event;
        expect(read).to.deep.equal(JSON.parse(JSON.stringify(recorded)));
        expect(meta?.profile).to.deep.equal(claimed?.profile);
      }
      expect(await suite.trail.verify()).to.deep.include({ whole: true, erased: 0 });
    });

    readingEvents(suite);
  });
}
