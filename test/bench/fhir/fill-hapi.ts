/** Puts the studies of the bench's world into a HAPI server. */
import { aStudyResource, patientOf, STUDIES, STUDIES_PER_PATIENT } from '../spine/fhir-world.ts';

const BATCH = 100;

/** Puts the patients, then the studies; resolves with the ids that the server gave the studies. */
export async function fillHapi(port: number): Promise<string[]> {
  await inBatches(STUDIES / STUDIES_PER_PATIENT, async (numbers) => {
    await submit(port, numbers.map(aPatientEntry));
  });
  const ids: string[] = [];
  await inBatches(STUDIES, async (numbers) => {
    const entries = numbers.map((number) => {
      const { id: _, ...resource } = aStudyResource(number);
      return { resource, request: { method: 'POST', url: 'ImagingStudy' } };
    });
    for (const location of await submit(port, entries)) ids.push(/ImagingStudy\/([^/]+)/.exec(location)?.[1] ?? '');
  });
  return ids;
}

function aPatientEntry(number: number): object {
  const url = patientOf(number * STUDIES_PER_PATIENT);
  const resource = {
    resourceType: 'Patient',
    id: url.slice('Patient/'.length),
    name: [{ family: `Essai-${number}` }],
    gender: 'female',
    birthDate: '1950-04-17',
  };
  return { resource, request: { method: 'PUT', url } };
}

async function inBatches(total: number, work: (numbers: readonly number[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < total; at += BATCH)
    await work(Array.from({ length: Math.min(BATCH, total - at) }, (_, index) => at + index));
}

async function submit(port: number, entry: readonly object[]): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/fhir`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json', Prefer: 'return=minimal' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  });
  const answer = (await response.json()) as { entry?: { response?: { location?: string } }[] };
  if (!response.ok) throw new Error(`HAPI answers ${response.status}: ${JSON.stringify(answer).slice(0, 500)}`);
  return (answer.entry ?? []).map(({ response: made }) => made?.location ?? '');
}
