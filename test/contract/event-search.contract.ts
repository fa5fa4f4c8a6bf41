/** What every adapter finds among AuditEvents: the same as profiles/search-match says of their search values. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  option,
  record,
  sample,
  tuple,
  type Arbitrary,
} from 'fast-check';
import { buildAuditEvent } from '../../profiles/audit/audit-event.ts';
import { spanOfEvents } from '../../profiles/audit/event-span.ts';
import { PASSAGE, type PassageKind } from '../../profiles/audit/shapes.ts';
import { indexAuditEvent } from '../../profiles/search/audit-event-index.ts';
import { DATE_PREFIXES, type Criterion } from '../../profiles/search/criterion.ts';
import type { IndexEntries } from '../../profiles/search/indexer.ts';
import { ALONE, matchesCriterion } from '../../profiles/search/match.ts';
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
import {
  aGrant,
  anId,
  anIdentity,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  NOW,
  SYSTEM,
} from '../support/plans.ts';
import { ask, idsOf, searchIds, searchPages } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { commitPlan } from '../support/warrants.ts';
import { useStores } from './suite.ts';
import { openedResource } from '../../server/ports/internal-row.ts';

const EVENTS = 60;
const patients = constantFrom('Patient/1', 'Patient/11');
const users = oneof(patients, constantFrom('Practitioner/1', 'Practitioner/1"', 'Organization/1'));
/** An exam that `FILER` filed, and one of another establishment that events name beside it. */
const OWN = 'ImagingStudy/1';
const OTHERS = 'ImagingStudy/2';
const FILER = 'Organization/filer';
const things = constantFrom(OWN, 'Consent/1', 'Binary/1');

const passages = record({
  // The keys of the table, which Object.keys widens.
  kind: constantFrom(...(Object.keys(PASSAGE) as PassageKind[])),
  outcome: constantFrom('0' as const, '4' as const, '8' as const),
  patient: option(patients, { nil: undefined }),
  consent: option(constant('Consent/1'), { nil: undefined }),
  user: option(users, { nil: undefined }),
  thing: option(things, { nil: undefined }),
  beside: option(constant(OTHERS), { nil: undefined }),
  purpose: constantFrom('TREAT', 'BTG'),
  at: integer({ min: 0, max: 5 }),
});

type Passage = typeof passages extends Arbitrary<infer T> ? T : never;

function eventOf(
  { kind, outcome, patient, consent, user, purpose, thing, beside, at }: Passage,
  number: number,
): AuditEvent & { id: string } {
  return buildAuditEvent({
    id: anId(),
    kind,
    outcome,
    recorded: new Date(NOW + at).toISOString(),
    requestId: `request-${number}`,
    server: `http://door-${number}`,
    client: { id: 'viewer' },
    ...(patient === undefined ? {} : { patient }),
    ...(consent === undefined ? {} : { consent }),
    ...(user === undefined
      ? {}
      : { user: { reference: user, display: 'Zoé "\\" Lambert', purpose, tokenId: anId(), ...rolesOf(user) } }),
    entities: [thing, beside].flatMap((one) =>
      one === undefined ? [] : [{ what: { reference: one }, ...wordsOf(one) }],
    ),
  });
}

/** What an event says of an exam, in the words of its row. */
function wordsOf(thing: string) {
  if (!thing.startsWith('ImagingStudy/')) return {};
  return { description: 'IRM du genou', detail: { item: thing, started: '2026-03-02', modality: 'MR' } };
}

/** Who is shown what everybody was shown: more is read for each question. */
const OFFICE = 'the office of the region';

/** Offices of establishments, by the organizations that each oversees: of people, of who filed, and of both. */
const OFFICES = { people: ['Organization/1'], items: [FILER], both: ['Organization/1', FILER] } as const;

/** An event as the office of some organizations sees it; undefined: not at all. */
function seenIn(event: AuditEvent, organizations: readonly string[]): AuditEvent | undefined {
  const named = (references: readonly string[]) => references.some((one) => organizations.includes(one));
  if (named(event.agent.map(({ who }) => who?.reference ?? ''))) return event;
  const isSeen = (reference = '') => reference === OWN || /^(Patient|Consent)\//.test(reference);
  const entity = (event.entity ?? []).filter(({ what }) => isSeen(what?.reference));
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

/** What a professional is. */
function rolesOf(user: string) {
  const profession = { system: 'urn:professions', code: '10', display: 'Médecin' };
  return user.startsWith('Practitioner/') ? { roles: [{ organization: 'Organization/1', profession }] } : {};
}

const EVENTS_ASKED = sample(passages, { numRuns: EVENTS, seed: 5 }).map(eventOf);

type Token = IndexEntries['tokens'][number];

const OTHER_TOKENS: readonly Token[] = [
  { param: 'type', system: 'urn:other', value: '110112' },
  { param: 'action', system: '', value: 'X' },
];

const tokenCriteria = tuple(
  constantFrom(...EVENTS_ASKED.flatMap((event) => indexAuditEvent(event).tokens), ...OTHER_TOKENS),
  constantFrom('both', 'code', 'system'),
  boolean(),
).map(([{ param, system, value }, asked, negated]): Criterion => ({
  kind: 'token',
  param,
  values: [{ ...(asked === 'code' ? {} : { system }), ...(asked === 'system' ? {} : { code: value }) }],
  ...(negated ? { negated: true } : {}),
}));

const criteria: Arbitrary<Criterion> = oneof(
  tokenCriteria,
  record({
    kind: constant('reference' as const),
    param: constantFrom('agent', 'entity'),
    values: array(oneof(users, things, constant(OTHERS)), { minLength: 1, maxLength: 2 }),
    negated: boolean(),
  }),
  record({
    kind: constant('reference' as const),
    param: constant('patient'),
    values: array(oneof(patients, constantFrom(OWN, OTHERS)), { minLength: 1, maxLength: 2 }),
    negated: boolean(),
  }),
  record({
    kind: constant('date' as const),
    param: constant('date'),
    values: array(
      tuple(integer({ min: 0, max: 6 }), integer({ min: 1, max: 3 }), constantFrom(...DATE_PREFIXES)).map(
        ([lo, width, prefix]) => ({ lo: NOW + lo, hi: NOW + lo + width, prefix }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  record({
    kind: constant('missing' as const),
    param: constantFrom('patient', 'agent', 'entity', 'date', 'subtype', 'type', 'outcome', 'agent-role', 'purpose'),
    missing: boolean(),
  }),
);

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
            const expected = EVENTS_ASKED.filter((event) =>
              where.every((criterion) =>
                matchesCriterion({ ...indexAuditEvent(event), type: 'AuditEvent', id: event.id }, criterion, ALONE),
              ),
            );
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
              const index = seen && { ...indexAuditEvent(seen), type: 'AuditEvent' as const, id: event.id };
              return index && where.every((one) => matchesCriterion(index, one, ALONE)) ? [event.id] : [];
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
        const query = aQuery('AuditEvent', {
          where: [{ kind: 'chain', param: 'patient', target: 'Patient', criterion }],
        });
        await expectFault(suite.records.peek(SYSTEM, { kind: 'search', query }), 'not-supported');
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
  });
}
