/** The process: signals, environment, configuration, composition, ready line. */
import { compose } from './compose.ts';
import { configFrom } from './config/config.ts';
import { readEnv } from './config/env.ts';
import { openLog } from './log.ts';
import { endWithNpm } from './runtime/end-with-npm.ts';
import { Fault } from '../profiles/fault.ts';

async function main(): Promise<void> {
  // Before anything is open: as process 1 a signal that nobody waits for is lost.
  const told = firstSignal();
  endWithNpm();
  const config = configFrom(readEnv(process.env));
  const log = openLog({ level: config.logLevel });
  const running = await compose(config, log);
  process.stdout.write(`${JSON.stringify({ ready: true, ...running.addresses })}\n`);
  void told.then(async (signal) => {
    log('main').info({ signal }, 'stopping');
    await running.stop().then(() => log('main').info({}, 'stopped'), fail);
  });
}

/** The signal that ends the process. Further ones change nothing: npm and a terminal both pass them on. */
async function firstSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  return await promise;
}

/** A Fault explains itself to the person who starts the server; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

await main().catch(fail);
