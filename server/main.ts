/** The process: arguments, environment, configuration, composition, ready line, signals. */
import { compose } from './compose/compose.ts';
import { configFrom } from './config/config.ts';
import { readEnv } from './config/env.ts';
import { readStartArguments } from './config/start-arguments.ts';
import { openLog } from './log.ts';
import { Fault } from '../profiles/fault.ts';

async function main(): Promise<void> {
  const { acceptRestored } = readStartArguments(process.argv.slice(2));
  const config = configFrom(readEnv(process.env));
  const log = openLog({ level: config.logLevel });
  const running = await compose(config, log, acceptRestored);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log('main').info({ signal }, 'stopping');
    running.stop().then(
      () => log('main').info({}, 'stopped'),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // Whoever reads that it is ready may stop it at once.
  process.stdout.write(`${JSON.stringify({ ready: true, ...running.addresses })}\n`);
}

/** A Fault explains itself to the person who starts the server; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

await main().catch(fail);
