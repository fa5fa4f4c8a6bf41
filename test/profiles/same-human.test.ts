import { expect } from 'chai';
import { mayBeSameHuman, type HumanTraits } from '../../profiles/same-human.ts';

const her: HumanTraits = { name: [{ family: 'Aubelande', given: ['Perrine', 'Ève'] }] };

describe('Whether two resources may be of one human being', () => {
  it('they may by a name without accents, case and hyphens, in any order and use', () => {
    for (const name of [
      [{ family: 'AUBELANDE', given: ['PERRINE'] }],
      [
        { family: 'Née-Autrement', given: ['Eve'] },
        { family: 'Aubé-lande', given: ['Perrine'] },
      ],
      [{ family: 'aubelande', given: ['Eve'] }],
    ])
      expect(mayBeSameHuman(her, { name, birthDate: '1970-01-01' }), JSON.stringify(name)).to.equal(true);
  });

  it('they are not by half a name, nor by one name and two birth dates', () => {
    expect(mayBeSameHuman(her, { name: [{ family: 'Aubelande', given: ['Jeanne'] }] })).to.equal(false);
    expect(mayBeSameHuman(her, { name: [{ given: ['Perrine'] }] })).to.equal(false);
    expect(mayBeSameHuman({ ...her, birthDate: '1970-01-01' }, { ...her, birthDate: '1971-01-01' })).to.equal(false);
    expect(mayBeSameHuman({}, {})).to.equal(false);
    expect(
      mayBeSameHuman({ name: [{ family: '-', given: ['.'] }] }, { name: [{ family: '-', given: ['.'] }] }),
    ).to.equal(false);
  });

  it('they may by a number that both bear, whatever their names', () => {
    const identifier = [{ system: 'urn:oid:1.2', value: '1' }];
    expect(mayBeSameHuman({ identifier }, { identifier, name: [{ family: 'X' }], birthDate: '1999-01-01' })).to.equal(
      true,
    );
    expect(mayBeSameHuman({ identifier }, { identifier: [{ system: 'urn:oid:1.3', value: '1' }] })).to.equal(false);
  });
});
