/** What a server must still be after it was sent anything at all: alive, silent about patients, small, and whole. */
import { readFileSync } from 'node:fs';
import type { Bundle } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { PATIENTS } from '../../fixtures/people.ts';
import type { Demonstration } from '../support/demonstration.ts';
import type { TestServer } from '../support/server.ts';

/** Resident memory of the server's process, in megabytes. */
export function residentMegabytes({ pid }: TestServer): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** Expects that the log names no patient, and holds no token and no text of a query. */
export function expectDiscreetLog(server: TestServer, ...secrets: readonly string[]): void {
  const log = server.log();
  const names = Object.values(PATIENTS).flatMap(({ familyName, givenName, national, birthDate, localId }) => [
    familyName, encodeURIComponent(familyName), givenName, national.value, birthDate, ...Object.values(localId),
  ]);
  for (const secret of [...names, ...secrets]) expect(log.includes(secret), `the log holds ${secret}`).to.equal(false);
  expect(log, 'errors of the server').to.not.match(/"level":"error"/);
}

/** Expects that what was accepted stands, and that good requests are served on each door; `moreStudies` were sent to Strasbourg beside. */
export async function expectWhole({ server, strasbourg, patient }: Demonstration, moreStudies = 0): Promise<void> {
  expect((await fetch(`${server.url}/health/ready`)).status).to.equal(200);
  const counts = await Promise.all(['Patient', 'ImagingStudy', 'DiagnosticReport'].map(async (type) => (await strasbourg.get(`${type}?_summary=count`)).json<Bundle>().total));
  expect(counts).to.deep.equal([2, 2 + moreStudies, 2]);
  expect((await patient.get('ImagingStudy?_summary=count')).json<Bundle>().total).to.equal(2);
  const studies = await fetch(`${server.url}/dicom-web/studies`, { headers: { authorization: `Bearer ${patient.token}`, accept: 'application/dicom+json' } });
  expect((await studies.json()) as unknown[]).to.have.length(2);
}
