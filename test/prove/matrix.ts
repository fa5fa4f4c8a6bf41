/**
 * Every cell of the table of decisions over the wire, on SQLite: each relation, label, state of the patient, state of
 * the item and door. Worlds of some cases follow each other; a run that ended early is gone on with.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { askAll } from '../flows/access/ask-all.ts';
import { CASES } from '../flows/access/matrix.ts';
import { reckonMatrix } from '../flows/access/reckoned.ts';
import { journalPath, PRODUCT, sourcesHere } from './journal.ts';
import type { Proof } from './prove.ts';

/** So many persons share a world: their tokens last as long as it does. */
const CASES_A_WORLD = 48;

type Done = { readonly cases: number; readonly cells: number; readonly shown: number };

/** Makes the proof: the counts are of cells, and of those that show something, both as the table has them. */
export async function proveMatrix(): Promise<Proof> {
  const all = reckonMatrix();
  const journal = await journalPath(await sourcesHere([...PRODUCT, 'test/flows', 'test/support']), 'matrix');
  const earlier = await readFile(journal, 'utf8').catch(() => '{"cases":0,"cells":0,"shown":0}');
  let done = JSON.parse(earlier) as Done;
  while (done.cases < CASES.length) {
    const cases = CASES.slice(done.cases, done.cases + CASES_A_WORLD);
    const { cells, shown, failures, unset } = await askAll('sqlite', cases);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    if (unset.failures.length > 0) throw new Error(`Without settings of emergencies: ${unset.failures.join('\n')}`);
    done = { cases: done.cases + cases.length, cells: done.cells + cells, shown: done.shown + shown };
    await writeFile(journal, JSON.stringify(done));
    console.log(`${done.cells} of ${all.cells} cells, ${done.shown} of which show something`);
  }
  await rm(journal, { force: true });
  if (done.cells !== all.cells || done.shown !== all.shown)
    throw new Error(
      `${done.cells} cells were asked of ${all.cells}, and ${done.shown} showed something of ${all.shown}`,
    );
  return { counts: { cells: done.cells, cellsShown: done.shown } };
}
