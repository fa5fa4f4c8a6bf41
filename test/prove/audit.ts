/** 100 kills of servers that sixteen read: runs of ten on a folder each. See test/hostile/audit-complete. */
import { killWhileRead } from '../hostile/audit-complete/rounds.ts';
import type { Proof } from './prove.ts';

const KILLS = 100;
const KILLS_OF_A_RUN = 10;

/** Kills servers again and again; `PASSERELLE_KILLS` changes how often. Run n repeats with the seed plus n. */
export async function proveAudit(seed: number): Promise<Proof> {
  const kills = Number(process.env['PASSERELLE_KILLS'] ?? KILLS);
  const total: Record<string, number> = {};
  for (let done = 0, run = 0; done < kills; done += KILLS_OF_A_RUN, run += 1) {
    const counts = await killWhileRead({ kills: Math.min(KILLS_OF_A_RUN, kills - done), seed: seed + run });
    console.log(JSON.stringify({ seed: seed + run, ...counts }));
    for (const [name, number] of Object.entries(counts)) total[name] = (total[name] ?? 0) + number;
  }
  return { counts: total };
}
