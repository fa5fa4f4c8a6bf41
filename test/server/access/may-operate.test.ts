import { expect } from 'chai';
import { OPEN_STATE, type PatientState } from '../../../server/access/decide.ts';
import { mayOperate, type OperatedFacts } from '../../../server/access/may-operate.ts';
import type { SubjectFacts } from '../../../server/access/may-write.ts';
import { operatorsOf, type ExamOperation } from '../../../server/access/operations.ts';
import { personKey, type Requester, type Role } from '../../../server/access/requester.ts';
import { FOREVER, principal, rightId } from '../../../server/access/right.ts';
import { termsOf } from '../../../server/access/warrant.ts';
import { Fault } from '../../../profiles/fault.ts';

const [SENDER, RECEIVER, THIRD] = ['Organization/sender', 'Organization/receiver', 'Organization/third'] as const;
const [NAMED, OWNER] = [personKey('named'), personKey('owner')];
const NOW = Date.UTC(2026, 2, 1);

const asked = { clientId: 'c', scopes: [], purpose: 'TREAT', display: 'd' } as const;
const establishment = (organization: string): Requester => ({ ...asked, kind: 'establishment', organization });
const professional = (...roles: readonly Role[]): Requester => ({
  ...asked,
  kind: 'practitioner',
  practitioner: 'Practitioner/a',
  roles,
});
const held = (organization: string, ...offices: Role['offices']): Role => ({
  reference: `PractitionerRole/${organization}`,
  organization,
  within: [organization],
  radiologist: true,
  offices,
});

const WHO: Readonly<Record<string, Requester>> = {
  sender: establishment(SENDER),
  receiver: establishment(RECEIVER),
  third: establishment(THIRD),
  'desk of the sender': professional(held(SENDER, 'establishment-desk')),
  'desk of the receiver': professional(held(RECEIVER, 'establishment-desk')),
  'desk of a third': professional(held(THIRD, 'establishment-desk')),
  'desk of the region': professional(held(THIRD, 'region-desk')),
  'dpo of the sender': professional(held(SENDER, 'establishment-dpo')),
  radiologist: professional(held(SENDER)),
  patient: { ...asked, kind: 'patient', patient: 'Patient/a', person: NAMED },
};

/** Who may, where all that is asked of a Patient holds. */
const MAY: Readonly<Record<ExamOperation, readonly string[]>> = {
  discard: ['sender', 'desk of the sender', 'desk of the region'],
  refile: ['sender'],
  release: ['receiver', 'desk of the receiver', 'desk of the region'],
  move: ['sender', 'desk of the sender', 'desk of the region'],
};

function operated(changes: Partial<OperatedFacts> = {}): OperatedFacts {
  const facts = { item: 'Task/t', person: NAMED, studyInstanceUID: '1.2', sources: [SENDER], receivers: [RECEIVER] };
  return { ...facts, isSeen: true, ...changes };
}

/** A Patient that the sender feeds. */
function subject(state: PatientState = OPEN_STATE, source: string = SENDER): SubjectFacts {
  const holder = principal.establishment(source);
  const right = { person: OWNER, principal: holder, relation: 'author', scope: { item: 'Person/p' } } as const;
  const given = { ...right, from: 0, to: FOREVER };
  return { patient: 'Patient/p', person: OWNER, state, rights: [{ ...given, id: rightId(given), giver: 'Person/p' }] };
}

function decided(who: Requester, operation: ExamOperation, facts: Omit<Parameters<typeof mayOperate>[2], 'now'>) {
  try {
    return termsOf(mayOperate(who, operation, { now: NOW, ...facts }));
  } catch (error) {
    if (error instanceof Fault) return error.kind;
    throw error;
  }
}

