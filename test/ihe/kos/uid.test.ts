import { expect } from 'chai';
import * as fc from 'fast-check';
import { derivedUid, uidFromUuid } from '../../../ihe/kos/uid.ts';
import { Fault } from '../../../profiles/fault.ts';

describe('UID of a UUID (DICOM PS3.5 B.2)', () => {
  it('is 2.25. and the decimal value of the UUID', () => {
    expect(uidFromUuid('f81d4fae-7dec-11d0-a765-00a0c91e6bf6')).to.equal(
      '2.25.329800735698586629295641978511506172918',
    );
    expect(uidFromUuid('F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6')).to.equal(
      '2.25.329800735698586629295641978511506172918',
    );
    expect(uidFromUuid('00000000-0000-0000-0000-000000000000')).to.equal('2.25.0');
  });

  it('refuses what is not a UUID', () => {
    expect(() => uidFromUuid('f81d4fae7dec11d0a76500a0c91e6bf6'))
      .to.throw(Fault)
      .with.property('kind', 'invalid');
  });
});

describe('UID derived from a seed (RFC 9562 5.8)', () => {
  it('is stable: a change here would give known studies new manifests', () => {
    expect(derivedUid('seed')).to.equal(derivedUid('seed'));
    expect(derivedUid('')).to.equal('2.25.302652579918966106791432553938847512868');
  });

  it('is a valid UID of a version 8 UUID for any seed, and differs with the seed', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const uid = derivedUid(one);
        expect(uid)
          .to.match(/^2\.25\.[1-9]\d*$/)
          .and.have.lengthOf.at.most(64);
        const hex = BigInt(uid.slice('2.25.'.length)).toString(16).padStart(32, '0');
        expect(hex[12]).to.equal('8');
        expect(hex[16]).to.be.oneOf(['8', '9', 'a', 'b']);
        expect(derivedUid(other) === uid).to.equal(one === other);
      }),
    );
  });
});
