/** STOW-RS of files, as a backend client of an establishment sends them. @see DICOM PS3.18 10.5 */
import type { DicomJson } from '../../profiles/dicom/json/json.ts';

const BOUNDARY = 'hostile-objects';

/** The status, and the failure reason (0008,1197) of each file that was refused. */
export type Stowed = { readonly status: number; readonly reasons: readonly unknown[] };

/** Sends Part 10 files in one request; `path` may name a study. */
export async function stow(
  { url, token, path = 'studies' }: { readonly url: string; readonly token: string; readonly path?: string },
  files: readonly Uint8Array[],
): Promise<Stowed> {
  const parts = files.flatMap((file) => [
    Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ]);
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`,
  };
  const response = await fetch(`${url}/dicom-web/${path}`, {
    method: 'POST',
    headers,
    body: Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--`)]),
  });
  const text = await response.text();
  const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as DicomJson;
  const failures = [answer['00081198'], answer['0008119A']].flatMap(
    (sequence) => (sequence?.Value ?? []) as DicomJson[],
  );
  return { status: response.status, reasons: failures.map((one) => one['00081197']?.Value?.[0]) };
}
