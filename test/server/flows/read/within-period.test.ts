import { expect } from 'chai';
import { dateCriterion } from '../../../../profiles/search/criterion.ts';
import { personKey, type PatientRequester, type PractitionerRequester } from '../../../../server/access/requester.ts';
import { withinPeriod } from '../../../../server/flows/read/events-of-rows.ts';
import { aQuery, NOW } from '../../../support/plans.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

const COMMON = { clientId: 'client', scopes: [], purpose: 'TREAT', display: 'somebody' } as const;
const role = {
  reference: 'PractitionerRole/a',
  organization: 'Organization/a',
  within: [],
  radiologist: false,
} as const;

const patient: PatientRequester = { ...COMMON, kind: 'patient', patient: 'Patient/a', person: personKey('p') };
const officer: PractitionerRequester = {
  ...COMMON,
  kind: 'practitioner',
  practitioner: 'Practitioner/a',
  roles: [{ ...role, offices: ['region-dpo'] }],
};

const ofEstablishment: PractitionerRequester = {
  ...officer,
  roles: [{ ...role, offices: ['establishment-dpo'], oversees: ['Organization/a'] }],
};

describe('A search of the trail', () => {
  it('reads the part in which its dates lie, whoever asks', () => {
    const query = aQuery('AuditEvent', { where: [dateCriterion('date', 'ge', NOW)] });
    for (const requester of [patient, officer, ofEstablishment])
      expect(withinPeriod({ requester }, query)).to.deep.equal({ ...query, span: { from: NOW, before: undefined } });
  });

  it('has a beginning where an officer asks, and none where a patient or another type is asked for', () => {
    const query = aQuery('AuditEvent', { where: [dateCriterion('date', 'lt', NOW)] });
    for (const requester of [officer, ofEstablishment])
      expect(faultOf(() => withinPeriod({ requester }, query))).to.include({ kind: 'invalid' });
    expect(withinPeriod({ requester: patient }, query).span).to.deep.equal({ from: undefined, before: NOW });
    expect(withinPeriod({ requester: officer }, aQuery('ImagingStudy'))).to.deep.equal(aQuery('ImagingStudy'));
  });

  it('asks for no kinds of entities, in conditions and order, where the officer of an establishment asks', () => {
    const where = [dateCriterion('date', 'ge', NOW)];
    const kinds = { kind: 'token', param: 'entity-type', values: [{ code: '1' }] } as const;
    const order = [{ by: 'token', param: 'entity-type', descending: false }] as const;
    for (const query of [aQuery('AuditEvent', { where: [...where, kinds] }), aQuery('AuditEvent', { where, order })]) {
      expect(faultOf(() => withinPeriod({ requester: ofEstablishment }, query))).to.include({ kind: 'not-supported' });
      expect(withinPeriod({ requester: officer }, query).where).to.equal(query.where);
    }
  });
});
