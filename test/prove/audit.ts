/**
 * Kills of servers that sixteen read: 100 on SQLite, and 20 on MongoDB, of two servers or of one of them. Runs of ten,
 * on a store each. See test/hostile/audit-complete.
 */
import { killWhileRead } from '../hostile/audit-complete/rounds.ts';
import { EACH_STORE } from '../support/peers/each-store.ts';
import type { Proof } from './prove.ts';

const KILLS: Readonly<Record<string, number>> = { SQLite: 100, MongoDB: 20 };
const KILLS_OF_A_RUN = 10;

/** Kills servers again and again; `PASSERELLE_KILLS`: how often on each store. Run n repeats with the seed plus n. */
export async function proveAudit(seed: number): Promise<Proof> {
  const total: Record<string, number> = {};
  for (const { name, missing, open } of EACH_STORE) {
    const why = missing();
    if (why !== undefined) throw new Error(why);
    const kills = Number(process.env['PASSERELLE_KILLS'] ?? KILLS[name]);
    for (let done = 0, run = 0; done < kills; done += KILLS_OF_A_RUN, run += 1) {
      const { store, close } = await open();
      try {
        const ofRun = { store, kills: Math.min(KILLS_OF_A_RUN, kills - done), seed: seed + run };
        const counts = await killWhileRead(ofRun);
        console.log(JSON.stringify({ name, seed: seed + run, ...counts }));
        for (const [kind, count] of Object.entries(counts))
          total[`${kind} on ${name}`] = (total[`${kind} on ${name}`] ?? 0) + count;
      } finally {
        await close();
      }
    }
    if (total[`cut on ${name}`] === 0) throw new Error(`${name}: no answer was cut`);
  }
  return { counts: total };
}
