/** The process: signals, arguments, environment, configuration, composition, ready line. */
import { compose, type Running } from './compose/compose.ts';
import { configFrom } from './config/config.ts';
import { readEnv } from './config/env.ts';
import { readStartArguments } from './config/start-arguments.ts';
import { openLog, type Log } from './log.ts';
import { endWithNpm } from './runtime/end-with-npm.ts';
import { Fault, toFault } from '../profiles/fault.ts';

async function main(): Promise<void> {
  // Before anything is open: a signal that comes while the server starts stops it in order, as process 1 too.
  const told = firstSignal();
  endWithNpm();
  const { acceptRestored: accepted, confirmedRegion } = readStartArguments(process.argv.slice(2));
  const config = configFrom(readEnv(process.env));
  const log = openLog({ level: config.logLevel });
  const answers = {
    ...(accepted === undefined ? {} : { accepted }),
    ...(confirmedRegion === undefined ? {} : { confirmedRegion }),
  };
  const asked = reloadsAsked();
  const running = await compose(config, log, answers);
  asked.each(async () => await reload(running, log('main')));
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

/** SIGHUP asks for the region file to be read again; one that comes while the server starts is heard when it runs. */
function reloadsAsked(): { each(reload: () => Promise<void>): void } {
  let reload: (() => Promise<void>) | undefined;
  let isWaiting = false;
  process.on('SIGHUP', () => {
    if (reload === undefined) isWaiting = true;
    else void reload();
  });
  return {
    each: (next) => {
      reload = next;
      if (isWaiting) void next();
    },
  };
}

/** What is refused is logged, and the former region goes on. */
async function reload(running: Running, log: Log): Promise<void> {
  await running.reload().catch((error: unknown) => {
    const { message } = toFault(error);
    log.error({ why: message, ...(error instanceof Fault ? {} : { err: error }) }, 'the region file is not loaded');
  });
}

/** A Fault explains itself to the person who starts the server; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

await main().catch(fail);
