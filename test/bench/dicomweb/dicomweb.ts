/** DICOMweb beside Orthanc with its plugin: lists, metadata, pixels, storage. */
import type { Row } from '../support/figures.ts';
import { measureLists } from './lists.ts';
import { measureQido } from './qido.ts';
import { measureRetrieve } from './retrieve.ts';
import { measureStow } from './stow.ts';

/** The parts by name, in the order of a whole run. */
export const DICOMWEB: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  qido: measureQido,
  lists: measureLists,
  retrieve: measureRetrieve,
  stow: measureStow,
};
