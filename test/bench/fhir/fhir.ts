/** FHIR beside another server that is built for it. */
import { measureBesideHapi } from './beside-hapi.ts';
import type { Row } from '../support/figures.ts';

/** The parts by name, in the order of a whole run. */
export const FHIR: Readonly<Record<string, () => Promise<readonly Row[]>>> = { hapi: measureBesideHapi };
