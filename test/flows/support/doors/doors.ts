/** Every door through which an exam is found and opened. */
import type { Door } from '../door.ts';
import { DICOMWEB_DOORS } from './dicomweb-doors.ts';
import { FHIR_DOORS } from './fhir-doors.ts';
import { PAGE_DOORS } from './page-doors.ts';
import { PICTURE_DOORS } from './picture-doors.ts';
import { XDS_DOORS } from './xds-doors.ts';

/** The doors, in the order of the table. */
export const DOORS: readonly Door[] = [...FHIR_DOORS, ...DICOMWEB_DOORS, ...PICTURE_DOORS, ...PAGE_DOORS, ...XDS_DOORS];
