import { expect } from 'chai';
import { contradictionBetween, indexVerdicts } from '../../../profiles/identity/contradiction.ts';
import { settle } from '../../../profiles/identity/who-is-who.ts';
import { arrive, identity, idsOf, number, oldNumber } from './identities.ts';

const same = (one: string, other: string): { one: string; other: string; same: boolean } => ({
  one,
  other,
  same: true,
});
const notSame = (one: string, other: string): { one: string; other: string; same: boolean } => ({
  ...same(one, other),
  same: false,
});

describe('Who is who: what joins', () => {
  it('a qualified number of both, when traits agree', () => {
    expect(idsOf(arrive([identity('a', ['INS:1']), identity('b', ['INS:1'])]).clusters)).to.deep.equal(['a b']);
    expect(idsOf(arrive([identity('a', ['INS:1']), identity('b', ['INS:2'])]).clusters)).to.deep.equal(['a', 'b']);
  });

  it('no number that is not qualified on both sides', () => {
    const unsure = number('INS:1', { isQualified: false });
    const { clusters, reviews } = arrive([identity('a', ['INS:1']), identity('b', [unsure]), identity('c', [unsure])]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b', 'c']);
    expect(reviews).to.deep.equal([]);
  });

  it('no identity that a further code of its reliability bars', () => {
    const all = [identity('a', ['INS:1']), identity('b', ['INS:1'], { isBarred: true })];
    expect(arrive(all)).to.deep.include({ reviews: [] });
    expect(idsOf(arrive(all).clusters)).to.deep.equal(['a', 'b']);
    expect(idsOf(arrive(all, [same('a', 'b')]).clusters)).to.deep.equal(['a b']);
  });

  it('two identifiers of one establishment with one number, as any others', () => {
    expect(idsOf(arrive(['a', 'b', 'c'].map((id) => identity(id, ['INS:1']))).clusters)).to.deep.equal(['a b c']);
  });

  it('a number that waited (NIA) and the one of the register (NIR), by who bears both', () => {
    const [nia, nir] = [identity('nia', ['NIA:7']), identity('nir', ['NIR:1'])];
    expect(idsOf(arrive([nia, nir]).clusters)).to.deep.equal(['nia', 'nir']);
    const both = identity('both', ['NIR:1', oldNumber('NIA:7')]);
    expect(idsOf(arrive([nia, nir, both]).clusters)).to.deep.equal(['both nia nir']);
  });

  it('INS and matricule, by a source that is declared for both', () => {
    const all = [identity('fr', ['INS:1']), identity('lu', ['MAT:1'])];
    const near = [number('INS:1'), number('MAT:1', { isQualified: false })];
    expect(idsOf(arrive([...all, identity('one', near)]).clusters)).to.deep.equal(['fr one', 'lu']);
    expect(idsOf(arrive([...all, identity('both', ['INS:1', 'MAT:1'])]).clusters)).to.deep.equal(['both fr lu']);
  });

  it('the person is that of the oldest identity, in whatever order they are named', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => identity(id, ['INS:1']));
    const { clusters } = settle({ clusters: [], changed: [c, b, a].flatMap((one) => one ?? []), verdicts: [] });
    expect(clusters.map((all) => all.map(({ id }) => id))).to.deep.equal([['a', 'b', 'c']]);
  });
});

