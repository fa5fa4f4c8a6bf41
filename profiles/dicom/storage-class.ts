/** What may be stored. */
import { DICOM_UID, OTHER_STORAGE_CLASSES } from '../codes.ts';

/** Tells whether a SOP class is one of storage: a standard one, or a private one, of which nobody else can tell. */
export function isStorageClass(sopClassUID: string): boolean {
  if (!sopClassUID.startsWith(DICOM_UID.standardRoot)) return sopClassUID !== '';
  return sopClassUID.startsWith(DICOM_UID.storageClassPrefix) || OTHER_STORAGE_CLASSES.has(sopClassUID);
}

/**
 * Waveforms, presentation states, raw data, registrations, surfaces, mappings, structured reports, documents and plans:
 * the number below the prefix of all.
 */
const WITHOUT_PIXELS = /^((9|11|67|88|104)(\.|$)|(66(\.[12356])?|481\.[3-9])$)/;

/** Tells whether instances of a SOP class may have pixels; those of a private class may. */
export function hasPixels(sopClassUID: string): boolean {
  if (!sopClassUID.startsWith(DICOM_UID.storageClassPrefix)) return !sopClassUID.startsWith(DICOM_UID.standardRoot);
  return !WITHOUT_PIXELS.test(sopClassUID.slice(DICOM_UID.storageClassPrefix.length));
}

/** What kind of document an instance is; undefined for what is none that can be shown. */
export type DocumentKind = 'structured-report' | 'pdf' | 'cda';

/** Returns the kind of document that instances of a SOP class are, key object selections among the reports. */
export function documentKindOf(sopClassUID: string): DocumentKind | undefined {
  if (sopClassUID === DICOM_UID.encapsulatedPdf) return 'pdf';
  if (sopClassUID === DICOM_UID.encapsulatedCda) return 'cda';
  return sopClassUID.startsWith(DICOM_UID.structuredReportPrefix) ? 'structured-report' : undefined;
}
