/**
 * `npm run region -- check|reload|show`: the region file, beside the running server of the data folder or without one.
 */
import { resolve } from 'node:path';
import { Fault } from '../../profiles/fault.ts';
import { checkRegionFile, foreseeStopped, showStopped } from '../compose/region-file.ts';
import { readEnv } from '../config/env.ts';
import { PUBLISHED_REGION_SCHEMA } from '../config/region-schema.ts';
import { askServer } from '../control/caller.ts';
import { argumentsOf, dataFolder, runCommand } from './operator.ts';

const USAGE = `Usage: npm run -s region -- check FILE
       npm run -s region -- reload [--confirm SERIAL]
       npm run -s region -- show
       npm run -s region -- schema
check tells what is wrong with a region file, with place and reason (exit code 1), and what it would change: resources,
clients, AE titles, and how many records each change shows or hides. It changes nothing. reload lets the running server
load its region file again, as SIGHUP does, and tells what changed. --confirm confirms that an establishment with
records, or more than a tenth of the people, are removed. show tells what is loaded. schema prints the JSON
Schema of the file.`;

/** The file is not valid, or would not be loaded. */
const REFUSED = 1;

async function region(): Promise<void> {
  const { values, positionals } = argumentsOf(
    { allowPositionals: true, options: { confirm: { type: 'string' } } } as const,
    USAGE,
  );
  const [action, file, ...others] = positionals;
  if (others.length > 0 || (values.confirm !== undefined && action !== 'reload')) throw new Fault('invalid', USAGE);
  if (action === 'check' && file !== undefined) return await check(resolve(file));
  if (action === 'reload' && file === undefined) return await reload(values.confirm);
  if (action === 'show' && file === undefined) return await show();
  if (action === 'schema' && file === undefined) return say([JSON.stringify(PUBLISHED_REGION_SCHEMA, null, 2)]);
  throw new Fault('invalid', USAGE);
}

async function check(file: string): Promise<void> {
  try {
    await checkRegionFile(file);
    say(['the file is valid']);
    if (await ask({ action: 'check', file })) return;
    say((await foreseeStopped(readEnv(process.env), file)) ?? ['there is no data folder to compare it with']);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = REFUSED;
  }
}

async function reload(confirm: string | undefined): Promise<void> {
  if (confirm !== undefined && !/^[1-9]\d{0,15}$/.test(confirm)) throw new Fault('invalid', USAGE);
  const confirmed = confirm === undefined ? {} : { confirmed: Number(confirm) };
  if (await ask({ action: 'reload', ...confirmed })) return;
  throw new Fault('not-found', `No server runs on ${dataFolder()}: it reads the region file when it starts`);
}

async function show(): Promise<void> {
  if (!(await ask({ action: 'show' }))) say(await showStopped(readEnv(process.env)));
}

/** Asks the running server and prints what it answers; false when none runs. */
async function ask(args: object): Promise<boolean> {
  const onProgress = (line: unknown): void => say([String(line)]);
  return (await askServer({ dataDir: dataFolder(), command: 'region', args, onProgress })) !== undefined;
}

function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

await runCommand(region);
