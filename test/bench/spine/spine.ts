/** The spine of the product beside its peers: C-STORE, FHIR, and what access costs. */
import { measureAccess } from './access.ts';
import { measureCStore } from './c-store.ts';
import { measureFhir } from './fhir.ts';
import type { Row } from './figures.ts';

/** The parts by name, in the order of a whole run. */
export const SPINE: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  'c-store': measureCStore,
  fhir: measureFhir,
  access: measureAccess,
};
