/** 200 kills: runs of 20 on a folder each, as `npm test` does one, side by side. See test/hostile/kill. */
import { killAndCheck, type KillCounts } from '../hostile/kill/rounds.ts';
import type { Proof } from './prove.ts';

const KILLS = 200;
const KILLS_OF_A_RUN = 20;
/** Runs at one time: while one server starts or dies, another is written to. */
const LANES = 2;

/** Kills servers again and again; `PASSERELLE_KILLS` changes how often. Run n repeats with the seed plus n. */
export async function proveKill(seed: number): Promise<Proof> {
  const kills = Number(process.env['PASSERELLE_KILLS'] ?? KILLS);
  const each = Math.min(KILLS_OF_A_RUN, Math.ceil(kills / LANES));
  const runs = Array.from({ length: Math.ceil(kills / each) }, (_, at) => ({
    seed: seed + at,
    kills: Math.min(each, kills - at * each),
  }));
  const total: Record<string, number> = {};
  const lane = async (): Promise<void> => {
    for (let run = runs.shift(); run !== undefined; run = runs.shift()) add(total, await killed(run));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { counts: total };
}

async function killed(run: { readonly seed: number; readonly kills: number }): Promise<KillCounts> {
  try {
    const counts = await killAndCheck(run);
    console.log(JSON.stringify({ seed: run.seed, ...counts }));
    return counts;
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : String(error)} (PASSERELLE_KILL_SEED=${run.seed} repeats the ` +
        `moments of the kills)`,
      { cause: error },
    );
  }
}

function add(total: Record<string, number>, counts: KillCounts): void {
  for (const [name, number] of Object.entries(counts)) total[name] = (total[name] ?? 0) + number;
}
