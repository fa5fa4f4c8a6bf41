/** The commands of operators, run as a user runs them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { nodeArguments } from './run/npm-scripts.ts';

/** What a command did. */
export type CommandResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A command that runs. */
export type RunningCommand = { readonly child: ChildProcess; readonly ended: Promise<CommandResult> };

/** Which data it works on; `env` are further variables without their prefix. */
export type CommandPlace = {
  readonly dataDir: string;
  readonly store?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs the command, and its arguments. */
  readonly under?: readonly string[];
};

const ROOT = new URL('../..', import.meta.url).pathname;

/** Starts `npm run NAME -- ARGS` in development. */
export function startCommand(
  name: string,
  args: readonly string[],
  { dataDir, store = 'sqlite', env = {}, under = [] }: CommandPlace,
): RunningCommand {
  const settings = { DEVELOPMENT: '1', DATA_DIR: dataDir, STORE: store, DIMSE_PORT: '0', ...env };
  const variables = Object.fromEntries(
    Object.entries(settings).map(([variable, value]) => [`PASSERELLE_${variable}`, value]),
  );
  const line = [...under, process.execPath, ...nodeArguments(name), ...args];
  const [program = process.execPath, ...rest] = line;
  const child = spawn(program, rest, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...variables },
  });
  const [out, err]: string[][] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out?.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err?.push(chunk.toString()));
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({
    code: code ?? null,
    stdout: (out ?? []).join(''),
    stderr: (err ?? []).join(''),
  }));
  return { child, ended };
}

/** Runs a command to its end. */
export async function runCommand(name: string, args: readonly string[], place: CommandPlace): Promise<CommandResult> {
  return await startCommand(name, args, place).ended;
}
