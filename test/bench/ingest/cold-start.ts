/** From the start of the process to its ready line, on an empty data folder. */
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { ROUNDS } from '../support/rounds.ts';
import { startServer } from '../../support/server.ts';

const BUDGET_MS = 2_000;

/** Measures. */
export async function measureColdStart(): Promise<readonly Row[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + 2; round += 1) {
    const began = performance.now();
    const server = await startServer();
    times.push(performance.now() - began);
    await server.stop();
  }
  return [
    {
      name: 'cold start, empty',
      figures: { medianMs: msOf(medianOf(times)), longestMs: msOf(Math.max(...times)), budgetMs: BUDGET_MS },
    },
  ];
}
