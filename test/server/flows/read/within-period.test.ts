import { expect } from 'chai';
import { dateCriterion } from '../../../../profiles/search/criterion.ts';
import { personKey, type PatientRequester, type PractitionerRequester } from '../../../../server/access/requester.ts';
import { withinPeriod } from '../../../../server/flows/read/events-of-patients.ts';
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

describe('A search of the trail', () => {
  it('reads the part in which its dates lie, whoever asks', () => {
    const query = aQuery('AuditEvent', { where: [dateCriterion('date', 'ge', NOW)] });
    for (const requester of [patient, officer])
      expect(withinPeriod({ requester }, query)).to.deep.equal({ ...query, span: { from: NOW, before: undefined } });
  });

  it('has a beginning where an officer asks, and none where a patient or another type is asked for', () => {
    const query = aQuery('AuditEvent', { where: [dateCriterion('date', 'lt', NOW)] });
    expect(faultOf(() => withinPeriod({ requester: officer }, query))).to.include({ kind: 'invalid' });
    expect(withinPeriod({ requester: patient }, query).span).to.deep.equal({ from: undefined, before: NOW });
    expect(withinPeriod({ requester: officer }, aQuery('ImagingStudy'))).to.deep.equal(aQuery('ImagingStudy'));
  });
});
