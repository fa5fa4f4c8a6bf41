/** By which texts a person is found in the trail: never by what is in the events of everybody. */
import { expect } from 'chai';
import type { Patient } from '@medplum/fhirtypes';
import { trailNamesOf } from '../../../../server/flows/erase/trail-names.ts';
import { anINS } from '../../../flows/identity/people.ts';

const OWN = { system: 'urn:oid:1.2.250.1.71.4.2.7', value: '7' };

function namesOf(said: Omit<Patient, 'resourceType'>, own = OWN): readonly (readonly string[])[] {
  return trailNamesOf({ own, said: { resourceType: 'Patient', ...said } });
}

const INS = { system: '', value: '', ...anINS() };

describe('What names a person in the trail', () => {
  it('is an address of mail or a telephone, as a whole', () => {
    const telecom = ['ysoline@exemple.test', '+33 3 90 12 34 56', '453000', '26 12 34 56'].map((value) => ({ value }));
    expect(namesOf({ telecom }).slice(1)).to.deep.equal(telecom.map(({ value }) => [value]));
  });

  for (const value of ['-', '.', '+', 'n/a', '0', '@', '12345', '00 00 00 00', '2024-12-01', '20241201', '120000'])
    it(`is not a telecom ${value}`, () => {
      expect(namesOf({ telecom: [{ value }] })).to.have.length(1);
    });

  it('is a number with its domain, a short one where both stand together, and one of a nation alone', () => {
    const identifier = [{ ...OWN, value: '700012' }, INS, { system: 'urn:oid:', value: '700012' }, { value: '7' }];
    expect(namesOf({ identifier })).to.deep.equal([
      ['1.2.250.1.71.4.2.7|7'],
      ['700012', '1.2.250.1.71.4.2.7'],
      [INS.value],
    ]);
    expect(namesOf({ identifier: [{ ...INS, value: '0' }] })[1]).to.deep.equal([
      `${INS.system.replace('urn:oid:', '')}|0`,
    ]);
  });

  it('is a family with a birth date, where it is one', () => {
    const name = ['Ormélac', '-', '.'].map((family) => ({ family }));
    expect(namesOf({ name, birthDate: '1979-05-14' }).slice(1)).to.deep.equal([['Ormélac', '1979-05-14']]);
    expect(namesOf({ name })).to.have.length(1);
  });
});
