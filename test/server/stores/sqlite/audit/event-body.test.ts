import { expect } from 'chai';
import { assert, json, property, string } from 'fast-check';
import { buildAuditEvent } from '../../../../../profiles/audit/audit-event.ts';
import { resourceType, studyEntity } from '../../../../../profiles/audit/entities.ts';
import type { TouchedEntity } from '../../../../../profiles/audit/facts.ts';
import { PASSAGE, type PassageKind } from '../../../../../profiles/audit/shapes.ts';
import { indexAuditEvent } from '../../../../../profiles/search/audit-event-index.ts';
import { readyEvent } from '../../../../../server/stores/audit-chain.ts';
import { partBody, wholeBody } from '../../../../../server/stores/sqlite/audit/event-body.ts';
import { entriesOf, toWireAudit } from '../../../../../server/stores/sqlite/audit/wire-audit.ts';
import { anId, aPersonKey } from '../../../../support/plans.ts';

/** An event whose every name, id and time is its own; `agent` is the type of who stands behind the client. */
function eventOf(kind: PassageKind, outcome: '0' | '4', agent = 'Practitioner') {
  const user = { reference: `${agent}/${anId()}`, display: anId(), purpose: 'TREAT', tokenId: anId() };
  return buildAuditEvent({
    id: anId(),
    kind,
    recorded: new Date(1_700_000_000_000 + Math.floor(Math.random() * 1e9)).toISOString(),
    outcome,
    outcomeDesc: `forbidden: ${anId()}`,
    requestId: anId(),
    server: `http://${anId()}`,
    client: { id: anId() },
    ...(agent === '' ? {} : { user }),
    ...(outcome === '4' ? { patient: `Patient/${anId()}`, consent: `Consent/${anId()}` } : {}),
    relation: anId(),
    entities: [studyEntity(`2.25.${Date.now()}`, `ImagingStudy/${anId()}`), { role: '24', query: anId() }],
  });
}

const FACTS = {
  id: 'e1',
  kind: 'search',
  recorded: '2026-11-30T08:00:00.000Z',
  outcome: '0',
  requestId: 'r1',
  server: 'http://door/fhir',
  client: { id: 'viewer' },
} as const;

function bodyOf(kind: PassageKind): string {
  const persons = [aPersonKey(), aPersonKey()];
  return readyEvent({ event: eventOf(kind, '4'), persons, erased: [1, 2, 3, Date.now()] }).body;
}

describe('The body of an event in its parts (SQLite)', () => {
  it('is given back to the letter, whatever it holds', () => {
    assert(
      property(json(), (body) => wholeBody(partBody(body)) === body),
      { numRuns: 500 },
    );
    assert(
      property(string({ unit: 'binary' }), string(), (id, reference) => {
        const body = JSON.stringify({
          id,
          policy: [reference],
          what: { reference },
          'a"id":"': id,
          note: `"id":"${reference}`,
        });
        return wholeBody(partBody(body)) === body;
      }),
      { numRuns: 500 },
    );
  });

  it('shares its frame with every event of its kind, which holds no name', () => {
    for (const kind of Object.keys(PASSAGE) as PassageKind[]) {
      const bodies = [bodyOf(kind), bodyOf(kind)];
      expect(new Set(bodies.map((body) => partBody(body).frame)).size, kind).to.equal(1);
      for (const body of bodies) expect(partBody(body).values.length).to.be.below(body.length / 3);
    }
  });

  it('shares its frame with events that name more exams, and says each of them', () => {
    const named = (type: string, count: number) =>
      Array.from({ length: count }, () => ({
        what: { reference: `${type}/${anId()}` },
        type: resourceType(type),
        role: '3',
      }));
    const bodyWith = (exams: readonly TouchedEntity[]): string =>
      readyEvent({ event: buildAuditEvent({ ...FACTS, exams }), persons: [aPersonKey()] }).body;
    const bodies = [2, 3, 20].map((count) =>
      bodyWith([
        ...named('ImagingStudy', count),
        ...named('DiagnosticReport', 1),
        ...named('DocumentReference', count),
      ]),
    );
    expect(new Set(bodies.map((body) => partBody(body).frame)).size).to.equal(1);
    for (const body of bodies) expect(wholeBody(partBody(body))).to.equal(body);
  });

  it('says in its frame all search values that events of one form have in common', () => {
    for (const kind of Object.keys(PASSAGE) as PassageKind[])
      for (const agent of ['Patient', 'Practitioner', ''])
        for (const outcome of ['0', '4'] as const) {
          const event = eventOf(kind, outcome, agent);
          const { entries } = toWireAudit({ event, persons: [] });
          expect(entries, kind).to.equal(JSON.stringify(entriesOf(indexAuditEvent(event))));
        }
  });
});
