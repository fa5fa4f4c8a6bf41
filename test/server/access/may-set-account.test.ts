import { expect } from 'chai';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import { maySetAccount } from '../../../server/access/may-judge.ts';
import { personKey, type Requester, type Role } from '../../../server/access/requester.ts';
import { termsOf } from '../../../server/access/warrant.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const person = personKey('00000000-0000-4000-8000-000000000001');
const subject = { patient: 'Patient/p', person, state: OPEN_STATE };
const base = { clientId: 'c', scopes: [], purpose: 'TREAT', display: 'x' } as const;
const desk = (...roles: readonly Role[]): Requester => ({
  ...base,
  kind: 'practitioner',
  practitioner: 'Practitioner/d',
  roles,
});
const held = (organization: string, ...offices: Role['offices']): Role => ({
  organization,
  reference: 'PractitionerRole/r',
  within: [],
  radiologist: false,
  offices,
});
const patient = (own: string, key = person): Requester => ({ ...base, kind: 'patient', patient: own, person: key });
const facts = (sources: readonly string[] = ['Organization/a']) => ({ now: 1, subject, sources });
const refusal = (requester: Requester, of: Parameters<typeof maySetAccount>[1] = facts()): string =>
  faultOf(() => maySetAccount(requester, of)).kind;

describe('Who may turn an account off and on (access.md R-22, R-27)', () => {
  it('she herself, the desk of the region, and that of an establishment that feeds her', () => {
    for (const requester of [
      patient('Patient/p'),
      desk(held('Organization/r', 'region-desk')),
      desk(held('Organization/a', 'establishment-desk')),
    ])
      expect(termsOf(maySetAccount(requester, facts())).reaches.map(({ whose }) => whose)).to.deep.equal([
        { persons: [person] },
      ]);
  });

  it('nobody else: another patient, another desk, a professional without office, an establishment', () => {
    const other = personKey('00000000-0000-4000-8000-000000000002');
    expect(refusal(patient('Patient/q', other))).to.equal('not-found');
    expect(refusal(desk(held('Organization/b', 'establishment-desk')))).to.equal('not-found');
    expect(refusal(desk(held('Organization/a', 'region-dpo')))).to.equal('forbidden');
    expect(refusal({ ...base, kind: 'establishment', organization: 'Organization/a' })).to.equal('forbidden');
    const nobody = { now: 1, subject: undefined, sources: [] };
    expect(refusal(desk(held('Organization/r', 'region-desk')), nobody)).to.equal('not-found');
  });
});
