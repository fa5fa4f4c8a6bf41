/** What the commands of operators share: where the data is, and how they end. */
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { Fault } from '../../profiles/fault.ts';
import { readEnv } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';

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

/** Runs a command. A Fault explains itself to the person who runs it; anything else is a bug. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 2;
  }
}
