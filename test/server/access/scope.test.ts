import { expect } from 'chai';
import { allows, narrowScopes, parseScope } from '../../../server/access/scope.ts';

describe('SMART scopes (SMART App Launch 2.2)', () => {
  it('reads the letters of v2 in their order', () => {
    expect(parseScope('patient/ImagingStudy.rs')).to.deep.equal({
      context: 'patient',
      type: 'ImagingStudy',
      actions: ['r', 's'],
    });
    expect(parseScope('system/*.cruds')?.actions).to.deep.equal(['c', 'r', 'u', 'd', 's']);
  });

  it('maps read, write and * of v1', () => {
    expect(parseScope('user/Patient.read')?.actions).to.deep.equal(['r', 's']);
    expect(parseScope('user/Patient.write')?.actions).to.deep.equal(['c', 'u', 'd']);
    expect(parseScope('user/*.*')?.actions).to.deep.equal(['c', 'r', 'u', 'd', 's']);
  });

  for (const text of [
    'patient/*.srad',
    'patient/*.sr',
    'patient/*.',
    'patient/*',
    'patient/Nope.rs',
    'patient/toString.rs',
    'other/*.rs',
    'patient/*.rs?category=x',
    'patient/*.rs ',
    ' patient/*.rs',
    'patient/*.rrs',
    'PATIENT/*.rs',
    'openid',
    '',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(parseScope(text)).to.equal(undefined);
    });
  }

  it('opens only the types and interactions that a scope names', () => {
    expect(allows(['patient/ImagingStudy.rs'], 'ImagingStudy', 'r')).to.equal(true);
    expect(allows(['patient/ImagingStudy.rs'], 'ImagingStudy', 'u')).to.equal(false);
    expect(allows(['patient/ImagingStudy.rs'], 'Patient', 'r')).to.equal(false);
    expect(allows(['user/*.read'], 'Patient', 's')).to.equal(true);
    expect(allows(['openid', 'patient/*.rs?status=x'], 'Patient', 'r')).to.equal(false);
  });

  it('cuts a request down to what is registered', () => {
    const registered = ['openid', 'patient/*.rs', 'user/Patient.cruds', 'user/ImagingStudy.r'];
    expect(narrowScopes(['openid', 'profile', 'patient/*.read'], registered)).to.deep.equal([
      'openid',
      'patient/*.read',
    ]);
    expect(narrowScopes(['patient/*.cruds'], registered)).to.deep.equal(['patient/*.rs']);
    expect(narrowScopes(['user/*.rs'], registered)).to.deep.equal(['user/Patient.rs', 'user/ImagingStudy.r']);
    expect(narrowScopes(['system/*.rs', 'patient/*.cud'], registered)).to.deep.equal([]);
    expect(narrowScopes(['patient/Observation.rs', 'user/Observation.r'], registered)).to.deep.equal([
      'patient/Observation.rs',
    ]);
  });
});
