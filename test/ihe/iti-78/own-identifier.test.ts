import { expect } from 'chai';
import { byOwnIdentifier } from '../../../ihe/iti-78/own-identifier.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';

const OWN = 'urn:oid:2.25.10';
const OPTIONS = { handling: 'strict', maxCount: 100, defaultCount: 10, isServed: () => true } as const;

function whereOf(type: StoredType, text: string): readonly Criterion[] {
  return byOwnIdentifier(parseSearch(type, new URLSearchParams(text), OPTIONS).query, OWN).where;
}

describe('The region’s own identifier in searches (PDQm 2:3.78.4.1.2.1, ITI-67)', () => {
  it('is the id of the Patient', () => {
    expect(whereOf('Patient', `identifier=${OWN}|a,${OWN}|b&active=true`)).to.deep.equal([
      { kind: 'id', values: ['a', 'b'] },
      ...whereOf('Patient', 'active=true'),
    ]);
  });

  it('is a reference to her where she is whom something is about, by chains and _has too', () => {
    const toA = { kind: 'reference', param: 'patient', values: ['Patient/a'] };
    expect(whereOf('DocumentReference', `patient.identifier=${OWN}|a`)).to.deep.equal([toA]);
    expect(whereOf('ImagingStudy', `patient:identifier=${OWN}|a`)).to.deep.equal([toA]);
    const [deep] = whereOf('DocumentReference', `related:ImagingStudy.patient.identifier=${OWN}|a`);
    expect(deep).to.deep.include({ kind: 'chain', param: 'related', criterion: toA });
    const [has] = whereOf('Patient', `_has:ImagingStudy:patient:patient.identifier=${OWN}|a`);
    expect(has).to.deep.include({ kind: 'has', criterion: toA });
  });

  it('is nothing else: other systems, no value, negation, other types and mixed lists stay', () => {
    for (const [type, text] of [
      ['Patient', 'identifier=urn:a|1'],
      ['Patient', `identifier=${OWN}|`],
      ['Patient', `identifier:not=${OWN}|a`],
      ['Patient', `identifier=${OWN}|a,urn:a|1`],
      ['Practitioner', `identifier=${OWN}|a`],
      ['DocumentReference', 'patient.identifier=urn:a|1'],
    ] as const)
      expect(whereOf(type, text), text).to.deep.equal(
        parseSearch(type, new URLSearchParams(text), OPTIONS).query.where,
      );
  });
});
