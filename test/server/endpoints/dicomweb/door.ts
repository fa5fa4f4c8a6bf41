/** The DICOMweb door of a clinic, and short forms of asking it. */
import { dicomwebRouter } from '../../../../server/endpoints/dicomweb/router.ts';
import { offsetsOf } from '../../../../profiles/dicom/date-time.ts';
import type { DicomJson } from '../../../../profiles/dicom/json.ts';
import { retrieveInstances } from '../../../../server/flows/retrieve-instances.ts';
import { retrieveBulkData, retrieveFrames } from '../../../../server/flows/retrieve-bulk.ts';
import { searchResources } from '../../../../server/flows/search-resources.ts';
import type { ImageStore } from '../../../../server/ports/image-store.ts';
import { serve, type Clinic, type ServedRouter } from '../clinic.ts';

/** The address that answers name. */
export const BASE_URL = 'https://passerelle.example/dicom-web';

/** Serves the door, its bytes from the images of the clinic or from others. */
export async function serveDicomweb(clinic: Clinic, images: ImageStore = clinic.images): Promise<ServedRouter> {
  return await serve(
    dicomwebRouter({
      identify: clinic.identify,
      searchResources: searchResources(clinic.guard),
      retrieveInstances: retrieveInstances(clinic.guard),
      retrieveFrames: retrieveFrames({ ...clinic.guard, images }),
      retrieveBulkData: retrieveBulkData({ ...clinic.guard, images }),
      images,
      baseUrl: () => BASE_URL,
      offsetOf: offsetsOf('Europe/Paris'),
    }),
  );
}

/** Asks as somebody (a token of the clinic; undefined for nobody). */
export async function ask(door: ServedRouter, path: string, token: string | undefined = 'lambert', headers: Record<string, string> = {}): Promise<Response> {
  const authorization: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return await fetch(`${door.origin}/dicom-web${path}`, { headers: { ...authorization, ...headers } });
}

/** Asks for DICOM JSON. */
export async function askJson(door: ServedRouter, path: string, token?: string): Promise<readonly DicomJson[]> {
  const response = await ask(door, path, token);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as DicomJson[];
}
