import { expect } from 'chai';
import { selectedDomains, withinDomains } from '../../../ihe/iti-78/identifier-domains.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';

const OPTIONS = { handling: 'lenient', maxCount: 100, defaultCount: 10, isServed: () => true } as const;

function domainsOf(text: string, type: StoredType = 'Patient'): readonly string[] | undefined {
  return selectedDomains(parseSearch(type, new URLSearchParams(text), OPTIONS).query);
}

describe('Domains of identifiers that are answered (PDQm 2:3.78.4.1.2.3)', () => {
  it('are those that are named without a value', () => {
    expect(domainsOf('identifier=urn:oid:1.2.3|,urn:oid:4.5.6|')).to.deep.equal(['urn:oid:1.2.3', 'urn:oid:4.5.6']);
    expect(domainsOf('family=a&identifier=urn:a|&identifier=urn:b|')).to.deep.equal(['urn:a', 'urn:b']);
    expect(domainsOf('identifier=urn:a|&identifier=urn:b|1')).to.deep.equal(['urn:a']);
  });

  it('are all where a value is looked for, in no domain, or not', () => {
    for (const text of ['identifier=urn:a|1', 'identifier=urn:a|,urn:b|1', 'identifier=1', 'identifier=|1', 'family=a'])
      expect(domainsOf(text), text).to.equal(undefined);
    expect(domainsOf('identifier:not=urn:a|')).to.equal(undefined);
    expect(domainsOf('identifier=urn:a|', 'Practitioner')).to.equal(undefined);
  });

  it('leave out the others of a Patient, which says so', () => {
    const [a, b] = [
      { system: 'urn:a', value: '1' },
      { system: 'urn:b', value: '2' },
    ];
    const json = JSON.stringify({ resourceType: 'Patient', id: 'p', identifier: [a, b, { value: '3' }], active: true });
    const shown = JSON.parse(withinDomains(json, ['urn:b'])) as object;
    expect(shown).to.deep.include({ id: 'p', active: true, identifier: [b] });
    expect(JSON.stringify(shown)).to.include('SUBSETTED');
    const whole = JSON.stringify({ resourceType: 'Patient', id: 'p', identifier: [a] });
    expect(withinDomains(whole, ['urn:a', 'urn:c'])).to.equal(whole);
  });
});
