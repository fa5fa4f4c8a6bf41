/** What a data set says it is, read from its beginning. @see DICOM PS3.3 C.12.1 (SOP Common) */
import { Fault } from '../fault.ts';
import { TAG, uidOf } from './attributes.ts';
import { DataSetScanner, EndOfPrefix } from './file/data-set-scanner.ts';
import { SCAN_LIMITS } from './dataset.ts';
import { inflatedPrefixes } from './file/deflated.ts';
import { encodingOf } from './file/transfer-syntax.ts';

const GROUP = 0x00_08;

/** The SOP class and instance of a data set that begins so; undefined when the prefix does not tell. */
export function sopInstanceIn(
  prefix: Uint8Array,
  transferSyntaxUID: string,
): { readonly sopClassUID: string; readonly sopInstanceUID: string } | undefined {
  const encoding = encodingOf(transferSyntaxUID);
  try {
    const [plain] = encoding.deflated ? inflatedPrefixes(prefix, SCAN_LIMITS.maxBytes) : [{ bytes: prefix }];
    const { dataSet } = new DataSetScanner(plain?.bytes ?? prefix, encoding, SCAN_LIMITS, true).scanGroup(GROUP);
    const [sopClassUID, sopInstanceUID] = [uidOf(dataSet, TAG.SOPClassUID), uidOf(dataSet, TAG.SOPInstanceUID)];
    return sopClassUID === undefined || sopInstanceUID === undefined ? undefined : { sopClassUID, sopInstanceUID };
  } catch (error) {
    // Whoever reads it whole says what is wrong with it.
    if (error instanceof EndOfPrefix || error instanceof Fault) return undefined;
    throw error;
  }
}
