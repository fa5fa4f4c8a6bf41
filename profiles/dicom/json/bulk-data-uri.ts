/** Where values lie that the DICOM JSON of an instance does not hold. @see DICOM PS3.18 F.2.6 */
import type { BulkDataURI } from './json.ts';

/**
 * Makes the BulkDataURIs of an instance, relative to its series, as viewers resolve them: the instance, then the path
 * of the value. An empty value needs none.
 */
export function bulkDataURIOf(sopInstanceUID: string): BulkDataURI {
  return (path, element) =>
    element.length === 0 ? undefined : `instances/${sopInstanceUID}/bulkdata/${path.join('/')}`;
}
