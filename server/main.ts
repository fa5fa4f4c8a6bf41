/** The process: signals, arguments, environment, configuration, composition, ready line. */
import { compose } from './compose/compose.ts';
import { configFrom } from './config/config.ts';
import { readEnv } from './config/env.ts';
import { readStartArguments } from './config/start-arguments.ts';
import { openLog } from './log.ts';
import { endWithNpm } from './runtime/end-with-npm.ts';
import { Fault } from '../profiles/fault.ts';

async function main(): Promise<void> {
  // Before anything is open: a signal that comes while the server starts stops it in order, as process 1 too.
  const told = firstSignal();
  endWithNpm();
  const { acceptRestored } = readStartArguments(process.argv.slice(2));
  const config = configFrom(readEnv(process.env));
  const log = openLog({ level: config.logLevel });
  const running = await compose(config, log, acceptRestored);
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
