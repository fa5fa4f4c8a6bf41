/** What the commands of operators share: where the data is, and how they end. */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { Fault } from '../../profiles/fault.ts';
import { readEnv } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import { endWithNpm } from '../runtime/end-with-npm.ts';
import { endWithReader } from '../runtime/end-with-reader.ts';
import { codeOf } from './walk-files.ts';

/** The data folder that the environment names. */
export function dataFolder(): string {
  return resolve(readEnv(process.env).DATA_DIR ?? VARIABLES.DATA_DIR.default);
}

/** Reads arguments. @throws {Fault} invalid - unknown ones, with the usage */
export function argumentsOf<T extends ParseArgsConfig>(config: T, usage: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs<T>(config);
  } catch (cause) {
    throw new Fault('invalid', usage, { cause });
  }
}

/**
 * The folder that a command is to work on, without symbolic links. @throws {Fault} invalid - there is none, or it is no
 * folder
 */
export async function folderNamed(path: string): Promise<string> {
  try {
    const folder = await realpath(path);
    if ((await stat(folder)).isDirectory()) return folder;
  } catch (cause) {
    throw new Fault('invalid', `${path} cannot be read (${codeOf(cause)})`, { cause });
  }
  throw new Fault('invalid', `${path} is not a folder`);
}

/** A terminal sends its signal to npm and to the command, and npm passes it on: so near to each other they are one. */
const ONE_SIGNAL_MS = 1_000;

/**
 * A signal that fires when the person who runs a command ends it: what is under way is finished, and reported. A second
 * time, a second later or more, ends it at once.
 */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  let first = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!interrupted.signal.aborted) {
        first = performance.now();
        interrupted.abort();
      } else if (performance.now() - first > ONE_SIGNAL_MS) {
        process.removeAllListeners(name);
        process.kill(process.pid, name);
      }
    });
  }
  return interrupted.signal;
}

/** Runs a command. A Fault explains itself to the person who runs it; anything else is a bug. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  endWithNpm();
  endWithReader();
  try {
    await command();
  } catch (error) {
    const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 2;
  }
}
