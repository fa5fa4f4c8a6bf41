/** 200 kills: see test/hostile/kill. */
import { killAndCheck } from '../hostile/kill/rounds.ts';
import type { Proof } from './prove.ts';

const KILLS = 200;

/** Kills a server again and again; `PASSERELLE_KILLS` changes how often. */
export async function proveKill(seed: number): Promise<Proof> {
  const kills = Number(process.env['PASSERELLE_KILLS'] ?? KILLS);
  const { kills: done, ...counts } = await killAndCheck({ kills, seed, told: (counts) => (counts.kills % 10 === 9 ? console.log(JSON.stringify(counts)) : undefined) });
  return { counts: { kills: done, ...counts } };
}
