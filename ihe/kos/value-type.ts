/** How a Key Object Selection refers to an instance: as image, waveform or composite object. */
import { DICOM_UID } from '../../profiles/codes.ts';

/** Value type of a reference. @see DICOM PS3.16 TID 2010 rows 8 to 10 */
export type ReferenceValueType = 'IMAGE' | 'WAVEFORM' | 'COMPOSITE';

/** SOP classes below the storage prefix that hold waveforms (ECG, haemodynamic, audio …). @see DICOM PS3.4 B.5 */
const WAVEFORM = /^9\./;

/**
 * Presentation states (11), raw data and registrations (66, save the segmentations .4 and .7), real world value
 * mapping (67), surface scans (68), ophthalmic measurements (78, 79.1, 80.1), structured reports (88), assessments and
 * annotations (90, 91), encapsulated documents (104), structured display (131), protocols (200), inventories (201),
 * and RT objects without pixels (481, save image .1 and dose .2).
 */
const COMPOSITE = /^(11|68|78|88|90|91|104|200|201)\.|^(67|79\.1|80\.1|131)$|^66(\.[12356])?$|^481\.(?![12]$)/;

/**
 * Tells the value type by SOP class. A storage class of DICOM that is not known to lack pixels is an image, a private
 * class is a composite object.
 */
export function referenceValueType(sopClassUID: string): ReferenceValueType {
  if (!sopClassUID.startsWith(DICOM_UID.storageClassPrefix)) return 'COMPOSITE';
  const suffix = sopClassUID.slice(DICOM_UID.storageClassPrefix.length);
  if (WAVEFORM.test(suffix)) return 'WAVEFORM';
  return COMPOSITE.test(suffix) ? 'COMPOSITE' : 'IMAGE';
}
