import { expect } from 'chai';
import { assert, constantFrom, property, string } from 'fast-check';
import { matchesLike } from '../../../ihe/iti-18/like-pattern.ts';

describe('SQL LIKE patterns of ITI-18 (ITI TF-2 3.18.4.1.2.3.7.1)', () => {
  it('matches as a regular expression of the same meaning does', () => {
    const text = string({ unit: constantFrom('a', 'b', '^'), maxLength: 8 });
    const pattern = string({ unit: constantFrom('a', 'b', '^', '%', '_'), maxLength: 6 });
    assert(
      property(text, pattern, (one, like) => {
        const source = like.replaceAll('^', '\\^').replaceAll('%', '.*').replaceAll('_', '.');
        expect(matchesLike(one, like)).to.equal(new RegExp(`^${source}$`).test(one));
      }),
      { numRuns: 300 },
    );
  });

  it('answers a hostile pattern at once', () => {
    expect(matchesLike('a'.repeat(250), `${'%a'.repeat(120)}%b`)).to.equal(false);
  });
});
