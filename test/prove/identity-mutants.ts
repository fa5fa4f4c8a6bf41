/** The mistakes that the identity property must find, one at a time, in a checkout of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { machineOf } from '../support/run/machine.ts';
import { mutationOf } from './mutants/always.ts';
import { IDENTITY_MUTANTS } from './mutants/identity.ts';
import { openLane, type Outcome } from './mutants/lane.ts';
import type { Proof } from './prove.ts';

/** So many sequences find each mistake: a few hundred miss a report of a stranger now and then. */
const CASES = 1_000;

/** Runs the mutants of the commit; each must be killed. */
export async function proveIdentityMutants(): Promise<Proof> {
  const { commit } = await machineOf();
  const env = { PASSERELLE_PROPERTY_CASES: String(CASES) };
  const lane = await openLane(commit, env);
  try {
    const [{ tests } = { tests: [] }] = IDENTITY_MUTANTS;
    if (!(await lane.passes(tests))) throw new Error('Without a mutation the property fails');
    const outcomes: { readonly what: string; readonly outcome: Outcome }[] = [];
    for (const known of IDENTITY_MUTANTS) {
      const text = await readFile(join(lane.root, known.path), 'utf8');
      const outcome = await lane.attempt(mutationOf(known, text), known.tests);
      console.log(`${outcome}: ${known.what}`);
      outcomes.push({ what: known.what, outcome });
    }
    return proofOf(outcomes);
  } finally {
    await lane.remove();
  }
}

function proofOf(outcomes: readonly { readonly what: string; readonly outcome: Outcome }[]): Proof {
  const others = outcomes.filter(({ outcome }) => outcome !== 'killed');
  const counts = { mutants: outcomes.length, killed: outcomes.length - others.length };
  const details = others.map(({ what, outcome }) => `${outcome}: ${what}`);
  return others.length === 0 ? { counts } : { counts, details, broken: 'the property did not find every mutant' };
}
