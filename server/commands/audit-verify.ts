/**
 * `npm run audit:verify`: walks the audit trail and tells whether it is whole (exit code 0), or the first record that
 * does not fit (1). It only reads, and may run beside the server. Records that were cut off at the end show only when
 * compared with a head that was kept elsewhere: the anchor, and what is given with `--head`. Records may be missing at
 * the beginning, by a cut of which the chain tells and which bears the seal of the key of erasures.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../../profiles/fault.ts';
import { readLastAnchor } from '../compose/anchor.ts';
import { sealsOf } from '../compose/erasure-key.ts';
import { openTrail } from '../compose/trail.ts';
import { readEnv, type Environment } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import type { Anchor } from '../ports/audit-anchor.ts';
import { sealedText, type TrailHead, type Verification } from '../ports/audit-trail.ts';
import type { BearsSeal } from '../ports/erasure-key.ts';
import { endWithNpm } from '../runtime/end-with-npm.ts';
import { endWithReader } from '../runtime/end-with-reader.ts';

const USAGE = `Usage: npm run -s audit:verify -- [--head SEQUENCE:HASH]
Verifies the audit trail of PASSERELLE_STORE and PASSERELLE_DATA_DIR, with the anchor of PASSERELLE_AUDIT_ANCHOR and
PASSERELLE_AUDIT_ANCHOR_KEY. Nothing is written.
--head is a head that an earlier run printed (its last record and hash) and that was kept elsewhere: the trail must
still hold that record, unless it was cut off as its time was over.`;

async function main(): Promise<void> {
  endWithNpm();
  endWithReader();
  const head = readKnownHead(process.argv.slice(2));
  const environment = readEnv(process.env);
  const { STORE: store = VARIABLES.STORE.default, DATA_DIR: dataDir = VARIABLES.DATA_DIR.default } = environment;
  const anchor = await lastAnchor(environment);
  const bearsSeal = await sealsOf(environment);
  const trail = await openTrail({ store, dataDir: resolve(dataDir) });
  try {
    const known = [head, anchor.last].filter((one) => one !== undefined);
    await report(await trail.verify(known), { anchor, head, bearsSeal });
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

/** What a trail is compared with beside itself. */
type Compared = {
  readonly anchor: Anchored;
  readonly head: TrailHead | undefined;
  /** By the public part of the key that cuts are sealed with. */
  readonly bearsSeal: BearsSeal | undefined;
};

type Whole = Extract<Verification, { whole: true }>;
type Line = { readonly text: string; readonly isWrong?: boolean };

async function report(found: Verification, compared: Compared): Promise<void> {
  const { anchor } = compared;
  const lines = found.whole
    ? [{ text: wordsOf(found) }, ...(await linesOfCut(found, compared)), lineOfAnchor(anchor, found)]
    : [
        { text: `broken at record ${found.sequence}: ${found.reason}`, isWrong: true },
        ...(anchor.trouble === undefined ? [] : [lineOfAnchor(anchor)]),
      ];
  process.stdout.write(lines.map(({ text }) => `${text}\n`).join(''));
  if (lines.some(({ isWrong }) => isWrong === true)) process.exitCode = 1;
}

function wordsOf({ head, begins, erased, unexplained }: Whole): string {
  const before = unexplained === 0 ? '' : `, ${unexplained} of them before erasures were recorded`;
  const records = begins === 1 ? `${head.sequence} records` : `records ${begins} to ${head.sequence}`;
  return `whole: ${records}, head ${head.hash}, ${erased} erased${before}`;
}

/** By which cut the trail begins, and whether the server that holds the key made it. */
async function linesOfCut({ begins, cut }: Whole, { anchor, head, bearsSeal }: Compared): Promise<readonly Line[]> {
  if (cut === undefined) return [];
  const [since, end] =
    begins > cut.sequence ? ['was cut off at', ''] : ['is being cut off since', `, up to record ${cut.sequence}`];
  const text = `begins at record ${begins}: what was recorded before ${cut.before} ${since} ${cut.recorded}${end}`;
  const lines: Line[] = [{ text }];
  if (bearsSeal === undefined)
    lines.push({ text: 'cut: whose it is cannot be told without the public key of erasures', isWrong: anchor.isSet });
  else if (!(await bearsSeal(sealedText(cut), cut.seal)))
    lines.push({ text: 'cut: it does not bear the seal of the key of erasures', isWrong: true });
  if (head !== undefined && head.sequence < begins && head.sequence !== cut.sequence)
    lines.push({ text: `head: record ${head.sequence} was cut off, and is not compared` });
  return lines;
}

/** The last anchor is of a record that no cut has reached. */
function lineOfAnchor({ isSet, last, trouble }: Anchored, found?: Whole): Line {
  if (trouble !== undefined) return { text: `anchor: ${trouble}`, isWrong: true };
  const none = isSet ? 'none was made yet' : 'none is set, records cut off at the end are not missed';
  if (last === undefined) return { text: `anchor: ${none}` };
  const isGone = found !== undefined && last.sequence < found.begins && last.sequence !== found.cut?.sequence;
  return { text: `anchor: record ${last.sequence} of ${last.at}${isGone ? ', which is gone' : ''}`, isWrong: isGone };
}

/** A Fault explains itself to the person who runs the command; anything else is a bug. */
function fail(error: unknown): void {
  const text = error instanceof Fault ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}

await main().catch(fail);
