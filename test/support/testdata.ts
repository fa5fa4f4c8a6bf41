/**
 * Real inputs that are not ours to publish: `PASSERELLE_TESTDATA` names their folder, beside the checkout otherwise.
 * Where it is absent, the tests that need it are skipped.
 */
import { join } from 'node:path';

/** Path of the folder. */
export const TESTDATA =
  process.env['PASSERELLE_TESTDATA'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata');
