/** What was acknowledged survives a kill at any moment; `npm run prove -- kill` kills ten times as often. */
import { expect } from 'chai';
import { killAndCheck } from './kill/rounds.ts';

const KILLS = 20;

describe('A server that is killed (SIGKILL) and started again', function () {
  this.timeout(KILLS * 30_000);

  it('has every acknowledged instance and report once and whole, its trail, its counts, and no orphans', async () => {
    const seed = Number(process.env['PASSERELLE_KILL_SEED'] ?? Date.now() % 2 ** 31);
    try {
      const counts = await killAndCheck({ kills: KILLS, seed });
      expect(counts.instancesAcknowledged).to.be.greaterThan(KILLS);
      expect(counts.reportsAcknowledged).to.be.greaterThan(0);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason} (PASSERELLE_KILL_SEED=${seed} repeats the moments of the kills)`, { cause: error });
    }
  });
});
