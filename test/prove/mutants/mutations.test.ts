import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ALWAYS, mutationOf } from './always.ts';
import { EXPLAINED } from './explained.ts';
import { IDENTITY_MUTANTS } from './identity.ts';
import { knownOf } from '../journal.ts';
import { mutate, mutationsOf, nameOf, type Mutation } from './mutations.ts';

/** What becomes of a source, by each of its mutations. */
function mutantsOf(text: string, path = 'server/a.ts'): readonly string[] {
  return mutationsOf(path, text).map((mutation) => mutate(text, mutation));
}

describe('The mutants of the proof', () => {
  it('are each one small mistake', () => {
    expect(mutantsOf('if (known) go();')).to.deep.equal(['if (!(known)) go();']);
    expect(mutantsOf('go(a && b);')).to.deep.equal(['go(a || b);']);
    expect(mutantsOf('go(!a);')).to.deep.equal(['go(a);']);
    expect(mutantsOf('go(a <= b);')).to.deep.equal(['go(a < b);']);
    expect(mutantsOf('await requireScope(a); go(b);')).to.deep.equal(['; go(b);']);
    expect(mutantsOf('if (known) { throw bad; }')).to.deep.equal([';', 'if (!(known)) { throw bad; }']);
    expect(mutantsOf('const f = () => true;')).to.deep.equal(['const f = () => false;']);
    expect(mutantsOf('const f = (a) => a === b;')).to.deep.equal([
      'const f = (a) => true;',
      'const f = (a) => false;',
      'const f = (a) => a !== b;',
    ]);
    expect(mutantsOf('go([a, b]);')).to.deep.equal(['go([b]);', 'go([a]);']);
    expect(mutantsOf('all.every(f); all.filter(f);')).to.deep.equal([
      'all.some(f); all.filter(f);',
      'all.every(f); all;',
    ]);
  });

  it('change the statements and queries of stores', () => {
    const statement = 'go(`SELECT id FROM acl WHERE a = ${b} AND c <= ?`);';
    expect(mutantsOf(statement)).to.deep.equal([]);
    expect(mutantsOf(statement, 'server/stores/sqlite/a.ts')).to.deep.equal([
      'go(`SELECT id FROM acl WHERE a <> ${b} AND c <= ?`);',
      'go(`SELECT id FROM acl WHERE a = ${b} OR c <= ?`);',
      'go(`SELECT id FROM acl WHERE a = ${b} AND c < ?`);',
    ]);
    expect(mutantsOf('go({ $lt: 1 });')).to.deep.equal(['go({ $lte: 1 });']);
  });

  it('leave types and other expressions alone', () => {
    expect(mutantsOf("type A = 'x' | true; const a = b ?? c; go(`a ${b} AND c`);")).to.deep.equal([]);
  });

  it('have names that say where, what and of what', () => {
    const text = 'go(a);\nif (known) go();';
    const [mutation] = mutationsOf('server/a.ts', text);
    expect(nameOf(text, mutation as Mutation)).to.equal('server/a.ts:2:5 negated: known');
  });

  it('that always run or are of who is who stand once in their file, and those that are explained do', async () => {
    const [known] = ALWAYS;
    if (known === undefined) throw new Error('None always runs');
    expect(mutate(`a ${known.from} b`, mutationOf(known, `a ${known.from} b`))).to.equal(`a ${known.to} b`);
    for (const text of ['', `${known.from} ${known.from}`]) expect(() => mutationOf(known, text)).to.throw('once');
    const textOf = async (path: string) => await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
    for (const one of [...ALWAYS, ...IDENTITY_MUTANTS]) mutationOf(one, await textOf(one.path));
    for (const { path, line } of EXPLAINED) expect(await textOf(path), path).to.include(line);
  });

  it('that were killed are not run again while the sources are the same, those that survived are', () => {
    const known = knownOf(
      [
        { name: 'a', outcome: 'survived', commit: '1' },
        { name: 'b', outcome: 'killed', commit: '1' },
        { name: 'c', outcome: 'survived', commit: '2' },
      ],
      '2',
    );
    expect([...known.keys()]).to.deep.equal(['b', 'c']);
  });
});
