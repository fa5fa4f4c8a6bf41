/**
 * `npm run audit:verify`: walks the audit trail and tells whether it is whole (exit code 0), or the first record that
 * does not fit (1). It may run beside the server. Records that were cut off at the end show only when compared with a
 * head that was kept elsewhere: give it with `--head`.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../profiles/fault.ts';
import { openTrail } from './compose-trail.ts';
import { readEnv } from './config/env.ts';
import { VARIABLES } from './config/variables.ts';
import type { TrailHead, Verification } from './ports/audit-trail.ts';
import { endWithNpm } from './runtime/end-with-npm.ts';

const USAGE = `Usage: npm run -s audit:verify -- [--head SEQUENCE:HASH]
Verifies the audit trail of PASSERELLE_STORE and PASSERELLE_DATA_DIR.
--head is a head that an earlier run printed and that was kept elsewhere: the trail must still hold that record.`;

async function main(): Promise<void> {
  endWithNpm();
  const known = readKnownHead(process.argv.slice(2));
  const { STORE: store = VARIABLES.STORE.default, DATA_DIR: dataDir = VARIABLES.DATA_DIR.default } = readEnv(process.env);
  const trail = await openTrail({ store, dataDir: resolve(dataDir) });
  try {
    report(await trail.verify(known));
  } finally {
    await trail.close();
  }
}

/** @throws {Fault} invalid - an unknown argument, or a head of another form */
function readKnownHead(args: readonly string[]): TrailHead | undefined {
  const head = parseHead(args);
  if (head === undefined) return undefined;
  const [, sequence, hash] = /^([1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(head) ?? [];
  if (sequence === undefined || hash === undefined) throw new Fault('invalid', `A head is SEQUENCE:HASH, the hash in 64 hexadecimal digits\n${USAGE}`);
  return { sequence: Number(sequence), hash };
}

function parseHead(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { head: { type: 'string' } } }).values.head;
  } catch (cause) {
    throw new Fault('invalid', USAGE, { cause });
  }
}

function report(found: Verification): void {
  if (found.whole) {
    process.stdout.write(`whole: ${found.head.sequence} records, head ${found.head.hash}, ${found.erased} erased\n`);
    return;
  }
  process.stdout.write(`broken at record ${found.sequence}: ${found.reason}\n`);
  process.exitCode = 1;
}

/** A Fault explains itself to the person who runs the command; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

await main().catch(fail);
