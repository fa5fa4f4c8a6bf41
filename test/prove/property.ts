/** A property of the contract suites in its full count. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Proof } from './prove.ts';

const CASES = 10_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes the proof of the property whose suite bears a name, on some of the stores. `PASSERELLE_PROPERTY_CASES` changes
 * how many cases it has. The seed goes to the fresh half.
 */
export function proveProperty(
  suite: string,
  stores: readonly ('sqlite' | 'mongodb' | 'two-stores')[],
): (seed: number) => Promise<Proof> {
  return async (seed) => {
    const cases = process.env['PASSERELLE_PROPERTY_CASES'] ?? String(CASES);
    const env = { ...process.env, PASSERELLE_PROPERTY_CASES: cases, PASSERELLE_PROPERTY_SEED: String(seed) };
    const files = stores.map((store) => `test/contract/${store}.test.ts`);
    const args = ['node_modules/mocha/bin/mocha.js', ...files, '--fgrep', suite, '--forbid-pending'];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`The property failed (${code})`);
    return { counts: { cases: Number(cases) } };
  };
}
