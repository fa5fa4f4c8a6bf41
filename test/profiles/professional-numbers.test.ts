import { expect } from 'chai';
import { formsOfNumber } from '../../profiles/professional-numbers.ts';

const RPPS = 'https://rpps.esante.gouv.fr';
const NATIONAL = 'urn:oid:1.2.250.1.71.4.2.1';

describe('The number of a professional (CI-SIS, PS_IdNat)', () => {
  it('is one in its two forms', () => {
    const [rpps, national] = [
      { system: RPPS, value: '99700990031' },
      { system: NATIONAL, value: '899700990031' },
    ];
    expect(formsOfNumber(rpps)).to.deep.equal([rpps, national]);
    expect(formsOfNumber(national)).to.deep.equal([national, rpps]);
  });

  for (const number of [
    { system: NATIONAL, value: '0012345678901' },
    { system: NATIONAL, value: '399700990031' },
    { system: NATIONAL, value: '8997009900311' },
    { system: RPPS, value: '899700990031' },
    { system: 'urn:oid:2.25.1', value: '99700990031' },
  ])
    it(`of another kind has one: ${number.system} ${number.value}`, () => {
      expect(formsOfNumber(number)).to.deep.equal([number]);
    });
});
