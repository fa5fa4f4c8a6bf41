import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { readStartArguments } from '../../../server/config/start-arguments.ts';

describe('Arguments of npm start', () => {
  it('are none, or who accepts a restored trail and why', () => {
    expect(readStartArguments([])).to.deep.equal({});
    expect(readStartArguments(['--accept-restored', 'Camille Durand', 'the disk was lost'])).to.deep.equal({
      acceptRestored: { name: 'Camille Durand', reason: 'the disk was lost' },
    });
  });

  for (const args of [
    ['--accept-restored'],
    ['--accept-restored', 'Camille Durand'],
    ['--accept-restored', 'Camille Durand', ' '],
    ['--accept-restored', 'Camille Durand', 'the disk', 'was lost'],
    ['--accept-restored', 'Camille Durand', 'x'.repeat(201)],
    ['--accept', 'x'],
    ['now'],
  ])
    it(`are refused with the usage: ${args.join(' ').slice(0, 60)}`, () => {
      expect(() => readStartArguments(args))
        .to.throw(Fault, 'Usage: npm start')
        .with.property('kind', 'invalid');
    });
});
