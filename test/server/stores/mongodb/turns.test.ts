/** Turns of work on the same keys in one process. */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { Turns } from '../../../../server/stores/mongodb/write/turns.ts';

const SHORT_MS = 50;
const KEYS = new Set(['person']);

describe('Turns on MongoDB', () => {
  it('are busy for who would wait too long, and has done nothing; who is behind waits on', async function () {
    this.timeout(5_000);
    const turns = new Turns(SHORT_MS);
    const long = Promise.withResolvers<void>();
    const done: string[] = [];
    const first = turns.take(KEYS, async () => {
      await long.promise;
      done.push('first');
    });
    const late = await turns.take(KEYS, async () => void done.push('late')).catch((error: unknown) => error);
    expect(late).to.be.instanceOf(Fault).and.to.include({ kind: 'transient' });
    const third = turns.take(KEYS, async () => void done.push('third'));
    await turnOfOthers();
    expect(done).to.deep.equal([]);
    long.resolve();
    await Promise.all([first, third]);
    await turns.take(KEYS, async () => void done.push('fourth'));
    expect(done).to.deep.equal(['first', 'third', 'fourth']);
  });
});
