import { expect } from 'chai';
import type { Identifier } from '@medplum/fhirtypes';
import { affinityIdentifier } from '../../profiles/affinity-domain.ts';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';

const { insNir, matricule } = IDENTIFIER_SYSTEM;
const DOMAIN = { patientIdSystems: [insNir, matricule], ownSystem: 'urn:oid:2.25.10' };
const LOCAL = { system: 'urn:oid:1.2.3.4', value: 'L-1' };
const INS = { system: insNir, value: '279036799900487' };
const MATRICULE = { system: matricule, value: '1983020900199' };

function chosen(...identifier: Identifier[]): string | undefined {
  return affinityIdentifier({ id: 'p1', identifier }, DOMAIN)?.value;
}

describe('XDSDocumentEntry.patientId in the affinity domain (ITI TF-3 4.2.3.2.16)', () => {
  it('is the number of the first system that the person has one of, in whatever order she bears them', () => {
    expect(chosen(LOCAL, MATRICULE, INS)).to.equal(INS.value);
    expect(chosen(LOCAL, MATRICULE)).to.equal(MATRICULE.value);
  });

  it('is the id of her Patient where she has none, in the system of the region', () => {
    expect(affinityIdentifier({ id: 'p1', identifier: [LOCAL] }, DOMAIN)).to.deep.equal({
      system: 'urn:oid:2.25.10',
      value: 'p1',
    });
    expect(affinityIdentifier({ id: 'p1' }, DOMAIN)).to.include({ value: 'p1' });
    expect(affinityIdentifier({ identifier: [LOCAL] }, DOMAIN)).to.equal(undefined);
  });

  it('is not a number that was replaced, an empty one, or what a source writes in the system of the region', () => {
    expect(chosen({ ...INS, use: 'old' }, MATRICULE)).to.equal(MATRICULE.value);
    expect(chosen({ ...INS, value: '222222222222240', use: 'old' }, INS)).to.equal(INS.value);
    expect(chosen({ system: insNir }, { system: insNir, value: '' })).to.equal('p1');
    expect(chosen({ system: DOMAIN.ownSystem, value: 'another' })).to.equal('p1');
  });
});
