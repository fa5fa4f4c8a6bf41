/** Pictures: beside Orthanc, beside FHIR reads, and in the viewer. */
import type { Row } from '../support/figures.ts';
import { measureBesideOrthanc } from './beside-orthanc.ts';
import { measureBusyPool } from './busy-pool.ts';
import { measureViewer } from './viewer.ts';

/** The parts by name, in the order of a whole run. */
export const RENDERED: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  orthanc: measureBesideOrthanc,
  viewer: measureViewer,
  reads: measureBusyPool,
};
