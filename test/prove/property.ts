/**
 * A property of a suite in its full count: batches of fresh seeds, each on new data. A run that ended early
 * is gone on with by the same line, as long as the product and the suites are the same.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { journalPath, PRODUCT, sourcesHere } from './journal.ts';
import type { Proof } from './prove.ts';

const CASES = 10_000;
/** So many at a time: worlds that grow make every further case slower. */
const AT_ONCE = 100;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes the proof of the property whose suite bears a name, on some of the stores. `PASSERELLE_PROPERTY_CASES` changes
 * how many cases it has on each. The first batch takes the seed, the next the one after it. The cases of a fixed seed
 * are those of every test run.
 */
export function proveProperty(
  suite: string,
  stores: readonly ('sqlite' | 'mongodb' | 'two-stores')[],
): (seed: number) => Promise<Proof> {
  const files = stores.map((store) => `test/contract/${store}.test.ts`);
  return async (seed) => {
    const cases = Number(process.env['PASSERELLE_PROPERTY_CASES'] ?? CASES);
    const earlier = await runInBatches({ suite, files, on: stores.join('-'), cases, seed });
    return { counts: { cases, ofEarlierRuns: earlier } };
  };
}

/** Cases of a suite, of fresh seeds: `on` says where, `env` how its tests are told so. */
export type Batches = {
  readonly suite: string;
  readonly files: readonly string[];
  readonly on: string;
  readonly cases: number;
  readonly seed: number;
  /** How many a batch has. */
  readonly atOnce?: number;
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * Runs cases in batches; resolves with how many an earlier run of the same sources has done.
 * @throws {Error} the property failed: its message names the seed
 */
export async function runInBatches(batches: Batches): Promise<number> {
  const { suite, on, cases, seed, atOnce = AT_ONCE } = batches;
  const name = `${suite.replaceAll(/\W+/g, '-')}-${on}-${seed}`;
  const journal = await journalPath(await propertySources(), name);
  const earlier = Number(await readFile(journal, 'utf8').catch(() => '0'));
  for (let done = earlier; done < cases;) {
    const count = Math.min(atOnce, cases - done);
    await runBatch(batches, count, seed + Math.floor(done / atOnce));
    done += count;
    await writeFile(journal, String(done));
    console.log(`${done} of ${cases} cases on ${on}`);
  }
  await rm(journal, { force: true });
  return earlier;
}

/** The seed that the sources give: another for others, and the same for a run that is gone on with. */
export async function propertySeed(): Promise<number> {
  return Number.parseInt((await propertySources()).slice(0, 7), 16);
}

/** What a property rests on: the product, and its suites. */
async function propertySources(): Promise<string> {
  return await sourcesHere([...PRODUCT, 'test/contract', 'test/server/flows/identity', 'test/support']);
}

async function runBatch({ suite, files, env: further = {} }: Batches, count: number, seed: number): Promise<void> {
  const grep = `${suite.replaceAll(/[()[\]]/g, String.raw`\$&`)}.*fresh seed`;
  // Half of the cases of a suite are of its fixed seed.
  const env = {
    ...process.env,
    ...further,
    PASSERELLE_PROPERTY_CASES: String(2 * count),
    PASSERELLE_PROPERTY_SEED: String(seed),
  };
  // A property that fails is shrunk for as long as its test may take, and no longer.
  const flags = ['--forbid-pending', '--fail-zero', '--exit'];
  const args = ['node_modules/mocha/bin/mocha.js', ...files, '--grep', grep, ...flags];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const told = text(child.stdout);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) return;
  console.error(await told);
  throw new Error(`The property failed at seed ${seed} (${code})`);
}
