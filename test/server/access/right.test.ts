import { expect } from 'chai';
import { consentOf, FOREVER, isNamedBefore, principal, RELATIONS, rightId } from '../../../server/access/right.ts';
import { aPersonKey } from '../../support/plans.ts';

/** Written out here: an event cites the first of them, so another order would be another decision. */
const ORDER = [
  'self',
  'author',
  'representative',
  'representative-of-child',
  'own-service',
  'referent',
  'circle',
  'assistant',
  'declared',
  'imaging-service',
  'stay',
  'presence',
  'share',
  'break-glass',
  'break-glass-confidential',
  'break-glass-past-block',
  'support',
  'dpo',
  'named',
] as const;

describe('The right that is named when several show a row', () => {
  it('is that of the first relation, whatever the ids are', () => {
    expect([...RELATIONS]).to.deep.equal(ORDER);
    for (const [at, relation] of ORDER.entries()) {
      for (const other of ORDER.slice(at + 1)) {
        expect(isNamedBefore({ relation, id: 'b' }, { relation: other, id: 'a' }), other).to.equal(true);
        expect(isNamedBefore({ relation: other, id: 'a' }, { relation, id: 'b' }), other).to.equal(false);
      }
    }
  });

  it('is the one with the first id among those of one relation', () => {
    expect(isNamedBefore({ relation: 'author', id: 'a' }, { relation: 'author', id: 'b' })).to.equal(true);
    expect(isNamedBefore({ relation: 'author', id: 'b' }, { relation: 'author', id: 'a' })).to.equal(false);
    expect(isNamedBefore({ relation: 'author', id: 'a' }, { relation: 'author', id: 'a' })).to.equal(false);
  });
});

describe('The id of a right', () => {
  it('is another for each relation, principal, scope and time', () => {
    const person = aPersonKey();
    const right = {
      person,
      principal: principal.practitioner('Practitioner/a'),
      relation: 'declared',
      scope: 'record',
      from: 0,
      to: FOREVER,
    } as const;
    const others = [
      { relation: 'named' },
      { principal: principal.practitioner('Practitioner/b') },
      { scope: { item: 'List/a' } },
      { person: aPersonKey() },
      { from: 1 },
      { to: 9 },
      { from: 1, to: 9 },
    ] as const;
    const ids = [right, ...others.map((other) => ({ ...right, ...other }))].map(rightId);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(rightId({ ...right })).to.equal(ids[0]);
  });
});

describe('The Consent of a right', () => {
  it('is the one that gives it to somebody else, and none when another row does, or a row gives itself', () => {
    expect(consentOf({ relation: 'declared', giver: 'Consent/a' })).to.equal('Consent/a');
    expect(consentOf({ relation: 'share', giver: 'Consent/a' })).to.equal('Consent/a');
    expect(consentOf({ relation: 'self', giver: 'Patient/a' })).to.equal(undefined);
    expect(consentOf({ relation: 'named', giver: 'Consent/a' })).to.equal(undefined);
    expect(consentOf({ relation: 'author', giver: 'List/a' })).to.equal(undefined);
  });
});