describe('Who is who: what contradicts', () => {
  const contradicting: Record<string, Parameters<typeof identity>[2]> = {
    'a homonym of another birth date': { traits: { birthDate: '1970-03-20' } },
    'a wrongly typed number, which is a relative’s': { traits: { firstGivenNames: ['paul'] } },
    'a number of somebody else': {
      traits: { families: ['durand'], firstGivenNames: ['ines'], birthDate: '1990-01-01' },
    },
    'another sex': { traits: { gender: 'female' } },
    'a newborn without a first name': { traits: { firstGivenNames: [] } },
    'a twin, of whom only the first given name is known': { traits: { isOneOfSeveral: true, birthPlace: '75112' } },
  };
  for (const [what, more] of Object.entries(contradicting)) {
    it(`${what}: both stand, and a review names them and the rule`, () => {
      const { clusters, reviews } = arrive([identity('a', ['INS:1']), identity('b', ['INS:1'], more)]);
      expect(idsOf(clusters)).to.deep.equal(['a', 'b']);
      expect(reviews).to.deep.equal([{ one: 'b', other: 'a', rule: 'traits' }]);
    });
  }

  it('two current values of one system; an old one finds and joins', () => {
    const stands = identity('a', ['INS:1', 'MAT:1']);
    const other = arrive([stands, identity('b', ['INS:2', 'MAT:1'])]);
    expect(idsOf(other.clusters)).to.deep.equal(['a', 'b']);
    expect(other.reviews).to.deep.equal([{ one: 'b', other: 'a', rule: 'numbers' }]);
    const later = identity('c', ['INS:2', oldNumber('INS:1')], { traits: { gender: 'female' } });
    expect(idsOf(arrive([stands, later]).clusters)).to.deep.equal(['a c']);
    expect(idsOf(arrive([later], [], other.clusters).clusters), 'the sex of b contradicts').to.deep.equal([
      'a',
      'b',
      'c',
    ]);
  });

  it('a change of sex is no contradiction where one knows the number that followed', () => {
    const before = identity('before', ['INS:1']);
    const both = identity('both', [oldNumber('INS:1'), 'INS:2'], { traits: { gender: 'female' } });
    const after = identity('after', ['INS:2'], { traits: { gender: 'female' } });
    for (const all of [
      [before, both, after],
      [after, before, both],
      [both, after, before],
    ])
      expect(idsOf(arrive(all).clusters)).to.deep.equal(['after before both']);
  });

  it('a number that one knows as old alone finds whoever bears it, of whatever sex', () => {
    const before = identity('b', [oldNumber('INS:1')], { traits: { gender: 'female' } });
    expect(idsOf(arrive([identity('a', ['INS:1']), before]).clusters)).to.deep.equal(['a b']);
  });

  it('who calls a number old without a current one contradicts no other number', () => {
    const former = identity('a', [oldNumber('INS:1'), 'MAT:1']);
    expect(idsOf(arrive([former, identity('b', ['INS:2', 'MAT:1'])]).clusters)).to.deep.equal(['a b']);
  });

  it('every identity of the person counts, not the first alone', () => {
    const all = [
      identity('a', ['INS:1']),
      identity('b', ['INS:1'], { traits: { families: ['martin', 'durand'] } }),
      identity('c', ['INS:1'], { traits: { families: ['durand'] } }),
    ];
    const { clusters, reviews } = arrive(all);
    expect(idsOf(clusters)).to.deep.equal(['a b', 'c']);
    expect(reviews).to.deep.equal([{ one: 'c', other: 'a', rule: 'traits' }]);
  });

  it('numbers that lead to two persons join neither, and neither is joined from the other side later (A2)', () => {
    const [a, b] = [identity('a', ['INS:1']), identity('b', ['MAT:1'], { traits: { families: ['durand'] } })];
    const newcomer = identity('x', ['INS:1', 'MAT:1']);
    const { clusters, reviews } = arrive([a, b, newcomer]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b', 'x']);
    expect(reviews).to.deep.equal([
      { one: 'x', other: 'a', rule: 'two-persons' },
      { one: 'x', other: 'b', rule: 'traits' },
    ]);
    const again = settle({ clusters, changed: [a], verdicts: [] });
    expect(idsOf(again.clusters)).to.deep.equal(['a', 'b', 'x']);
  });

  it('a number that two persons bear joins nothing more', () => {
    const all = [identity('a', ['INS:1']), identity('b', ['INS:1'], { traits: { families: ['durand'] } })];
    const { clusters, reviews } = arrive([...all, identity('c', ['INS:1'])]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b', 'c']);
    expect(reviews.slice(1)).to.deep.equal([
      { one: 'c', other: 'a', rule: 'two-persons' },
      { one: 'c', other: 'b', rule: 'traits' },
    ]);
  });

  it('a number that two persons bear joins nothing more, though it led to two alone who agree', () => {
    const other = identity('z', ['INS:1'], { traits: { families: ['durand'] } });
    const two = ['a', 'b'].map((id) => identity(id, ['INS:1', 'MAT:1']));
    const { clusters } = arrive([other, ...two, identity('x', ['MAT:1'])]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b', 'x', 'z']);
  });
});

describe('Who is who: what the desk says', () => {
  it('“same” joins whatever the traits and numbers, and what agrees with one of the two then joins both', () => {
    const adopted = identity('b', ['INS:2'], { traits: { families: ['durand'], birthDate: '1971-01-01' } });
    const all = [identity('a', ['INS:1']), adopted, identity('c', ['INS:1'])];
    expect(idsOf(arrive(all, [same('a', 'b')]).clusters)).to.deep.equal(['a b c']);
    const stranger = identity('x', ['INS:1'], { traits: { families: ['petit'] } });
    expect(idsOf(arrive([...all, stranger], [same('a', 'b')]).clusters)).to.deep.equal(['a b c', 'x']);
  });

  it('a person that an identity without qualified numbers was joined to is open to nobody by that', () => {
    const bare = identity('bare', []);
    const stranger = identity('x', ['INS:1'], { traits: { families: ['petit'] } });
    const { clusters } = arrive([identity('a', ['INS:1']), bare, stranger], [same('a', 'bare')]);
    expect(idsOf(clusters)).to.deep.equal(['a bare', 'x']);
  });

  it('“not same” keeps apart what numbers join, and of two verdicts the last counts', () => {
    const all = [identity('a', ['INS:1']), identity('b', ['INS:1'])];
    const { clusters, reviews } = arrive(all, [notSame('b', 'a')]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b']);
    expect(reviews).to.deep.equal([{ one: 'b', other: 'a', rule: 'verdict' }]);
    expect(idsOf(arrive(all, [notSame('a', 'b'), same('b', 'a')]).clusters)).to.deep.equal(['a b']);
  });

  it('“not same” separates, and its end joins again; what a “same” alone had joined parts with it', () => {
    const [a, b, c] = [identity('a', ['INS:1']), identity('b', ['INS:1']), identity('c', ['INS:9'])];
    const joined = arrive([a, b, c], [same('b', 'c')]);
    expect(idsOf(joined.clusters)).to.deep.equal(['a b c']);
    const verdicts = [notSame('a', 'b')];
    const parted = settle({ clusters: joined.clusters, changed: [a, b, c], verdicts });
    expect(idsOf(parted.clusters)).to.deep.equal(['a', 'b', 'c']);
    const back = settle({ clusters: parted.clusters, changed: [a, b, c], verdicts: [] });
    expect(idsOf(back.clusters)).to.deep.equal(['a b', 'c']);
  });

  it('“same” that ends leaves nobody with whom it alone had made one, though they bear one number', () => {
    const a = identity('a', ['INS:1']);
    const other = identity('b', ['INS:1'], { traits: { gender: 'female' } });
    const before = arrive([a, other, identity('c', ['INS:1'])], [notSame('a', 'b')]);
    expect(idsOf(before.clusters)).to.deep.equal(['a', 'b', 'c']);
    const joined = settle({ clusters: before.clusters, changed: [a, other], verdicts: [same('a', 'b')] });
    expect(idsOf(joined.clusters)).to.deep.equal(['a b c']);
    for (const verdicts of [[notSame('a', 'b')], []]) {
      const parted = settle({ clusters: joined.clusters, changed: [a, other], verdicts });
      expect(idsOf(parted.clusters)).to.deep.equal(idsOf(before.clusters));
    }
  });

  it('“same” joins nobody over a “not same”, until that goes', () => {
    const all = [identity('b', ['INS:1']), identity('c', ['INS:1']), identity('d', [])];
    const verdicts = [same('d', 'c'), notSame('b', 'd')];
    const { clusters } = arrive(all, verdicts);
    expect(idsOf(clusters)).to.deep.equal(['b c', 'd']);
    expect(idsOf(settle({ clusters, changed: [], removed: ['b'], verdicts }).clusters)).to.deep.equal(['c d']);
  });

  it('who says the same again stays, though a “same” names somebody whom a “not same” keeps from the others', () => {
    const all = [identity('b', ['INS:1']), identity('c', ['INS:1']), identity('d', [])];
    const verdicts = [same('d', 'c'), notSame('b', 'd')];
    const { clusters } = arrive(all, verdicts);
    for (const changed of all)
      expect(idsOf(settle({ clusters, changed: [changed], verdicts }).clusters), changed.id).to.deep.equal([
        'b c',
        'd',
      ]);
  });

  it('what a verdict excuses stays when the same is said again, though somebody else claims the number now', () => {
    const twin = identity('b', ['INS:1'], { traits: { isOneOfSeveral: true } });
    const named = identity('d', ['MAT:1']);
    const verdicts = [same('d', 'b')];
    const other = identity('c', ['INS:1', 'MAT:1'], { traits: { gender: 'female' } });
    const { clusters } = arrive([identity('a', ['INS:1']), twin, named, other], verdicts);
    expect(idsOf(clusters)).to.deep.equal(['a b d', 'c']);
    expect(idsOf(settle({ clusters, changed: [named], verdicts }).clusters)).to.deep.equal(['a b d', 'c']);
  });

  it('a new number joins nobody from whom the number of a “same” is kept apart', () => {
    const twin = identity('b', ['INS:1'], { traits: { isOneOfSeveral: true } });
    const bare = identity('a', []);
    const all = [bare, twin, identity('c', ['INS:1', 'MAT:1']), identity('d', ['INS:1'])];
    const verdicts = [same('a', 'd')];
    const { clusters } = arrive(all, verdicts);
    expect(idsOf(clusters)).to.deep.equal(['a d', 'b', 'c']);
    const says = { ...bare, numbers: [number('MAT:1')] };
    expect(idsOf(settle({ clusters, changed: [says], verdicts }).clusters)).to.deep.equal(['a d', 'b', 'c']);
  });
});

describe('Who is who: what changes', () => {
  it('a lowered number ends the joins that rested on it alone, and qualified again it joins again', () => {
    const [a, link, c] = [identity('a', ['INS:1']), identity('link', ['INS:1', 'MAT:1']), identity('c', ['MAT:1'])];
    const { clusters } = arrive([a, link, c]);
    expect(idsOf(clusters)).to.deep.equal(['a c link']);
    const lowered = { ...link, numbers: link.numbers.map((one) => ({ ...one, isQualified: false })) };
    const after = settle({ clusters, changed: [lowered], verdicts: [] });
    expect(idsOf(after.clusters)).to.deep.equal(['a', 'c', 'link']);
    expect(idsOf(settle({ ...after, changed: [link], verdicts: [] }).clusters)).to.deep.equal(['a c link']);
  });

  it('a corrected number goes to the person it is of', () => {
    const { clusters } = arrive([identity('a', ['INS:1']), identity('b', ['INS:2']), identity('x', ['INS:1'])]);
    const after = settle({ clusters, changed: [identity('x', ['INS:2'])], verdicts: [] });
    expect(idsOf(after.clusters)).to.deep.equal(['a', 'b x']);
  });

  it('when a contradiction goes away, what it kept apart joins', () => {
    const typo = identity('a', ['INS:1'], { traits: { birthDate: '1970-03-20' } });
    const { clusters } = arrive([typo, identity('b', ['INS:1']), identity('c', ['INS:1'])]);
    expect(idsOf(clusters)).to.deep.equal(['a', 'b', 'c']);
    const mended = settle({ clusters, changed: [{ ...identity('a', ['INS:1']), since: typo.since }], verdicts: [] });
    expect(idsOf(mended.clusters)).to.deep.equal(['a b c']);
    expect(idsOf(settle({ clusters, changed: [], removed: ['a'], verdicts: [] }).clusters)).to.deep.equal(['b c']);
  });

  it('when who explained two current numbers goes, they part again', () => {
    const [a, b] = [identity('a', ['INS:1', 'MAT:1']), identity('b', ['INS:2', 'MAT:1'])];
    const { clusters } = arrive([a, b, identity('x', [oldNumber('INS:1'), 'INS:2'])]);
    expect(idsOf(clusters)).to.deep.equal(['a b x']);
    expect(idsOf(settle({ clusters, changed: [], removed: ['x'], verdicts: [] }).clusters)).to.deep.equal(['a', 'b']);
  });

  it('who explained them stays with the one that it still leads to', () => {
    const [a, b] = [identity('a', ['INS:1', 'MAT:1']), identity('b', ['INS:2', 'MAT:1'])];
    const both = identity('x', [oldNumber('INS:1'), 'INS:2']);
    const { clusters, reviews } = settle({ clusters: [], changed: [a, b, both], verdicts: [] });
    expect(idsOf(clusters)).to.deep.equal(['a b x']);
    expect(reviews, 'what joined after all needs no review').to.deep.equal([]);
    const after = settle({ clusters, changed: [{ ...both, numbers: [number('INS:1')] }], verdicts: [] });
    expect(idsOf(after.clusters)).to.deep.equal(['a x', 'b']);
  });

  it('what somebody kept apart joins when she goes, though a further number of the person is claimed elsewhere', () => {
    const named = (...families: string[]): { traits: { families: string[] } } => ({ traits: { families } });
    const all = [
      identity('a', ['INS:1', 'IPP:1'], named('martin', 'durand')),
      identity('a3', ['IPP:1', 'MAT:1'], named('martin', 'durand')),
      identity('t', ['INS:1'], named('durand')),
      identity('b', ['INS:1'], named('martin')),
      identity('e', ['MAT:1'], named('petit')),
    ];
    const { clusters } = arrive(all);
    expect(idsOf(clusters)).to.deep.equal(['a a3 t', 'b', 'e']);
    expect(idsOf(settle({ clusters, changed: [], removed: ['t'], verdicts: [] }).clusters)).to.deep.equal([
      'a a3 b',
      'e',
    ]);
  });
});

describe('Who is who: what one sender cannot do', () => {
  const [p, q] = [identity('p', ['INS:1', 'MAT:1']), identity('q', ['INS:1'])];
  const joined = arrive([p, q]).clusters;

  it('part two others: it leaves alone whatever it says', () => {
    const attacker = identity('x', ['INS:1']);
    const { clusters } = arrive([attacker], [], joined);
    expect(idsOf(clusters)).to.deep.equal(['p q x']);
    for (const says of [
      identity('x', ['INS:1'], { traits: { families: ['petit'] } }),
      identity('x', ['INS:2', 'MAT:1']),
      identity('x', [oldNumber('INS:1'), 'INS:2', number('MAT:2')]),
      identity('x', [], { isBarred: true }),
    ]) {
      const after = settle({ clusters, changed: [{ ...says, since: 0 }], verdicts: [] });
      expect(idsOf(after.clusters)).to.deep.equal(['p q', 'x']);
    }
  });

  it('part two others by what it said before one of them says the same once more', () => {
    const { clusters } = arrive([identity('x', ['INS:1', 'MAT:1'], { traits: { families: ['petit'] } })], [], joined);
    for (const again of [p, q])
      expect(idsOf(settle({ clusters, changed: [again], verdicts: [] }).clusters)).to.deep.equal(['p q', 'x']);
  });

  it('join two whose current numbers contradict by calling one old, without the one that followed', () => {
    const other = identity('o', ['INS:2', 'MAT:1']);
    const apart = arrive([other], [], joined).clusters;
    expect(idsOf(apart)).to.deep.equal(['o', 'p q']);
    expect(idsOf(arrive([identity('x', [oldNumber('INS:1')])], [], apart).clusters)).to.deep.equal(['o', 'p q x']);
    const woman = identity('w', ['MAT:1'], { traits: { gender: 'female' } });
    const former = identity('x', [oldNumber('INS:1')], { traits: { gender: undefined } });
    expect(idsOf(arrive([woman, former], [], joined).clusters)).to.deep.equal(['p q x', 'w']);
    expect(idsOf(arrive([former, woman], [], joined).clusters)).to.deep.equal(['p q x', 'w']);
  });

  it('make the server read without end: where not all was read nothing new joins, and what stands stays', () => {
    const partial = settle({ clusters: joined, changed: [identity('x', ['INS:1'])], verdicts: [], isPartial: true });
    expect(idsOf(partial.clusters)).to.deep.equal(['p q', 'x']);
    expect(partial.reviews).to.deep.equal([{ one: 'x', other: 'p', rule: 'two-persons' }]);
    const { clusters } = partial;
    expect(idsOf(settle({ clusters, changed: [q], verdicts: [], isPartial: true }).clusters)).to.deep.equal([
      'p q',
      'x',
    ]);
    const named = settle({ clusters, changed: [p, q], verdicts: [same('p', 'x')], isPartial: true });
    expect(idsOf(named.clusters)).to.deep.equal(['p q x']);
  });

  it('make the server think without end by many merges: what verdicts lead to is worked out once', () => {
    const merged = Array.from({ length: 60 }, (_one, at) =>
      identity(`m${at}`, ['INS:1'], { traits: { families: [`name${at}`] } }),
    );
    const verdicts = indexVerdicts(merged.slice(1).map(({ id }) => same(id, 'm0')));
    let asked = 0;
    const sameAs = (id: string): readonly string[] => {
      asked += 1;
      return verdicts.sameAs(id);
    };
    const singles = merged.map((one) => [one]);
    expect(contradictionBetween(singles, { ...verdicts, sameAs })).to.equal(undefined);
    expect(asked).to.be.at.most(2 * merged.length);
  });

  it('join two others whose traits do not agree by traits of its own that agree with both', () => {
    const other = identity('o', ['INS:2'], { traits: { families: ['durand'] } });
    const both = identity('x', ['MAT:1', oldNumber('INS:1'), 'INS:2'], { traits: { families: ['martin', 'durand'] } });
    const { clusters } = arrive([other, both], [], joined);
    expect(idsOf(clusters)).to.deep.equal(['o', 'p q', 'x']);
  });
});
