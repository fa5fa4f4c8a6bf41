import { expect } from 'chai';
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { checkNationalNumbers, nationalNumbers } from '../../../profiles/identity/national-numbers.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const { insNir, insNia, matricule } = IDENTIFIER_SYSTEM;
const OWN = 'urn:oid:1.2.3';
const INS = '268046799900163';
const OTHER_INS = '180012A00100161';
const SOURCE = { qualifies: [insNir, insNia, matricule], fromImage: false };

function patient(identifier: Identifier[], status?: string): Patient {
  const coding = { system: CODE_SYSTEM.frIdentityStatus, code: status ?? '' };
  const said = { url: EXTENSION.frIdentityReliability, extension: [{ url: 'identityStatus', valueCoding: coding }] };
  return { resourceType: 'Patient', identifier, ...(status !== undefined && { extension: [said] }) };
}

describe('National numbers of a Patient', () => {
  it('are those of national systems in the right form, without spaces, each once', () => {
    const numbers = nationalNumbers(
      patient([
        { system: OWN, value: '12' },
        { system: insNir, value: '2 68 04 67 999 001 63' },
        { system: insNir, value: INS, use: 'old' },
        { system: insNir, value: '268046799900164', use: 'old' },
        { system: matricule },
        { value: INS },
      ]),
      SOURCE,
    );
    expect(numbers).to.deep.equal([{ system: insNir, value: INS, isOld: false, isQualified: false }]);
  });

  for (const [status, isQualified] of [
    ['QUAL', true],
    ['VALI', false],
    ['RECUP', false],
    ['PROV', false],
    ['VIDE', false],
    [undefined, false],
  ] as const) {
    it(`an INS with reliability ${status ?? 'that is not said'} is ${isQualified ? '' : 'not '}qualified`, () => {
      const [number] = nationalNumbers(patient([{ system: insNir, value: INS }], status), SOURCE);
      expect(number).to.deep.equal({ system: insNir, value: INS, isOld: false, isQualified });
    });
  }

  it('are qualified by sources alone that the region declares for the system', () => {
    const qualifies = [matricule];
    const both = patient(
      [
        { system: insNir, value: INS },
        { system: matricule, value: '1983020900199' },
      ],
      'QUAL',
    );
    const numbers = nationalNumbers(both, { ...SOURCE, qualifies });
    expect(numbers.map(({ isQualified }) => isQualified)).to.deep.equal([false, true]);
  });

  it('a matricule of 13 digits is qualified unless a reliability says otherwise, one of 11 digits never is', () => {
    const isQualified = (value: string, status?: string): boolean | undefined =>
      nationalNumbers(patient([{ system: matricule, value }], status), SOURCE)[0]?.isQualified;
    expect(isQualified('1983020900199')).to.equal(true);
    expect(isQualified('1983020900199', 'QUAL')).to.equal(true);
    expect(isQualified('1983020900199', 'PROV')).to.equal(false);
    expect(isQualified('1983020900199', 'VALI')).to.equal(false);
    expect(isQualified('19830209001')).to.equal(false);
    expect(isQualified('19830209001', 'QUAL')).to.equal(false);
  });

  it('of an image are qualified where the region says so of its modalities, whatever else', () => {
    const image = patient([{ system: insNir, value: INS }]);
    const from = (imagesQualified?: boolean): boolean | undefined =>
      nationalNumbers(image, {
        qualifies: [insNir],
        fromImage: true,
        ...(imagesQualified !== undefined && { imagesQualified }),
      })[0]?.isQualified;
    expect([from(), from(false), from(true)]).to.deep.equal([false, false, true]);
    const wrong = patient([{ system: insNir, value: 'hello' }]);
    expect(nationalNumbers(wrong, { qualifies: [insNir], imagesQualified: true, fromImage: true })).to.deep.equal([]);
    const fed = nationalNumbers(image, { ...SOURCE, imagesQualified: true });
    expect(fed[0]?.isQualified, 'the word for images counts for images').to.equal(false);
  });

  it('an INS of use temp is a NIA, another system than the NIR', () => {
    const numbers = nationalNumbers(
      patient(
        [
          { system: insNir, value: INS, use: 'temp' },
          { system: insNir, value: OTHER_INS },
        ],
        'QUAL',
      ),
      { ...SOURCE, qualifies: [insNir] },
    );
    expect(numbers).to.deep.equal([
      { system: insNia, value: INS, isOld: false, isQualified: false },
      { system: insNir, value: OTHER_INS, isOld: false, isQualified: true },
    ]);
  });

  it('two current values of one system are qualified neither; one of them old, both are', () => {
    const two = (use?: 'old'): boolean[] =>
      nationalNumbers(
        patient(
          [
            { system: insNir, value: INS, ...(use && { use }) },
            { system: insNir, value: OTHER_INS },
          ],
          'QUAL',
        ),
        SOURCE,
      ).map(({ isQualified }) => isQualified);
    expect(two()).to.deep.equal([false, false]);
    expect(two('old')).to.deep.equal([true, true]);
  });

  it('a further system that the region declares is qualified like the matricule', () => {
    const further = 'urn:oid:1.3.182.2.4.2';
    const source = { ...SOURCE, qualifies: [further] };
    const [number] = nationalNumbers(patient([{ system: further, value: '1234567890' }]), source);
    expect(number).to.deep.equal({ system: further, value: '1234567890', isOld: false, isQualified: true });
    expect(nationalNumbers(patient([{ system: further, value: '1234567890' }]), SOURCE)).to.deep.equal([]);
  });
});

