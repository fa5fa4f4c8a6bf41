/** Sequences of what honest, careless and hostile senders and desks do, in any order. */
import * as fc from 'fast-check';

/** Establishments of the demonstration; the last one does not qualify the French number. */
export const ESTABLISHMENT_KEYS = ['strasbourg', 'nancy', 'luxembourg'] as const;

/** One of them. */
export type Establishment = (typeof ESTABLISHMENT_KEYS)[number];

/** An identity: a patient's number `at` an establishment. */
export type Whose = { readonly at: Establishment; readonly number: number };

/** What a feed says. `national`: which number she bears, `into`: the number at the same establishment that she is. */
export type Feed = {
  readonly does: 'feed';
  readonly of: Whose;
  readonly traits: number;
  readonly national: number | null;
  readonly status: 'QUAL' | 'VALI' | 'PROV';
  readonly into: number | null;
};

/** A desk says that two are one, or are not; or somebody who is no desk tries to. */
export type Judge = {
  readonly does: 'join' | 'separate';
  readonly one: Whose;
  readonly other: Whose;
  readonly by: 'desk' | 'stranger' | 'establishment';
};

/** An exam is taken to another person, by the desk or by an establishment. */
export type Move = {
  readonly does: 'move';
  readonly study: number;
  readonly to: Whose;
  readonly by: 'desk' | Establishment;
};

/** What is kept aside of a study is released by the desk, or discarded by its sender. */
export type Clear = { readonly does: 'release' | 'discard'; readonly study: number };

/**
 * An establishment sends an instance of a patient of its own; `as`: the very one that this establishment sends of its
 * patient of the same number.
 */
export type Image = {
  readonly does: 'image';
  readonly of: Whose;
  readonly study: number;
  readonly instance: number;
  readonly as?: Establishment;
};

/** One thing that is done. */
export type Step =
  | Feed
  | Judge
  | Move
  | Clear
  | Image
  | { readonly does: 'report'; readonly of: Whose; readonly study: number; readonly isFinal: boolean }
  | { readonly does: 'declare'; readonly of: Whose }
  | { readonly does: 'erase'; readonly study: number }
  /** A feed that names a patient by the number of another establishment. */
  | { readonly does: 'usurp'; readonly by: Establishment; readonly of: Whose }
  /** Something is done by mistake, and undone. */
  | { readonly does: 'err'; readonly mistake: Feed | Judge | Move };

const whose: fc.Arbitrary<Whose> = fc.record({
  at: fc.constantFrom('strasbourg', 'strasbourg', 'nancy', 'nancy', 'luxembourg'),
  number: fc.nat(1),
});
const study = fc.nat(1);

const feed: fc.Arbitrary<Feed> = fc.record({
  does: fc.constant('feed' as const),
  of: whose,
  // Mostly honest: the number says who it is.
  traits: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(2) }),
  national: fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.constant(null) }),
  status: fc.constantFrom('QUAL', 'QUAL', 'QUAL', 'VALI', 'PROV'),
  into: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(1) }),
});

const judge: fc.Arbitrary<Judge> = fc.record({
  does: fc.constantFrom('join', 'separate'),
  one: whose,
  other: whose,
  by: fc.constantFrom('desk', 'desk', 'desk', 'stranger', 'establishment'),
});

const move: fc.Arbitrary<Move> = fc.record({
  does: fc.constant('move' as const),
  study,
  to: whose,
  by: fc.constantFrom('desk', ...ESTABLISHMENT_KEYS),
});

const image: fc.Arbitrary<Image> = fc
  .record({
    does: fc.constant('image' as const),
    of: whose,
    study,
    instance: fc.nat(1),
    as: fc.option(fc.constantFrom(...ESTABLISHMENT_KEYS), { freq: 2, nil: undefined }),
  })
  .map(({ as, ...sent }) => (as === undefined ? sent : { ...sent, as }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: feed },
  { weight: 6, arbitrary: image },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('report' as const), of: whose, study, isFinal: fc.boolean() }),
  },
  { weight: 3, arbitrary: judge },
  { weight: 1, arbitrary: move },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('release', 'discard'), study }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('declare' as const), of: whose }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('erase' as const), study }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('usurp' as const),
      by: fc.constantFrom(...ESTABLISHMENT_KEYS),
      of: whose,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('err' as const), mistake: fc.oneof(feed, judge, move) }),
  },
);

/** What most of what follows rests on: two sources feed somebody, and send an exam. */
const beginning: fc.Arbitrary<readonly Step[]> = fc.array(fc.oneof(feed, image), { maxLength: 6, size: 'max' });

/** Two send of one study, each of a patient of its own: instances or reports alone; and a desk says who these are. */
const contested: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    whose,
    whose,
    fc.boolean(),
    fc.array(fc.constantFrom('join', 'separate', 'report', 'err', 'release', 'same'), { maxLength: 4 }),
  )
  .map(([one, other, isReader, then]) => [
    { does: 'image', of: one, study: 0, instance: 0 },
    { does: 'image', of: other, study: isReader ? 1 : 0, instance: 1 },
    ...then.map((does): Step => {
      if (does === 'report') return { does, of: other, study: 0, isFinal: true };
      if (does === 'release') return { does, study: 0 };
      if (does === 'same') return { does: 'image', of: { ...one, at: other.at }, study: 0, instance: 0, as: one.at };
      if (does === 'err') return { does, mistake: { does: 'join', one, other, by: 'desk' } };
      return { does, one, other, by: 'desk' };
    }),
  ]);

/** Sequences. */
export const sequences: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.oneof(beginning, contested),
    fc.array(step, { maxLength: 7, size: 'max' }),
    fc.oneof(fc.constant([]), contested),
    fc.array(step, { maxLength: 6, size: 'max' }),
  )
  .map((parts) => parts.flat());
