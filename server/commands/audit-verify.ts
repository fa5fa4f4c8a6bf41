/**
 * `npm run audit:verify`: walks the audit trail and tells whether it is whole (exit code 0), or the first record that
 * does not fit (1). It only reads, and may run beside the server. Records that were cut off at the end show only when
 * compared with a head that was kept elsewhere: the anchor, and what is given with `--head`.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../../profiles/fault.ts';
import { readLastAnchor } from '../compose/anchor.ts';
import { openTrail } from '../compose/trail.ts';
import { readEnv, type Environment } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import type { Anchor } from '../ports/audit-anchor.ts';
import type { TrailHead, Verification } from '../ports/audit-trail.ts';
import { endWithNpm } from '../runtime/end-with-npm.ts';
import { endWithReader } from '../runtime/end-with-reader.ts';

const USAGE = `Usage: npm run -s audit:verify -- [--head SEQUENCE:HASH]
Verifies the audit trail of PASSERELLE_STORE and PASSERELLE_DATA_DIR, with the anchor of PASSERELLE_AUDIT_ANCHOR and
PASSERELLE_AUDIT_ANCHOR_KEY. Nothing is written.
--head is a head that an earlier run printed and that was kept elsewhere: the trail must still hold that record.`;

async function main(): Promise<void> {
  endWithNpm();
  endWithReader();
  const head = readKnownHead(process.argv.slice(2));
  const environment = readEnv(process.env);
  const { STORE: store = VARIABLES.STORE.default, DATA_DIR: dataDir = VARIABLES.DATA_DIR.default } = environment;
  const anchor = await lastAnchor(environment);
  const trail = await openTrail({ store, dataDir: resolve(dataDir) });
  try {
    const known = [head, anchor.last].filter((one) => one !== undefined);
    report(await trail.verify(known), anchor);
  } finally {
    await trail.close();
  }
}

/** The last anchor, or what is wrong with it: the trail is verified all the same. */
type Anchored = { readonly isSet: boolean; readonly last?: Anchor | undefined; readonly trouble?: string };

async function lastAnchor({
  AUDIT_ANCHOR: auditAnchor,
  AUDIT_ANCHOR_KEY: auditAnchorKey,
}: Environment): Promise<Anchored> {
  if (auditAnchor === undefined) return { isSet: false };
  try {
    return { isSet: true, last: await readLastAnchor({ auditAnchor, auditAnchorKey }) };
  } catch (error) {
    if (error instanceof Fault && error.kind === 'conflict') return { isSet: true, trouble: error.message };
    throw error;
  }
}

/** @throws {Fault} invalid - an unknown argument, or a head of another form */
function readKnownHead(args: readonly string[]): TrailHead | undefined {
  const head = parseHead(args);
  if (head === undefined) return undefined;
  const [, sequence, hash] = /^([1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(head) ?? [];
  if (sequence === undefined || hash === undefined)
    throw new Fault('invalid', `A head is SEQUENCE:HASH, the hash in 64 hexadecimal digits\n${USAGE}`);
  return { sequence: Number(sequence), hash };
}

function parseHead(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { head: { type: 'string' } } }).values.head;
  } catch (cause) {
    throw new Fault('invalid', USAGE, { cause });
  }
}

function report(found: Verification, anchor: Anchored): void {
  const lines = [wordsOf(found)];
  if (found.whole || anchor.trouble !== undefined) lines.push(wordsOfAnchor(anchor));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  if (!found.whole || anchor.trouble !== undefined) process.exitCode = 1;
}

function wordsOf(found: Verification): string {
  if (!found.whole) return `broken at record ${found.sequence}: ${found.reason}`;
  const { head, erased, unexplained } = found;
  const before = unexplained === 0 ? '' : `, ${unexplained} of them before erasures were recorded`;
  return `whole: ${head.sequence} records, head ${head.hash}, ${erased} erased${before}`;
}

function wordsOfAnchor({ isSet, last, trouble }: Anchored): string {
  if (trouble !== undefined) return `anchor: ${trouble}`;
  if (last !== undefined) return `anchor: record ${last.sequence} of ${last.at}`;
  return isSet ? 'anchor: none was made yet' : 'anchor: none is set, records cut off at the end are not missed';
}

/** A Fault explains itself to the person who runs the command; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

await main().catch(fail);
