import { expect } from 'chai';
import type { HumanName, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from '../../../profiles/codes.ts';
import { readTraits, traitsAgree } from '../../../profiles/identity/traits.ts';

const LIST = EXTENSION.frBirthListGivenName;
const NAME: HumanName = { use: 'official', family: 'Martin', given: ['Claude'] };
const BASE: Patient = { resourceType: 'Patient', name: [NAME], birthDate: '1970-03-02', gender: 'male' };

function agree(one: Partial<Patient>, other: Partial<Patient>, ignoresSex = false): boolean {
  const both = [one, other].map((more) => readTraits({ ...BASE, ...more }));
  const forth = both[0] !== undefined && both[1] !== undefined && traitsAgree(both[0], both[1], { ignoresSex });
  const back = both[0] !== undefined && both[1] !== undefined && traitsAgree(both[1], both[0], { ignoresSex });
  expect(forth).to.equal(back);
  return forth;
}

const named = (...name: HumanName[]): Partial<Patient> => ({ name });
const family = (text: string): Partial<Patient> => named({ ...NAME, family: text });
const given = (...texts: string[]): Partial<Patient> => named({ ...NAME, given: texts });

function place(code: string): Partial<Patient> {
  const coding = { system: CODE_SYSTEM.communeFr, code };
  const valueAddress = { extension: [{ url: EXTENSION.frInseeCode, valueCoding: coding }] };
  return { extension: [{ url: EXTENSION.birthPlace, valueAddress }] };
}

describe('Traits of two identities (RNIV strict traits) agree', () => {
  for (const [one, other] of [
    ['MARTIN', 'Martin'],
    ['Lefèvre-Œuvrard', 'LEFEVRE OEUVRARD'],
    ['d’Alençon', "D'ALENCON"],
    ['de La Tour', 'LA TOUR'],
    ['du Pré', 'PRE'],
    ['von der Heide', 'Heide'],
    ['van den Berg', 'VANDENBERG'],
    ['Strauß', 'STRAUSS'],
    ['Łukaszewicz', 'LUKASZEWICZ'],
    ['Ό Νέος', 'Ο ΝΕΟΣ'],
    ['Du', 'DU'],
  ] as const)
    it(`on the family names ${one} and ${other}`, () => expect(agree(family(one), family(other))).to.equal(true));

  for (const [one, other] of [
    ['Martin', 'Martins'],
    ['Le Goff', 'Goff'],
    ['Du', 'De'],
    ['-', '.'],
    ['कि', 'का'],
  ] as const)
    it(`not on ${one} and ${other}`, () => expect(agree(family(one), family(other))).to.equal(false));

  it('on the birth name of one and the used name of the other', () => {
    const married = named(NAME, { use: 'usual', family: 'Durand', given: ['Claude'] });
    expect(agree(married, family('Durand'))).to.equal(true);
    expect(agree(married, named({ family: 'Durand', given: ['Claude'] }))).to.equal(true);
    expect(agree(named({ ...NAME, use: 'maiden' }), {})).to.equal(true);
    for (const use of ['old', 'temp', 'nickname', 'anonymous'] as const)
      expect(agree(named({ ...NAME, use }), {}), use).to.equal(false);
  });

  it('on the first birth given name or the used one, in one text or in FR Core’s list', () => {
    expect(agree(given('Claude', 'Jean'), given('CLAUDE'))).to.equal(true);
    expect(agree(given('Jean', 'Claude'), given('Claude'))).to.equal(false);
    expect(agree(given('Marie-Louise'), given('Marie Louise'))).to.equal(true);
    expect(agree(given('Marie-Louise'), given('Marie'))).to.equal(false);
    const used = named(NAME, { use: 'usual', family: 'Martin', given: ['Dominique'] });
    expect(agree(used, given('Dominique'))).to.equal(true);
    const list = { url: LIST, valueString: 'DOMINIQUE MARIE-LOUISE' };
    const sample = named({ ...NAME, given: ['DOMINIQUE MARIE-LOUISE'], extension: [list] });
    expect(agree(sample, given('Dominique'))).to.equal(true);
    expect(agree(named({ use: 'official', family: 'Martin', extension: [list] }), given('Dominique'))).to.equal(true);
  });

  it('with nobody without a first given name, a family name or a birth date', () => {
    const newborn = named({ use: 'official', family: 'Martin' });
    expect(agree(newborn, newborn)).to.equal(false);
    expect(agree(given('.'), given('.'))).to.equal(false);
    expect(agree(named({ given: ['Claude'] }), named({ given: ['Claude'] }))).to.equal(false);
    const { birthDate, ...undated } = BASE;
    expect(birthDate).to.equal('1970-03-02');
    const traits = readTraits(undated);
    expect(traitsAgree(traits, traits, { ignoresSex: false })).to.equal(false);
    expect(agree({ birthDate: '1970-03' }, {})).to.equal(false);
  });

  it('on an equal sex, or one that is unknown on one side, or may have changed', () => {
    expect(agree({ gender: 'female' }, {})).to.equal(false);
    expect(agree({ gender: 'other' }, {})).to.equal(false);
    expect(agree({ gender: 'unknown' }, {})).to.equal(true);
    const { gender, ...unsaid } = BASE;
    expect(gender).to.equal('male');
    expect(traitsAgree(readTraits(unsaid), readTraits(BASE), { ignoresSex: false })).to.equal(true);
    expect(agree({ gender: 'female' }, {}, true)).to.equal(true);
    expect(agree({ gender: 'female', birthDate: '1970-03-03' }, {}, true)).to.equal(false);
  });

  it('for a twin or a homonym on all given names and the birth place as well', () => {
    const born = (code: string, more: Partial<Patient> = {}): Partial<Patient> => ({ ...place(code), ...more });
    const twin = (code: string, more: Partial<Patient> = {}): Partial<Patient> =>
      born(code, { multipleBirthInteger: 1, ...more });
    expect(agree(twin('75112'), born('75112'))).to.equal(true);
    expect(agree({ ...twin('75112'), multipleBirthBoolean: true }, born('75113'))).to.equal(false);
    expect(agree({ multipleBirthBoolean: true }, {}), 'no place is said').to.equal(false);
    expect(agree({ multipleBirthBoolean: false }, {})).to.equal(true);
    const [jean, marie] = ['Claude Jean', 'Claude Marie'].map((valueString) =>
      named({ ...NAME, extension: [{ url: LIST, valueString }] }),
    );
    expect(agree(twin('75112', jean), born('75112', marie))).to.equal(false);
    expect(agree(born('75112', jean), born('75112', marie))).to.equal(true);
    expect(agree(twin('75112', jean), born('75112', given('Claude', 'Jean')))).to.equal(true);
    expect(agree(twin('75112', jean), born('75112'))).to.equal(false);
  });

  it('for a homonym that the reliability tells of as for a twin, and by a place in the older way', () => {
    const comment = { coding: [{ system: CODE_SYSTEM.frIdentityStatusComment, code: 'HOMD' }] };
    const reliability = {
      url: EXTENSION.frIdentityReliability,
      extension: [{ url: 'comment', valueCodeableConcept: comment }],
    };
    const older = (district: string): Partial<Patient> => ({
      extension: [reliability, { url: EXTENSION.birthPlace, valueAddress: { district } }],
    });
    expect(agree(older('2A004'), place('2A004'))).to.equal(true);
    expect(agree(older('2A004'), place('2B033'))).to.equal(false);
    expect(agree(older('Corse'), older('Corse'))).to.equal(false);
  });
});
