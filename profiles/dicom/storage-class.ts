/** What may be stored. */
import { DICOM_UID, OTHER_STORAGE_CLASSES } from '../codes.ts';

/** Tells whether a SOP class is one of storage: a standard one, or a private one, of which nobody else can tell. */
export function isStorageClass(sopClassUID: string): boolean {
  if (!sopClassUID.startsWith(DICOM_UID.standardRoot)) return sopClassUID !== '';
  return sopClassUID.startsWith(DICOM_UID.storageClassPrefix) || OTHER_STORAGE_CLASSES.has(sopClassUID);
}
