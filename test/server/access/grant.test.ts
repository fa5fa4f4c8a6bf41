/** Whom a professional is, with the places where she cares for patients; and until when a representative is one. */
import { expect } from 'chai';
import {
  grantAt,
  grantFor,
  grantOfTerms,
  principalsOfProfessional,
  termsOfGrant,
} from '../../../server/access/grant.ts';
import { personKey, type PractitionerRequester, type Role } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';

const HOSPITAL = 'Organization/hospital';
const role = (parts: Partial<Role>): Role => ({
  reference: 'PractitionerRole/r',
  organization: HOSPITAL,
  within: [HOSPITAL],
  radiologist: false,
  offices: [],
  ...parts,
});

describe('The principals of a professional (access.md C7)', () => {
  const members = (parts: Partial<Role>): boolean =>
    principalsOfProfessional('Practitioner/p', [role(parts)]).includes(principal.members(HOSPITAL));

  it('is a member of where she works', () => {
    expect(members({})).to.equal(true);
    expect(members({ offices: ['establishment-dpo'], profession: {} }), 'a doctor with an office').to.equal(true);
  });

  it('is none where she holds an office alone, which she still holds', () => {
    expect(members({ offices: ['establishment-desk'] })).to.equal(false);
    const all = principalsOfProfessional('Practitioner/p', [role({ offices: ['establishment-desk'] })]);
    expect(all).to.include(principal.office('establishment-desk', HOSPITAL));
  });
});

describe('What a region lets emergencies do (access.md Q2)', () => {
  const emergencies = (parts: Partial<PractitionerRequester>): readonly string[] => {
    const who = { kind: 'practitioner', practitioner: 'Practitioner/p', roles: [role({})] } as const;
    const asked = { clientId: 'app', scopes: [], purpose: 'TREAT', display: 'Somebody' } as const;
    return grantFor({ ...who, ...asked, ...parts }, 0).principals.filter((name) => name.startsWith('bg'));
  };
  const [every, confidential, pastBlock] = ['bg', 'bgc', 'bgp'].map((kind) => `${kind}:Practitioner/p`);

  it('is a principal for each setting that is on', () => {
    expect(emergencies({})).to.deep.equal([every]);
    expect(emergencies({ breakGlass: { reachesConfidential: false, passesBlocks: false } })).to.deep.equal([every]);
    expect(emergencies({ breakGlass: { reachesConfidential: true } })).to.deep.equal([every, confidential]);
    expect(emergencies({ breakGlass: { passesBlocks: true } })).to.deep.equal([every, pastBlock]);
  });

  it('is nothing to who acts outside of care: no setting passes what bars from everybody’s record', () => {
    const breakGlass = { reachesConfidential: true, passesBlocks: true };
    expect(emergencies({ breakGlass, isOutsideCare: true })).to.deep.equal([every]);
  });
});

describe('The grant of who represents a patient (access.md 10.3)', () => {
  const requester = {
    kind: 'representative',
    related: 'RelatedPerson/r',
    patient: 'Patient/a',
    person: personKey('a'),
    until: 10,
    clientId: 'app',
    scopes: [],
    purpose: 'FAMRQT',
    display: 'Somebody',
  } as const;

  it('is nobody’s from 00:00 of the majority on, and on every thread', () => {
    const [before, after] = [grantFor(requester, 9), grantFor(requester, 10)];
    expect([before.principals, after.principals]).to.deep.equal([['rp:RelatedPerson/r'], []]);
    expect(grantAt(before, 9).principals).to.deep.equal(['rp:RelatedPerson/r']);
    expect(grantAt(before, 10).principals).to.deep.equal([]);
    expect(grantAt(grantOfTerms(termsOfGrant(before)), 10).principals).to.deep.equal([]);
  });

  it('is two while the region file lets her reach private items of the child, and ends then; the next is one', () => {
    const ofChild = { ...requester, ofChildUntil: 5 };
    const both = ['rp:RelatedPerson/r', 'rpc:RelatedPerson/r'];
    const [before, after] = [grantFor(ofChild, 4), grantFor(ofChild, 5)];
    expect([before.principals, after.principals]).to.deep.equal([both, ['rp:RelatedPerson/r']]);
    expect([before.until, after.until]).to.deep.equal([5, 10]);
    expect(grantAt(before, 5).principals).to.deep.equal([]);
    expect(grantFor({ ...requester, ofChildUntil: 20 }, 9).until).to.equal(10);
  });
});
