/** The equivalence of the store and the decision, in 10,000 cases on the embedded store. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Proof } from './prove.ts';

const CASES = 10_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the property with many cases; `PASSERELLE_PROPERTY_CASES` changes how many. The seed goes to the fresh half. */
export async function proveEquivalence(seed: number): Promise<Proof> {
  const cases = process.env['PASSERELLE_PROPERTY_CASES'] ?? String(CASES);
  const env = { ...process.env, PASSERELLE_PROPERTY_CASES: cases, PASSERELLE_PROPERTY_SEED: String(seed) };
  const args = [
    'node_modules/mocha/bin/mocha.js',
    'test/contract/sqlite.test.ts',
    '--fgrep',
    'filter(everything, decide)',
  ];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The property failed (${code})`);
  return { counts: { cases: Number(cases) } };
}
