/** FHIR reads of an establishment's client at a fixed rate, while something else happens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { eventually } from '../../support/clients/fhir-caller.ts';
import { sendStudy } from '../../support/clients/send-study.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import type { TestServer } from '../../support/server.ts';
import { msOf, quantileOf, type Row } from './figures.ts';
import type { ReaderResult, ReaderStart } from './fhir-reader.ts';

const STUDIES = 20;

/** Some studies and their establishment's client, which reads them one after the other. */
export async function startReads(server: TestServer, perSecond: number): Promise<ReaderStart> {
  for (let number = 0; number < STUDIES; number += 1) await sendStudy(server, aStudy({ key: `bench-read-${number}` }));
  const caller = await establishmentCaller(server, 'strasbourg');
  const paths = await eventually(async () => {
    const found = await caller.find('ImagingStudy?_count=100');
    return found.length === STUDIES ? found.map(({ id }) => `/fhir/ImagingStudy/${id}`) : undefined;
  });
  return {
    port: Number(new URL(server.url).port),
    headers: { Authorization: `Bearer ${caller.token}` },
    paths,
    perSecond,
  };
}

/** Reads from a process of its own for as long as the work takes. */
export async function readDuring(start: ReaderStart, work: () => Promise<void>): Promise<ReaderResult> {
  const reader = spawn(
    process.execPath,
    [fileURLToPath(new URL('fhir-reader.ts', import.meta.url)), JSON.stringify(start)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const printed = text(reader.stdout);
  await Promise.race([work(), once(reader, 'exit').then(() => Promise.reject(new Error('The reader ended')))]);
  reader.stdin.end();
  return JSON.parse(await printed) as ReaderResult;
}

/** What reads took, milliseconds. */
export function readFigures(times: readonly number[]): Row['figures'] {
  return {
    reads: times.length,
    p50Ms: msOf(quantileOf(times, 0.5)),
    p99Ms: msOf(quantileOf(times, 0.99)),
    longestMs: msOf(Math.max(...times)),
  };
}
