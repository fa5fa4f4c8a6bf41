import { expect } from 'chai';
import { MAX_OPERATIONS, patched, readPatch } from '../../profiles/json-patch.ts';
import { faultOf } from '../support/thrown-fault.ts';

describe('JSON Patch (RFC 6902)', () => {
  const apply = (document: object, ...operations: object[]): unknown => patched(document, readPatch(operations));
  const refusal = (document: object, ...operations: object[]): string =>
    faultOf(() => apply(document, ...operations)).kind;

  it('adds, removes, replaces, moves, copies and tests', () => {
    const before = { a: [1, 2], b: { 'c/d': 'x', 'e~f': 'y' } };
    const after = apply(
      before,
      { op: 'test', path: '/b/c~1d', value: 'x' },
      { op: 'add', path: '/a/1', value: 9 },
      { op: 'add', path: '/a/-', value: 3 },
      { op: 'add', path: '/a/4', value: 4 },
      { op: 'remove', path: '/a/0' },
      { op: 'replace', path: '/b/e~0f', value: 'z' },
      { op: 'copy', from: '/b', path: '/g' },
      { op: 'move', from: '/b', path: '/h' },
    );
    expect(after).to.deep.equal({
      a: [9, 2, 3, 4],
      g: { 'c/d': 'x', 'e~f': 'z' },
      h: { 'c/d': 'x', 'e~f': 'z' },
    });
    expect(before, 'what is patched is a copy').to.deep.equal({ a: [1, 2], b: { 'c/d': 'x', 'e~f': 'y' } });
  });

  it('refuses places that are not there, as RFC 6902 section 4 has it', () => {
    const document = { a: [1, 2], b: 'text' };
    for (const path of ['/a/2', '/a/-', '/a/x', '/a/01', '/a/1e0', '/b/0', '/c/d', '/c'])
      expect(refusal(document, { op: 'replace', path, value: 0 }), path).to.equal('invalid');
    for (const path of ['/a/3', '/a/-1', '/a/x', '/b/0', '/c/d'])
      expect(refusal(document, { op: 'add', path, value: 0 }), path).to.equal('invalid');
    expect(refusal(document, { op: 'move', from: '/c', path: '/d' })).to.equal('invalid');
    expect(refusal(document, { op: 'test', path: '/b', value: 'other' })).to.equal('conflict');
  });

  it('reaches no member that is not of the document', () => {
    for (const path of ['/__proto__/x', '/constructor/prototype/x', '/a/__proto__/x', '/toString'])
      expect(refusal({ a: {} }, { op: 'replace', path, value: 1 }), path).to.equal('invalid');
    expect(({} as { x?: unknown }).x).to.equal(undefined);
  });

  it('refuses what is no patch', () => {
    const odd: unknown[] = [undefined, {}, [], [null], ['x'], [{ op: 'add', path: 'a', value: 1 }]];
    for (const body of odd) expect(faultOf(() => readPatch(body)).kind).to.equal('invalid');
    const many = Array.from({ length: MAX_OPERATIONS + 1 }, () => ({ op: 'test', path: '/a', value: 1 }));
    expect(faultOf(() => readPatch(many)).kind).to.equal('too-costly');
  });
});
