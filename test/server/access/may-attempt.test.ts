import { expect } from 'chai';
import { REGION_ROLES } from '../../../profiles/region-role.ts';
import { mayAttempt, type Attempt, type QueryOperation } from '../../../server/access/may-attempt.ts';
import { OPERATIONS, type OperationName } from '../../../server/access/operations.ts';
import { personKey, type Requester, type Role } from '../../../server/access/requester.ts';
import { faultOf } from '../../support/thrown-fault.ts';

function requesterOf(kind: Requester['kind'], ...scopes: string[]): Requester {
  const common = { clientId: 'client', scopes, purpose: 'TREAT', display: 'somebody' } as const;
  if (kind === 'practitioner') return { ...common, kind, practitioner: 'Practitioner/a', roles: [] };
  if (kind === 'patient') return { ...common, kind, patient: 'Patient/a', person: personKey('p') };
  if (kind === 'representative') {
    const of = { patient: 'Patient/a', person: personKey('p'), until: Infinity };
    return { ...common, kind, related: 'RelatedPerson/a', ...of };
  }
  return { ...common, kind, organization: 'Organization/a' };
}

const KINDS = ['establishment', 'patient', 'practitioner', 'representative'] as const;
const create = (type: 'Patient' | 'DiagnosticReport' | 'Consent'): Attempt => ({ interaction: 'create', type });
const update = (type: 'Patient' | 'DiagnosticReport' | 'Consent'): Attempt => ({ interaction: 'update', type });
const operation = (name: OperationName | QueryOperation): Attempt => {
  return { interaction: 'operation', operation: name };
};
const patch = (type: 'Patient' | 'Consent'): Attempt => ({ interaction: 'patch', type });
const remove = (type: 'ServiceRequest' | 'Consent'): Attempt => ({ interaction: 'delete', type });
const TRANSACTION: Attempt = { interaction: 'transaction' };

/** Who may, and the scope that each attempt needs. */
const TABLE: readonly (readonly [Attempt, ...kinds: Requester['kind'][]])[] = [
  [{ interaction: 'search-type', type: 'ImagingStudy' }, ...KINDS],
  [create('Patient'), 'establishment'],
  [update('Patient'), 'establishment'],
  [create('DiagnosticReport'), 'establishment'],
  [update('DiagnosticReport'), 'establishment'],
  [create('Consent'), 'establishment', 'patient', 'representative'],
  // Whether it is one's own, the data tell.
  [update('Consent'), ...KINDS],
  [patch('Patient'), 'establishment'],
  [patch('Consent'), ...KINDS],
  [remove('ServiceRequest'), 'establishment'],
  [remove('Consent'), ...KINDS],
  [TRANSACTION, 'establishment', 'patient', 'representative'],
  [operation('break-glass'), 'practitioner'],
  [operation('withdraw'), 'establishment', 'patient', 'representative'],
  [operation('reconsent'), 'establishment', 'patient', 'representative'],
  [operation('request-erasure'), 'establishment', 'patient'],
  [operation('cancel-erasure'), 'establishment', 'patient'],
  [operation('data-subject-request'), 'establishment', 'patient'],
  [operation('set-account'), 'patient'],
  [operation('presence-code'), 'patient', 'representative'],
  [operation('redeem-presence-code'), 'practitioner'],
  [operation('support-access')],
  [operation('portability'), 'patient'],
  [operation('share'), 'patient'],
  [operation('revoke-share'), 'patient'],
  [operation('ihe-pix'), ...KINDS],
  [operation('match'), ...KINDS],
  [operation('who-can-access'), 'patient', 'representative'],
  [operation('access-history'), 'patient', 'representative'],
  // Whether one is its patient or author, the data tell.
  [operation('set-confidentiality'), 'establishment', 'patient', 'practitioner'],
  [operation('discard'), 'establishment'],
  [operation('refile'), 'establishment'],
  [operation('release'), 'establishment'],
  [operation('move'), 'establishment'],
  [operation('join')],
  [operation('separate')],
];

/** What desks do beside other professionals. */
const DESKS = ['discard', 'release', 'move', 'join', 'separate', 'set-account', 'reconsent'] as const;

