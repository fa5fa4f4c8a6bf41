/** What a server does beside requests: it runs jobs, and looks after viewings that have ended. */
import type { LogFactory } from '../log.ts';
import { repeat } from '../threads/background.ts';
import type { Flows } from './flows/flows.ts';

/** What other servers ask for, and what was asked for at a later time, is seen within so long. */
const LOOK_PAUSE_MS = 1_000;
const BEHIND_PAUSE_MS = 60_000;
const VIEWINGS_PAUSE_MS = 30_000;
const INDEX_PAUSE_MS = 5_000;

/** The running work. */
export type Background = {
  /** Lets it end, when no door asks for more. */
  stop(): Promise<void>;
};

/** Starts it. */
export async function startBackground(
  { jobs, viewings, servedParameters, askForSweep, askForCut, listFormerAside }: Flows,
  log: LogFactory,
): Promise<Background> {
  const { runners } = jobs;
  runners.follow();
  await askForSweep();
  await askForCut();
  await listFormerAside();
  await servedParameters.begin();
  const told = (message: string) => (error: unknown) => log('jobs').error({ err: error }, message);
  const repeated = [
    repeat(async () => await runners.look(), LOOK_PAUSE_MS, told('jobs could not be looked for')),
    repeat(async () => await runners.tellBehind(), BEHIND_PAUSE_MS, told('jobs could not be counted')),
    repeat(async () => await servedParameters.look(), INDEX_PAUSE_MS, told('what is indexed could not be looked at')),
    repeat(async () => await viewings.end('ended'), VIEWINGS_PAUSE_MS, told('the end of viewings is not kept yet')),
  ];
  return {
    stop: async () => {
      await Promise.all(repeated.map((one) => one.stop()));
      // Their events are jobs, of which those that can be done at once still are.
      await viewings.end('all');
      await runners.stop();
    },
  };
}
