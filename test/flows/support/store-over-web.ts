/** Sends a study by STOW-RS, as the client of an establishment does. */
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';

const BOUNDARY = 'e2c1f0f4-stow';

/** Resolves with the status, and the Failure Reason (0008,1197) of each instance that was refused. */
export async function storeOverWeb(
  url: string,
  { token }: FhirCaller,
  study: DemoStudy,
): Promise<{ readonly status: number; readonly reasons: readonly unknown[] }> {
  const parts = [...study.instances()].flatMap(({ bytes }) => [
    Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ]);
  const answer = await fetch(`${url}/dicom-web/studies`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`,
    },
    body: Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--`)]),
  });
  const body = (await answer.json()) as DicomJson;
  const failed = (body['00081198']?.Value ?? []) as readonly DicomJson[];
  return { status: answer.status, reasons: failed.flatMap((one) => one['00081197']?.Value ?? []) };
}