describe('Who may attempt what, before the data are known', () => {
  it('a desk clears up what is kept aside and moves exams, and a professional of another office does not', () => {
    for (const office of REGION_ROLES) {
      const role = {
        reference: 'PractitionerRole/1',
        organization: 'Organization/a',
        within: [],
        radiologist: false,
        offices: [office],
      };
      const requester = { ...requesterOf('practitioner', 'user/*.cruds'), roles: [role] } as Requester;
      const may = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => {
        try {
          mayAttempt(requester, operation(name));
          return true;
        } catch {
          return false;
        }
      });
      const clears = office.endsWith('-desk') ? DESKS : [];
      const decides = /-(?:dpo|desk)$/.test(office) ? ['decide'] : [];
      const opens = office === 'support' ? ['support-access'] : ['break-glass', 'redeem-presence-code'];
      expect(may, office).to.have.members(['set-confidentiality', ...opens, ...clears, ...decides]);
    }
  });

  it('C16 who acts outside of care in any role opens no record, whatever other roles there are', () => {
    const role = { organization: 'Organization/a', within: [], radiologist: false, offices: [] };
    const roles = [{ ...role, reference: 'PractitionerRole/1' }];
    const inCare = { ...requesterOf('practitioner', 'user/*.cruds'), roles } as Requester;
    const outside = { ...inCare, isOutsideCare: true } as Requester;
    for (const name of ['break-glass', 'redeem-presence-code'] as const) {
      mayAttempt(inCare, operation(name));
      expect(faultOf(() => mayAttempt(outside, operation(name)))).to.include({ kind: 'forbidden' });
    }
    mayAttempt(outside, operation('set-confidentiality'));
  });

  it('C7 who has the office of the support alone opens no record, and who cares for patients besides does', () => {
    const role = { reference: 'PractitionerRole/1', organization: 'Organization/a', within: [], radiologist: false };
    const support = { ...role, offices: ['support'] } as const;
    const care = { ...role, reference: 'PractitionerRole/2', offices: [], profession: { code: '10' } };
    const asWith = (...roles: readonly Role[]) =>
      ({ ...requesterOf('practitioner', 'user/*.cruds'), roles }) as Requester;
    for (const name of ['break-glass', 'redeem-presence-code'] as const) {
      const desk = { ...support, reference: 'PractitionerRole/3', offices: ['region-desk'] } as const;
      for (const requester of [asWith(support), asWith(support, desk)])
        expect(faultOf(() => mayAttempt(requester, operation(name)))).to.include({ kind: 'forbidden' });
      for (const requester of [asWith(support, care), asWith({ ...support, profession: { code: '10' } })])
        mayAttempt(requester, operation(name));
    }
  });

  for (const [attempt, ...kinds] of TABLE) {
    const name = Object.values(attempt).join(' ');
    it(`${name}: ${kinds.join(', ')}`, () => {
      for (const kind of KINDS) {
        const requester = requesterOf(kind, 'user/*.cruds');
        if (kinds.includes(kind)) mayAttempt(requester, attempt);
        else expect(faultOf(() => mayAttempt(requester, attempt)).kind, kind).to.equal('forbidden');
      }
    });

    it(`${name}: nobody without the scope`, () => {
      for (const kind of kinds) {
        const fault = faultOf(() => mayAttempt(requesterOf(kind, 'user/Organization.cruds', 'openid'), attempt));
        expect([fault.kind, fault.protocolCode]).to.deep.equal(['forbidden', 'insufficient_scope']);
      }
    });
  }

  it('takes each letter of a scope for itself', () => {
    const may = (scope: string, attempt: Attempt): void => mayAttempt(requesterOf('establishment', scope), attempt);
    may('system/Patient.c', create('Patient'));
    may('system/Patient.u', update('Patient'));
    expect(faultOf(() => may('system/Patient.u', create('Patient'))).protocolCode).to.equal('insufficient_scope');
    expect(faultOf(() => may('system/Patient.c', update('Patient'))).protocolCode).to.equal('insufficient_scope');
    mayAttempt(requesterOf('practitioner', 'user/Patient.r'), operation('break-glass'));
  });

  it('takes both to read and to search for what asks of Patients', () => {
    for (const name of ['ihe-pix', 'match'] as const) {
      for (const scope of ['user/Patient.r', 'user/Patient.s', 'user/ImagingStudy.rs'])
        expect(faultOf(() => mayAttempt(requesterOf('practitioner', scope), operation(name))).kind).to.equal(
          'forbidden',
        );
      mayAttempt(requesterOf('practitioner', 'user/Patient.rs'), operation(name));
    }
  });

  it('lets a transaction in for any one of its entries', () => {
    const send = (kind: Requester['kind'], scope: string): void => mayAttempt(requesterOf(kind, scope), TRANSACTION);
    for (const scope of ['Patient.c', 'Patient.u', 'DiagnosticReport.cu', 'Consent.d', 'ServiceRequest.u']) {
      send('establishment', `system/${scope}`);
    }
    for (const scope of ['DiagnosticReport.rs', 'Consent.rs', 'Patient.rs', 'ImagingStudy.cud']) {
      expect(faultOf(() => send('establishment', `system/${scope}`)).kind).to.equal('forbidden');
    }
    send('patient', 'patient/Consent.c');
    const { message } = faultOf(() => send('patient', 'patient/Patient.cu'));
    expect(message).to.equal('A Patient is written by establishments only');
  });
});
