import { expect } from 'chai';
import { ownerOfId } from '../../../../server/flows/write/own-ids.ts';
import { parseTags, requireVersion } from '../../../../server/flows/write/preconditions.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

describe('If-Match and If-None-Match (FHIR R4 http.html#concurrency, RFC 9110 section 13.1)', () => {
  it('are lists of weak or strong tags that name versions', () => {
    const read = (text: string) => parseTags(text, 'If-Match');
    expect(['W/"3"', '"3"', 'W/"1", "2"', '*', '', ' '].map(read)).to.deep.equal([
      [3],
      [3],
      [1, 2],
      '*',
      undefined,
      undefined,
    ]);
    for (const text of ['3', 'W/3', 'W/"a"', '"0"', 'W/"1",', 'w/"1"', '*, W/"1"', '"1"'.repeat(3)])
      expect(faultOf(() => read(text)).kind, text).to.equal('invalid');
    const tags = (count: number): string => Array<string>(count).fill('"1"').join();
    expect(read(tags(100))).to.have.length(100);
    expect(faultOf(() => read(tags(101))).kind).to.equal('invalid');
  });

  it('are compared with the version that stands, or with none', () => {
    const holds = (tags: object, version: number | undefined): boolean => {
      try {
        requireVersion({ type: 'Patient', ...tags }, version);
        return true;
      } catch {
        return false;
      }
    };
    expect([1, 2, undefined].map((version) => holds({ ifMatch: [2, 3] }, version))).to.deep.equal([false, true, false]);
    expect([1, undefined].map((version) => holds({ ifMatch: '*' }, version))).to.deep.equal([true, false]);
    expect([1, undefined].map((version) => holds({ ifNoneMatch: '*' }, version))).to.deep.equal([false, true]);
    expect([1, 2].map((version) => holds({ ifNoneMatch: [1] }, version))).to.deep.equal([false, true]);
  });
});

describe('Ids under an establishment’s own prefix', () => {
  it('are of the establishment with the longest prefix', () => {
    const names = ['Organization/a', 'Organization/a.b', 'Organization/ab'];
    const owners = ['a.1', 'a.b.1', 'a.b', 'ab.1', 'a', 'a1', 'b.1', ''].map((id) => ownerOfId(names, id));
    expect(owners).to.deep.equal([
      'Organization/a',
      'Organization/a.b',
      'Organization/a',
      'Organization/ab',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
