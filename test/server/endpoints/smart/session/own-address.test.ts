import { expect } from 'chai';
import { ownAddress } from '../../../../../server/endpoints/smart/session/session-routes.ts';

describe('The address that a person is led to after a sign-in', () => {
  it('is a path of this server, with its query', () => {
    for (const address of ['/', '/voir/abc', '/viewer/1.2.3?lang=de', '/IHEInvokeImageDisplay?requestType=STUDY'])
      expect(ownAddress(address)).to.equal(address);
  });

  it('is the start page where another place was named (CWE-601)', () => {
    for (const address of [
      null,
      '',
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '\\/evil.example',
      '/a\\b',
      '/a b',
      '/a\nb',
      '/é',
      'javascript:alert(1)',
      `/${'a'.repeat(2_000)}`,
    ])
      expect(ownAddress(address), String(address)).to.equal('/');
  });
});
