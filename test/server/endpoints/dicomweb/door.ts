/** The DICOMweb door of a clinic, and short forms of asking it. */
import { oidUri } from '../../../../profiles/codes.ts';
import { dicomwebRouter } from '../../../../server/endpoints/dicomweb/router.ts';
import { offsetsOf } from '../../../../profiles/dicom/date-time.ts';
import type { DicomJson } from '../../../../profiles/dicom/json/json.ts';
import { transcodeInstance } from '../../../../server/flows/study/transcode-instance.ts';
import { retrieveInstances } from '../../../../server/flows/retrieve/retrieve-instances.ts';
import { retrieveMetadata } from '../../../../server/flows/retrieve/retrieve-metadata.ts';
import { fileInstance } from '../../../../server/flows/intake/file-instance.ts';
import { receiveStowRequest } from '../../../../server/flows/intake/receive-stow-request.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { retrieveBulkData, retrieveFrames } from '../../../../server/flows/retrieve/retrieve-bulk.ts';
import { retrieveRenderedInstance } from '../../../../server/flows/retrieve/retrieve-rendered-instance.ts';
import { retrieveRendered, retrieveThumbnail } from '../../../../server/flows/retrieve/retrieve-rendered.ts';
import { searchWithinStudy } from '../../../../server/flows/read/search-within-study.ts';
import { searchAcrossStudies } from '../../../../server/flows/read/search-across-studies.ts';
import { searchResources } from '../../../../server/flows/read/search-resources.ts';
import type { ImageStore } from '../../../../server/ports/image-store.ts';
import { PATIENT_DOMAIN, type Clinic } from '../clinic.ts';
import { serve, type ServedRouter } from '../served-router.ts';

/** The address that answers name. */
export const BASE_URL = 'https://passerelle.example/dicom-web';

/** The largest instance that the door takes. */
export const MAX_INSTANCE_BYTES = 4 * 1024 * 1024;

/** Serves the door, its bytes from the images of the clinic or from others. */
export async function serveDicomweb(clinic: Clinic, images: ImageStore = clinic.images): Promise<ServedRouter> {
  const { indexer } = await loadDefinitions();
  return await serve(
    dicomwebRouter({
      identify: clinic.identify,
      searchResources: searchResources(clinic.guard),
      searchWithinStudy: searchWithinStudy(clinic.guard),
      searchAcrossStudies: searchAcrossStudies(clinic.guard),
      retrieveInstances: retrieveInstances(clinic.guard),
      retrieveMetadata: retrieveMetadata(clinic.guard),
      transcode: transcodeInstance({ images, renderer: clinic.renderer }),
      retrieveFrames: retrieveFrames({ ...clinic.guard, images, renderer: clinic.renderer }),
      retrieveBulkData: retrieveBulkData({ ...clinic.guard, images }),
      retrieveRendered: retrieveRendered({ ...clinic.guard, renderer: clinic.renderer }),
      retrieveRenderedInstance: retrieveRenderedInstance({ ...clinic.guard, renderer: clinic.renderer, images }),
      retrieveThumbnail: retrieveThumbnail({ ...clinic.guard, renderer: clinic.renderer }),
      receiveStowRequest: receiveStowRequest({
        ...clinic.guard,
        receiveBytes: receiveBytes({ images, patientIdSystemOf: () => oidUri(PATIENT_DOMAIN) }),
        fileInstance: fileInstance({ ...clinic.guard, images, indexer, region: clinic.region, quietPeriodMs: 60_000 }),
        maxInstanceBytes: MAX_INSTANCE_BYTES,
      }),
      images,
      baseUrl: () => BASE_URL,
      offsetOf: offsetsOf('Europe/Paris'),
    }),
  );
}

/** Asks as somebody (a token of the clinic; undefined for nobody). */
export async function ask(
  door: ServedRouter,
  path: string,
  token: string | undefined = 'lambert',
  headers: Record<string, string> = {},
): Promise<Response> {
  const authorization: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return await fetch(`${door.origin}/dicom-web${path}`, { headers: { ...authorization, ...headers } });
}

/** Asks for DICOM JSON. */
export async function askJson(door: ServedRouter, path: string, token?: string): Promise<readonly DicomJson[]> {
  const response = await ask(door, path, token);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as DicomJson[];
}
