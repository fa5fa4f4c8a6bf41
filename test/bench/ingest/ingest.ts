/** Reception beside its peers: C-STORE of slices and of one large object, FHIR reads meanwhile, and the start. */
import type { Row } from '../support/figures.ts';
import { measureCStore } from './c-store.ts';
import { measureColdStart } from './cold-start.ts';
import { measureLargeObject } from './large-object.ts';
import { measureReadsMeanwhile } from './reads-meanwhile.ts';

/** The parts by name, in the order of a whole run. */
export const INGEST: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  'c-store': measureCStore,
  'large-object': measureLargeObject,
  'reads-meanwhile': measureReadsMeanwhile,
  'cold-start': measureColdStart,
};
