/** Sends a study as a modality of its establishment does: one association, one C-STORE an instance. */
import dimse from 'dcmjs-dimse';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import type { TestServer } from '../server.ts';

const STORED_WITHIN_MS = 15_000;

// The library tells each step on the console.
dimse.log.disableAll();

/**
 * Sends every instance; gives their statuses in order (0 is success). `callingAE` is the establishment's when left out.
 */
export async function sendStudy(
  server: Pick<TestServer, 'dimse'>,
  study: DemoStudy,
  callingAE: string = study.establishment.aeTitle,
): Promise<number[]> {
  const { host, port, aeTitle } = server.dimse;
  const client = new dimse.Client();
  const statuses: number[] = [];
  for (const { bytes } of study.instances()) client.addRequest(storeRequest(bytes, (status) => statuses.push(status)));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.on('closed', resolve);
  client.on('networkError', reject);
  client.on('associationRejected', () => reject(new Error('The association was rejected')));
  const timer = setTimeout(() => reject(new Error('The association takes too long')), STORED_WITHIN_MS);
  client.send(host, port, callingAE, aeTitle);
  await promise.finally(() => clearTimeout(timer));
  return statuses;
}

function storeRequest(
  bytes: Uint8Array,
  answered: (status: number) => void,
): InstanceType<typeof dimse.requests.CStoreRequest> {
  const { dataSetOffset, transferSyntaxUID = '' } = parseFileMeta(bytes);
  const request = new dimse.requests.CStoreRequest(
    new dimse.Dataset(Buffer.from(bytes.subarray(dataSetOffset)), transferSyntaxUID),
  );
  request.on('response', (response) => answered(response.getStatus()));
  return request;
}