describe('Who may do what with exams that are whose they should not be (identity.md 4)', () => {
  for (const [operation, may] of Object.entries(MAY) as [ExamOperation, readonly string[]][]) {
    const about = operation === 'discard' ? {} : { subject: subject() };

    it(`${operation}: ${may.join(', ')}; others are refused, or told that there is no such thing`, () => {
      for (const [name, who] of Object.entries(WHO)) {
        const shown = decided(who, operation, { operated: operated(), ...about });
        const hidden = decided(who, operation, { operated: operated({ isSeen: false }), ...about });
        if (may.includes(name)) expect(shown, name).to.have.property('act', operation);
        else expect(shown, name).to.equal('forbidden');
        const isKind = may.includes(name) || operatorsOf(who).some((one) => one === 'establishment' || one === 'desk');
        if (may.includes(name)) expect(hidden, name).to.have.property('act', operation);
        else if (operation !== 'refile' || who.kind === 'establishment')
          expect(hidden, name).to.equal(isKind ? 'not-found' : 'forbidden');
      }
      expect(decided(WHO['sender'] ?? establishment(SENDER), operation, { operated: undefined, ...about })).to.be.oneOf(
        ['not-found'],
      );
    });
  }

  it('an exam of several sources is moved by the desk of the region alone', () => {
    const facts = { operated: operated({ sources: [SENDER, RECEIVER] }), subject: subject() };
    for (const [name, who] of Object.entries(WHO)) {
      const is = decided(who, 'move', facts);
      if (name === 'desk of the region') expect(is).to.have.property('act', 'move');
      else expect(is, name).to.equal('forbidden');
    }
  });

  it('an establishment files under a Patient of its own only', () => {
    for (const operation of ['refile', 'move'] as const) {
      const facts = { operated: operated(), subject: subject(OPEN_STATE, THIRD) };
      expect(decided(establishment(SENDER), operation, facts)).to.equal('invalid');
      const opposed = { ...facts, subject: subject({ ...OPEN_STATE, opposed: true }, THIRD) };
      expect(decided(establishment(SENDER), operation, opposed), 'what is hers is not told').to.equal('invalid');
    }
    const ofDesk = { operated: operated(), subject: subject(OPEN_STATE, THIRD) };
    expect(decided(professional(held(SENDER, 'establishment-desk')), 'move', ofDesk), 'its desk').to.equal('invalid');
    const facts = { operated: operated(), subject: subject(OPEN_STATE, THIRD) };
    expect(decided(WHO['desk of the region'] ?? establishment(THIRD), 'move', facts)).to.have.property('act', 'move');
  });

  it('nothing is filed for a person who is opposed, or whose record is being erased', () => {
    for (const [name, kind] of [
      ['opposed', 'business-rule'],
      ['erasurePending', 'forbidden'],
    ] as const)
      for (const operation of ['refile', 'release', 'move'] as const) {
        const who = establishment(operation === 'release' ? RECEIVER : SENDER);
        const facts = { operated: operated(), subject: subject({ ...OPEN_STATE, [name]: true }) };
        expect(decided(who, operation, facts), operation).to.equal(kind);
      }
    const erased = { operated: operated() };
    expect(decided(establishment(SENDER), 'discard', erased)).to.have.property('act', 'discard');
  });

  it('the warrant reaches the rows of both persons, with an event for each, and the study of the Task', () => {
    const terms = decided(establishment(SENDER), 'refile', { operated: operated(), subject: subject() });
    expect(terms).to.have.deep.property('reaches', [
      { types: ['Task', 'instance'], whose: { persons: [NAMED, OWNER] }, event: 'own' },
      { types: ['quarantined'], whose: { study: '1.2' }, event: 'own' },
    ]);
    const moved = decided(establishment(SENDER), 'move', { operated: operated(), subject: subject() });
    expect(moved).to.have.deep.property('reaches', [
      {
        types: ['Binary', 'DocumentReference', 'ImagingStudy', 'instance'],
        whose: { persons: [NAMED, OWNER] },
        event: 'own',
      },
    ]);
  });
});