describe('What senders may not say of national numbers (A3)', () => {
  for (const [system, value] of [
    [insNir, '000000000000000'],
    [insNir, 'hello'],
    [insNir, '268046799900164'],
    [insNia, '2680467999001'],
    [matricule, 'ABC'],
    [matricule, '1983023000199'],
  ] as const) {
    it(`${value} as ${system}`, () => {
      const wrong = patient(
        [
          { system: OWN, value: '1' },
          { system, value, use: 'old' },
        ],
        'PROV',
      );
      const { kind, expression, message } = faultOf(() => checkNationalNumbers(wrong));
      expect([kind, expression]).to.deep.equal(['invalid', 'Patient.identifier[1]']);
      expect(message).to.include(system).and.not.include(value);
    });
  }

  it('two current values of one system that may join', () => {
    const two = (use?: 'old' | 'temp'): Patient =>
      patient([
        { system: insNir, value: INS },
        { system: insNir, value: OTHER_INS, ...(use && { use }) },
      ]);
    const { kind, expression } = faultOf(() => checkNationalNumbers(two()));
    expect([kind, expression]).to.deep.equal(['invalid', 'Patient.identifier[1]']);
    checkNationalNumbers(two('old'));
    checkNationalNumbers(two('temp'));
    const lengths = ['1983020900199', '19830209001'].map((value) => ({ system: matricule, value }));
    checkNationalNumbers(patient(lengths));
  });

  it('more than 20: they would link persons who have nothing in common', () => {
    const many = Array.from({ length: 21 }, (_, at): Identifier => {
      const value = `19830209${String(at).padStart(3, '0')}99`;
      return { system: matricule, value, use: 'old' };
    });
    expect(faultOf(() => checkNationalNumbers(patient(many))).kind).to.equal('invalid');
    expect(nationalNumbers(patient(many), SOURCE).some(({ isQualified }) => isQualified)).to.equal(false);
    checkNationalNumbers(patient(many.slice(1)));
    expect(nationalNumbers(patient(many.slice(1)), SOURCE).every(({ isQualified }) => isQualified)).to.equal(true);
  });

  it('but they may say what is right, twice, or of other systems', () => {
    const right = { system: insNir, value: INS };
    checkNationalNumbers(
      patient([right, { ...right, value: '2 68 04 67 999 001 63' }, { system: OWN, value: 'hello' }]),
    );
    checkNationalNumbers(patient([{ system: insNir }]));
  });
});
