/**
 * Sixteen clients that change who sees an exam and look at it, for minutes: on SQLite, and on MongoDB with two
 * processes. Rounds of one minute follow each other, each with a world of its own. See test/flows/history.
 */
import { checkHistory } from '../flows/history/check-history.ts';
import { EACH_STORE } from '../support/peers/each-store.ts';
import type { Proof } from './prove.ts';

/** In a minute of MongoDB there is less. */
const ROUNDS: Readonly<Record<string, number>> = { SQLite: 5, MongoDB: 10 };
const MILLISECONDS = 60_000;

/**
 * Makes the proof; round n repeats with the seed plus n. `PASSERELLE_HISTORY_ROUNDS`: how many each store has, instead
 * of its own number.
 */
export async function proveHistory(seed: number): Promise<Proof> {
  const total: Record<string, number> = {};
  for (const { name, missing, open } of EACH_STORE) {
    const why = missing();
    if (why !== undefined) throw new Error(why);
    const rounds = Number(process.env['PASSERELLE_HISTORY_ROUNDS'] ?? ROUNDS[name]);
    for (let round = 0; round < rounds; round += 1) {
      const { store, close } = await open();
      try {
        const checked = await checkHistory(store, { milliseconds: MILLISECONDS, seed: seed + round });
        const { counts, faults, lacking } = checked;
        console.log(JSON.stringify({ name, seed: seed + round, ...counts }));
        if (faults.length > 0) throw new Error(`${name}, seed ${seed + round}: ${faults.join('\n')}`);
        if (lacking.length > 0) throw new Error(`${name}, seed ${seed + round}: there was no ${lacking.join(', no ')}`);
        for (const [kind, count] of Object.entries(counts))
          total[`${kind} on ${name}`] = (total[`${kind} on ${name}`] ?? 0) + count;
      } finally {
        await close();
      }
    }
    if (total[`stream cut on ${name}`] === undefined) throw new Error(`${name}: no stream was cut`);
  }
  return { counts: total };
}
