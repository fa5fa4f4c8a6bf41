/** What may be said of identities, at random. */
import * as fc from 'fast-check';
import type { Identity, Verdict } from '../../../profiles/identity/identity.ts';
import type { NationalNumber } from '../../../profiles/identity/national-numbers.ts';
import { number, traits } from './identities.ts';

/** A number that may be old, or not qualified. */
export const anyNumber = fc
  .record({
    name: fc.constantFrom('N:1', 'N:2', 'N:3', 'M:1', 'M:2', 'K:1'),
    isOld: fc.boolean(),
    isQualified: fc.integer({ max: 9, min: 0 }).map((one) => one > 0),
  })
  .map(({ name, ...more }): NationalNumber => number(name, more));

const anyTraits = fc
  .record({
    families: fc.constantFrom(['martin'], ['martin'], ['martin', 'durand'], ['durand']),
    gender: fc.constantFrom('male', 'male', 'female', undefined),
    isOneOfSeveral: fc.constantFrom(false, false, false, true),
  })
  .map((more) => traits(more));

/** What a source may say of somebody. */
export const anySaying = fc.record({
  numbers: fc.uniqueArray(anyNumber, {
    maxLength: 3,
    selector: ({ system, value, isOld }) => (isOld ? system + value : system),
  }),
  traits: anyTraits,
  isBarred: fc.integer({ max: 9, min: 0 }).map((one) => one === 0),
});

/** Ids of identities, the oldest first. */
export const IDS = 'abcdefg'.split('');

/** Identities, each later than those before. */
export const identities = fc
  .array(anySaying, { minLength: 1, maxLength: IDS.length })
  .map((all) => all.map((said, at): Identity => ({ id: IDS[at] ?? '', since: at, ...said })));

/** What a desk may say of two identities. */
export const anyVerdict = fc
  .record({ one: fc.constantFrom(...IDS), other: fc.constantFrom(...IDS), same: fc.boolean() })
  .filter(({ one, other }) => one !== other);

/** What desks have said. */
export const verdicts = fc.oneof(fc.constant<Verdict[]>([]), fc.array(anyVerdict, { maxLength: 3 }));
