/** Who sees what of whom, on both stores: sequences of feeds, images, reports and judgements against a model. */
import { runInBatches } from './property.ts';
import type { Proof } from './prove.ts';

const FILES = ['test/server/flows/identity/who-sees-what.test.ts'];
const SUITE = 'Who sees what of whom (identity.md)';
const CASES = { sqlite: 10_000, mongodb: 1_000 } as const;
/** On MongoDB the hundredth sequence of a world takes three times as long as the first. */
const AT_ONCE = { sqlite: 100, mongodb: 20 } as const;

/** Runs the sequences; `PASSERELLE_PROPERTY_CASES` is their number on SQLite, on MongoDB a tenth of it. */
export async function proveIdentity(seed: number): Promise<Proof> {
  const sqlite = Number(process.env['PASSERELLE_PROPERTY_CASES'] ?? CASES.sqlite);
  const mongodb = Math.ceil((sqlite * CASES.mongodb) / CASES.sqlite);
  let ofEarlierRuns = 0;
  for (const [on, cases] of [
    ['sqlite', sqlite],
    ['mongodb', mongodb],
  ] as const)
    ofEarlierRuns += await runInBatches({
      suite: SUITE,
      files: FILES,
      on,
      cases,
      seed,
      atOnce: AT_ONCE[on],
      env: { PASSERELLE_IDENTITY_STORE: on },
    });
  return { counts: { 'sequences on SQLite': sqlite, 'sequences on MongoDB': mongodb, ofEarlierRuns } };
}
