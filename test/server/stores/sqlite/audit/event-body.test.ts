import { expect } from 'chai';
import { assert, json, property, string } from 'fast-check';
import { buildAuditEvent, PASSAGE, studyEntity, type PassageKind } from '../../../../../profiles/audit/audit-event.ts';
import { readyEvent } from '../../../../../server/stores/audit-chain.ts';
import { partBody, wholeBody } from '../../../../../server/stores/sqlite/audit/event-body.ts';
import { anId, aPersonKey } from '../../../../support/plans.ts';

/** A body whose every name, id and time is its own. */
function bodyOf(kind: PassageKind): string {
  const at = new Date(1_700_000_000_000 + Math.floor(Math.random() * 1e9)).toISOString();
  const user = { reference: `Practitioner/${anId()}`, display: anId(), purpose: 'TREAT', tokenId: anId() };
  const facts = {
    id: anId(),
    kind,
    recorded: at,
    outcome: '4',
    outcomeDesc: `forbidden: ${anId()}`,
    requestId: anId(),
    server: `http://${anId()}`,
    client: { id: anId() },
    user,
  } as const;
  const entities = [studyEntity(`2.25.${Date.now()}`, `ImagingStudy/${anId()}`), { role: '24', query: anId() }];
  return readyEvent({
    event: buildAuditEvent({
      ...facts,
      patient: `Patient/${anId()}`,
      consent: `Consent/${anId()}`,
      relation: anId(),
      entities,
    }),
    persons: [aPersonKey(), aPersonKey()],
    erased: [1, 2, 3, Date.now()],
  }).body;
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
});
