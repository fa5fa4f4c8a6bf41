/** Whatever a server began to answer before it was killed is in the trail; `prove -- audit` kills more often. */
import { expect } from 'chai';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { killWhileRead } from './audit-complete/rounds.ts';

const KILLS = 5;

describe('The trail of a server that is killed (SIGKILL) while it is read', function () {
  this.timeout(KILLS * 60_000);

  it('M06 has the event of each answer that began, on every door, and is whole', async function () {
    if (!hasProgram('storescu')) this.skip();
    const seed = Date.now() % 2 ** 31;
    const counts = await killWhileRead({ kills: KILLS, seed });
    process.stdout.write(`seed ${seed}: ${JSON.stringify(counts)}\n`);
    expect(counts.answers).to.be.greaterThan(10 * KILLS);
    expect(counts.events).to.be.at.least(counts.answers - counts.ofViewings);
  });
});
