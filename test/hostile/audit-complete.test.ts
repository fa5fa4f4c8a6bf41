/** Whatever servers began to answer before they were killed is in the trail; `prove -- audit` kills more often. */
import { expect } from 'chai';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { EACH_STORE } from '../support/peers/each-store.ts';
import { killWhileRead } from './audit-complete/rounds.ts';

const KILLS: Readonly<Record<string, number>> = { SQLite: 5, MongoDB: 1 };

describe('The trail of servers that are killed (SIGKILL) while they are read', function () {
  this.timeout(300_000);

  for (const { name, missing, open } of EACH_STORE)
    it(`M06 has the event of each answer that began, on every door, and is whole, on ${name}`, async function () {
      if (!hasProgram('storescu') || missing() !== undefined) this.skip();
      const [kills = 0, seed] = [KILLS[name], Date.now() % 2 ** 31];
      const { store, close } = await open();
      try {
        const counts = await killWhileRead({ store, kills, seed });
        process.stdout.write(`${name}, seed ${seed}: ${JSON.stringify(counts)}\n`);
        expect(counts.answers).to.be.greaterThan(10 * kills);
        expect(counts.events).to.be.at.least(counts.answers - counts.ofViewings);
      } finally {
        await close();
      }
    });
});
