/**
 * `npm run jobs -- list|replay|drop`: what the server has left to do, on the running server of the data folder, or on
 * the folder itself when no server runs.
 */
import { Fault } from '../../profiles/fault.ts';
import { composeStopped } from '../compose/compose.ts';
import { configFrom } from '../config/config.ts';
import { readEnv } from '../config/env.ts';
import { askServer } from '../control/caller.ts';
import { jobsCommand, type JobsAnswer, type JobsProgress } from '../control/jobs-command.ts';
import { openLog } from '../log.ts';
import { argumentsOf, dataFolder, runCommand } from './operator.ts';

const USAGE = `Usage: npm run -s jobs -- list [KIND]
       npm run -s jobs -- replay KIND|ID
       npm run -s jobs -- drop ID
list shows the jobs that wait, run or are dead: kind, id, state, attempts, age, when they are due, last error and the
AuditEvent of the passage that asked for them. replay runs a dead job again, or all of a kind. drop forgets a job:
what it was to do is not done.`;

const COLUMNS = ['KIND', 'ID', 'STATE', 'ATTEMPTS', 'AGE', 'DUE IN', 'ERROR', 'EVENT'];

async function jobs(): Promise<void> {
  const { positionals } = argumentsOf({ allowPositionals: true, options: {} } as const, USAGE);
  const args = argsOf(positionals);
  const { changed } = (await ask(args)) as JobsAnswer;
  if (args.action !== 'list') process.stdout.write(`${args.action === 'drop' ? 'dropped' : 'replayed'}: ${changed}\n`);
}

type Args = { readonly action: string; readonly kind?: string; readonly id?: string };

function argsOf([action = '', about, ...others]: readonly string[]): Args {
  if (others.length > 0 || !['list', 'replay', 'drop'].includes(action)) throw new Fault('invalid', USAGE);
  if (action === 'list') return { action, ...(about === undefined ? {} : { kind: about }) };
  if (about === undefined) throw new Fault('invalid', USAGE);
  return isUuid(about) || action === 'drop' ? { action, id: about } : { action, kind: about };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

async function ask(args: Args): Promise<unknown> {
  let isFirst = true;
  const onProgress = (progress: unknown): void => {
    const lines = (progress as JobsProgress).map(lineOf);
    process.stdout.write([...(isFirst ? [COLUMNS.join('\t')] : []), ...lines, ''].join('\n'));
    isFirst = false;
  };
  const answered = await askServer({ dataDir: dataFolder(), command: 'jobs', args, onProgress });
  return answered === undefined ? await askHere(args, onProgress) : answered.answer;
}

async function askHere(args: Args, onProgress: (progress: unknown) => void): Promise<unknown> {
  const config = configFrom(readEnv(process.env));
  const { flows, close } = await composeStopped(config, openLog({ level: config.logLevel }));
  try {
    return await jobsCommand(flows.jobs)(args, onProgress, new AbortController().signal, none());
  } finally {
    await close();
  }
}

async function* none(): AsyncGenerator<unknown, void> {}

function lineOf({ kind, id, state, attempts, ageSeconds, dueInSeconds, error, event }: JobsProgress[number]): string {
  const due = state === 'waiting' ? `${Math.max(0, dueInSeconds)} s` : '';
  return [kind, id, state, attempts, `${ageSeconds} s`, due, error ?? '', event ?? ''].join('\t');
}

await runCommand(jobs);
