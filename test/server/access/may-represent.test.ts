/** What who represents a patient may write (access.md C10, C12): her Consents, while the row that says so gives it. */
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import { mayWrite, type Act, type WriteFacts } from '../../../server/access/may-write.ts';
import type { RepresentativeRequester } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';
import { termsOf } from '../../../server/access/warrant.ts';
import { aPersonKey, aRight, NOW } from '../../support/plans.ts';

const [PERSON, OTHER] = [aPersonKey(), aPersonKey()];
const PARENT: RepresentativeRequester = {
  clientId: 'client',
  scopes: [],
  display: 'Somebody',
  kind: 'representative',
  related: 'RelatedPerson/r',
  patient: 'Patient/a',
  person: PERSON,
  until: NOW + 1,
  purpose: 'FAMRQT',
};
const subject = { patient: 'Patient/a', person: PERSON, state: OPEN_STATE };
const BASES = [
  { kind: 'account', reference: 'RelatedPerson/r' },
  { kind: 'right', person: PERSON, item: 'RelatedPerson/r', principals: ['rp:RelatedPerson/r'], at: NOW },
];

function basesOf(requester: RepresentativeRequester, act: Act, facts: Partial<WriteFacts>): unknown {
  try {
    return termsOf(mayWrite(requester, act, { now: NOW, ...facts })).bases;
  } catch (error) {
    return error instanceof Fault ? error.kind : String(error);
  }
}

describe('Who represents a patient', () => {
  const create = (type: 'Consent' | 'RelatedPerson' | 'CareTeam' | 'DiagnosticReport') =>
    ({ interaction: 'create', type }) as const;

  it('writes a Consent of hers, and nobody else’s nor anything else', () => {
    expect(basesOf(PARENT, create('Consent'), { subject })).to.deep.equal([
      ...BASES,
      { kind: 'row', row: 'Person/a', person: PERSON },
      { kind: 'state', person: PERSON, off: ['erasurePending'] },
    ]);
    expect(basesOf(PARENT, create('Consent'), { subject: { ...subject, person: OTHER } })).to.equal('invalid');
    for (const type of ['RelatedPerson', 'CareTeam', 'DiagnosticReport'] as const)
      expect(basesOf(PARENT, create(type), { subject }), type).to.equal('forbidden');
  });

  it('ends what names the patient, until she represents her no more', () => {
    const right = { person: PERSON, relation: 'named', principal: principal.patient(PERSON) } as const;
    const named = aRight({ ...right, scope: { item: 'Consent/c' } } as never);
    const facts = { item: 'Consent/c', person: PERSON, state: OPEN_STATE, rights: [named], isOwn: false };
    const ends = { interaction: 'delete', type: 'Consent' } as const;
    const standing = { ...facts, isSeen: true };
    expect(basesOf(PARENT, ends, { standing })).to.deep.equal([
      ...BASES,
      { kind: 'right', person: PERSON, item: 'Consent/c', principals: [principal.patient(PERSON)], at: NOW },
    ]);
    expect(basesOf({ ...PARENT, until: NOW }, ends, { standing })).to.equal('forbidden');
  });
});
