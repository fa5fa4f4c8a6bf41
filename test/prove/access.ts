/**
 * Who sees what, in its full counts: random worlds on both stores, then every cell of the table of decisions over the
 * wire. The journal of the property is that of `equivalence`, which is this half alone: what it did already is not done
 * again.
 */
import { proveMatrix } from './matrix.ts';
import { proveProperty } from './property.ts';
import type { Proof } from './prove.ts';

/** The property on which every door rests, on both stores. */
export const proveEquivalence = proveProperty('filter(everything, decide)', ['sqlite', 'mongodb']);

/** Makes the proof. */
export async function proveAccess(seed: number): Promise<Proof> {
  const random = await proveEquivalence(seed);
  const every = await proveMatrix();
  return { counts: { ...random.counts, ...every.counts } };
}
