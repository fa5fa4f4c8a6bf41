/** Whom a professional is: herself, her functions, and a member of the places where she cares for patients. */
import { expect } from 'chai';
import { principalsOfProfessional } from '../../../server/access/grant.ts';
import type { Role } from '../../../server/access/requester.ts';
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
