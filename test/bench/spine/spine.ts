/** The spine of the product: FHIR beside a bare server, and what access costs. */
import { measureAccess } from './access.ts';
import { measureFhir } from './fhir.ts';
import type { Row } from '../support/figures.ts';

/** The parts by name, in the order of a whole run. */
export const SPINE: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  fhir: measureFhir,
  access: measureAccess,
};
