import { expect } from 'chai';
import { Scratch } from '../../../server/rendering/scratch.ts';

const MEBIBYTE = 1024 * 1024;

describe('Memory that frames are made in', () => {
  it('is used again for as much or less, once it was given back', () => {
    const scratch = new Scratch();
    const first = scratch.take(1_000);
    scratch.giveBack(first);
    const second = scratch.take(10);
    expect(second.buffer).to.equal(first.buffer);
    expect(second.length).to.equal(10);
    scratch.giveBack(second);
    expect(scratch.take(1_000).buffer).to.equal(first.buffer);
  });

  it('is its taker’s alone until then', () => {
    const scratch = new Scratch();
    scratch.giveBack(scratch.take(1_000));
    const [one, other] = [scratch.take(1_000), scratch.take(1_000)];
    expect(one.buffer).to.not.equal(other.buffer);
  });

  it('does not lie idle where it is large', () => {
    const scratch = new Scratch();
    const large = scratch.take(33 * MEBIBYTE);
    scratch.giveBack(large);
    expect(scratch.take(10).buffer).to.not.equal(large.buffer);
  });
});
