import { expect } from 'chai';
import * as fc from 'fast-check';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import { isNationalSystem, nationalIdentifier, nationalSystemOf } from '../../profiles/national-identifiers.ts';

const { insNir, insNia, insNirTest, insNirDemonstration, matricule } = IDENTIFIER_SYSTEM;

/** A number of thirteen characters with its key; 2A and 2B count as 19 and 18. */
function withKey(number: string): string {
  const key = 97 - (Number(number.replace('2A', '19').replace('2B', '18')) % 97);
  return `${number}${String(key).padStart(2, '0')}`;
}

describe('National identifiers of patients (FR Core Patient INS; matricule of Luxembourg)', () => {
  it('gives INS numbers their type and use by issuer', () => {
    const value = withKey('2680467999001');
    const kinds = [insNir, insNia, insNirTest, insNirDemonstration].map((system) =>
      nationalIdentifier({ system, value }),
    );
    expect(kinds.map((one) => `${one?.use} ${one?.type?.coding?.[0]?.code}`)).to.deep.equal([
      'official INS-NIR',
      'temp INS-NIA',
      'official INS-NIR-TEST',
      'official INS-NIR-DEMO',
    ]);
    for (const one of kinds) expect(one?.value).to.equal(value);
  });

  it('takes numbers of Corsica, and takes spaces out', () => {
    for (const number of ['180012A001001', '285022B033025']) {
      expect(nationalIdentifier({ system: insNir, value: withKey(number) })?.value, number).to.equal(withKey(number));
    }
    expect(nationalIdentifier({ system: insNir, value: '2 68 04 67 999 001 63' })?.value).to.equal('268046799900163');
  });

  it('believes no number with another key, without key, or of another form', () => {
    const wrong = [
      '268046799900164',
      '2680467999001',
      '968046799900163',
      '26804679990016',
      '2680467999001630',
      '26804C799900163',
      '',
      'IPP-12',
    ];
    for (const value of wrong) expect(nationalIdentifier({ system: insNir, value }), value).to.equal(undefined);
  });

  it('finds every single digit that is wrong', () => {
    const digits = fc
      .tuple(fc.constantFrom('1', '2'), fc.stringMatching(/^\d{12}$/))
      .map((parts) => withKey(parts.join('')));
    fc.assert(
      fc.property(digits, fc.nat(14), fc.integer({ min: 1, max: 9 }), (value, at, by) => {
        expect(nationalIdentifier({ system: insNir, value })?.value).to.equal(value);
        const changed = value.slice(0, at) + String((Number(value[at]) + by) % 10) + value.slice(at + 1);
        expect(nationalIdentifier({ system: insNir, value: changed })).to.equal(undefined);
      }),
    );
  });

  it('takes a matricule of 11 or 13 digits that begins with a date, whatever its check digits', () => {
    for (const value of ['1983020900199', '1998041799999', '19830209001']) {
      expect(nationalIdentifier({ system: matricule, value })).to.deep.equal({
        use: 'official',
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'NI' }] },
        system: matricule,
        value,
      });
    }
    for (const value of ['1983023000199', '198302090019', '198302090019X', ''])
      expect(nationalIdentifier({ system: matricule, value }), value).to.equal(undefined);
  });

  it('knows the v2 namespaces of the INS, and says nothing of other systems', () => {
    expect(nationalSystemOf('ASIP-SANTE-INS-NIR')).to.equal(insNir);
    expect(nationalSystemOf('ASIP-SANTE-INS-NIA')).to.equal(insNia);
    for (const other of [undefined, '', 'CHU', 'constructor']) expect(nationalSystemOf(other)).to.equal(undefined);
    expect(isNationalSystem(matricule)).to.equal(true);
    expect(isNationalSystem('urn:oid:1.2.3')).to.equal(false);
    expect(nationalIdentifier({ system: 'urn:oid:1.2.3', value: '268046799900163' })).to.equal(undefined);
  });
});
