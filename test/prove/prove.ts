/** `npm run prove -- NAME [--seed N]`: runs one proof in its full count and writes `results/NAME.json`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { endWithChildren } from '../support/run/end-with-children.ts';
import { machineOf } from '../support/run/machine.ts';
import { proveAccess, proveEquivalence } from './access.ts';
import { proveAudit } from './audit.ts';
import { proveDoors } from './doors.ts';
import { proveHistory } from './history.ts';
import { proveIdentity } from './identity.ts';
import { proveIdentityMutants } from './identity-mutants.ts';
import { proveKill } from './kill.ts';
import { proveMatrix } from './matrix.ts';
import { proveMutants } from './mutants.ts';
import { proveReindex } from './reindex.ts';
import { propertySeed, proveProperty } from './property.ts';

/** What a proof counted, what it names one by one, and why it does not hold although it could be counted. */
export type Proof = {
  readonly counts: Readonly<Record<string, number>>;
  readonly details?: readonly string[];
  readonly broken?: string;
};

const PROOFS: Readonly<Record<string, (seed: number) => Promise<Proof>>> = {
  kill: proveKill,
  audit: proveAudit,
  doors: proveDoors,
  mutants: proveMutants,
  reindex: proveReindex,
  access: proveAccess,
  matrix: proveMatrix,
  history: proveHistory,
  equivalence: proveEquivalence,
  warrant: proveProperty('commit(warrant, plan)', ['sqlite', 'mongodb']),
  rights: proveProperty('derived(all rows)', ['sqlite', 'mongodb']),
  identity: proveIdentity,
  'identity-mutants': proveIdentityMutants,
  stores: proveProperty('SQLite and MongoDB give the same answers', ['two-stores']),
};
/** The seed of proofs that are gone on with; the others take a fresh one. */
const SEED: Readonly<Record<string, () => Promise<number>>> = {
  mutants: async () => 20_261_128,
  access: propertySeed,
  equivalence: propertySeed,
  warrant: propertySeed,
  rights: propertySeed,
  identity: propertySeed,
  stores: propertySeed,
};
const RESULTS = new URL('results/', import.meta.url);

endWithChildren();
const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
const [name = ''] = positionals;
const proof = PROOFS[name];
if (proof === undefined || positionals.length !== 1) {
  console.error(`Usage: npm run prove -- NAME [--seed N], where NAME is one of: ${Object.keys(PROOFS).join(', ')}`);
  process.exitCode = 2;
} else {
  await prove(name, proof, Number(values.seed ?? (await SEED[name]?.()) ?? Date.now() % 2 ** 31));
}

async function prove(name: string, proof: (seed: number) => Promise<Proof>, seed: number): Promise<void> {
  const facts = { name, seed, ...(await machineOf()), date: new Date().toISOString() };
  const began = performance.now();
  const outcome = await proof(seed).then(
    ({ broken, ...counted }) =>
      broken === undefined ? { result: 'holds', ...counted } : { result: 'broken', reason: broken, ...counted },
    (error: unknown) => ({ result: 'broken', reason: error instanceof Error ? error.message : String(error) }),
  );
  const seconds = Math.round((performance.now() - began) / 1000);
  const report = `${JSON.stringify({ ...facts, seconds, ...outcome }, null, 2)}\n`;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(new URL(`${name}.json`, RESULTS), report);
  console.log(report);
  process.exitCode = outcome.result === 'holds' ? 0 : 1;
}
