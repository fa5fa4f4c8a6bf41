/** How often a comparison is made, and in which order. */
import { spawnSync } from 'node:child_process';

/** Rounds of a comparison: `PASSERELLE_BENCH_ROUNDS`, else 3. */
export const ROUNDS = Number(process.env['PASSERELLE_BENCH_ROUNDS'] ?? 3);

/** Measures everything in turn, so many rounds; nobody is always first, and each begins with an empty write queue. */
export async function alternate<Name, Measured>(
  names: readonly Name[],
  rounds: number,
  measure: (name: Name) => Promise<Measured>,
): Promise<ReadonlyMap<Name, readonly Measured[]>> {
  const measured = new Map<Name, Measured[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of [...names.slice(round % names.length), ...names.slice(0, round % names.length)]) {
      spawnSync('sync');
      measured.get(name)?.push(await measure(name));
    }
  }
  return measured;
}
