import { expect } from 'chai';
import { boundaryOf, parseContentType } from '../../../ihe/mime/content-type.ts';
import { faultOf } from '../../support/thrown-fault.ts';

describe('Content-Type (RFC 9110 8.3, RFC 2046 5.1.1)', () => {
  it('reads quoted, escaped and repeated parameters; the first wins', () => {
    const { mediaType, parameters } = parseContentType('Multipart/Related ; A="x;\\"y" ; b = z ;a=w; c=');
    expect(mediaType).to.equal('multipart/related');
    expect([...parameters]).to.deep.equal([['a', 'x;"y'], ['b', 'z'], ['c', '']]);
  });

  it('passes over parameters that are empty or have no value', () => {
    const { parameters } = parseContentType('multipart/related;; charset ; ; boundary=b;');
    expect([...parameters]).to.deep.equal([['boundary', 'b']]);
  });

  it('reads a header of any signs in time that grows with its length', () => {
    for (const signs of [' ', ';', ' ;', '"', 'a', '=', '\\', 'a=', ';a=";']) {
      parseContentType(`a/b;${signs.repeat(16_000)}`);
    }
  });

  it('takes boundaries of up to 256 characters, though 70 are allowed', () => {
    const read = (boundary: string): string => boundaryOf(parseContentType(`a/b; boundary=${boundary}`));
    for (const length of [1, 70, 71, 73, 256]) expect(read('x'.repeat(length))).to.have.length(length);
    expect(faultOf(() => read('x'.repeat(257))).kind).to.equal('invalid');
    for (const none of ['a/b', 'a/b; boundary', 'a/b; boundary=', 'a/b; boundary=""']) {
      expect(faultOf(() => boundaryOf(parseContentType(none))).kind, none).to.equal('required');
    }
  });
});
