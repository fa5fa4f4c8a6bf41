/** What a server must still be after it was sent anything at all: alive, silent about patients, small, and whole. */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { PATIENTS } from '../../fixtures/people.ts';
import type { Demonstration } from '../support/demonstration.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { orphanFiles } from '../support/data-folder/orphan-files.ts';
import type { TestServer } from '../support/server.ts';

/** Resident memory of the server's process, in megabytes. */
export function residentMegabytes({ pid }: TestServer): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/**
 * Descriptors of the server's process: of files of the image store that hold bytes (it makes empty ones ahead), and of
 * connections.
 */
export function descriptorsOf({ pid, dataDir }: TestServer): { readonly images: number; readonly sockets: number } {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((name) => ({
    path: join(folder, name),
    target: targetOf(join(folder, name)),
  }));
  const images = targets.filter(
    ({ path, target }) => target.startsWith(join(dataDir, 'images')) && holdsBytes(path),
  ).length;
  return { images, sockets: targets.filter(({ target }) => target.startsWith('socket:')).length };
}

/** One that was closed meanwhile has no target. */
function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Also of a file that has no name any more. */
function holdsBytes(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Connections that a client may keep for its next request. */
const KEPT_ALIVE = 8;

/**
 * Expects that nothing is left of what was refused or broken off: no file without a row, no descriptor of one, no
 * connection.
 */
export async function expectNothingLeft(server: TestServer, before: { readonly sockets: number }): Promise<void> {
  const left = async (): Promise<object> => {
    const { images, sockets } = descriptorsOf(server);
    return {
      files: (await orphanFiles(server.dataDir)).length,
      images,
      connections: Math.max(0, sockets - before.sockets - KEPT_ALIVE),
    };
  };
  const nothing = JSON.stringify({ files: 0, images: 0, connections: 0 });
  await eventually(async () => (JSON.stringify(await left()) === nothing ? true : undefined), 15).catch(
    () => undefined,
  );
  expect(JSON.stringify(await left())).to.equal(nothing);
}

/** Expects that the log names no patient, and holds no token and no text of a query. */
export function expectDiscreetLog(server: TestServer, ...secrets: readonly string[]): void {
  const log = server.log();
  const names = Object.values(PATIENTS).flatMap(({ familyName, givenName, national, birthDate, localId }) => [
    familyName,
    encodeURIComponent(familyName),
    givenName,
    national.value,
    birthDate,
    ...Object.values(localId),
  ]);
  for (const secret of [...names, ...secrets]) expect(log.includes(secret), `the log holds ${secret}`).to.equal(false);
  expect(log, 'errors of the server').to.not.match(/"level":"error"/);
}

/**
 * Expects that what was accepted stands, and that good requests are served on each door; `moreStudies` were sent to
 * Strasbourg beside.
 */
export async function expectWhole({ server, strasbourg, patient }: Demonstration, moreStudies = 0): Promise<void> {
  expect((await fetch(`${server.url}/health/ready`)).status).to.equal(200);
  const counts = await Promise.all(
    ['Patient', 'ImagingStudy', 'DiagnosticReport'].map(
      async (type) => (await strasbourg.get(`${type}?_summary=count`)).json<Bundle>().total,
    ),
  );
  expect(counts).to.deep.equal([2, 2 + moreStudies, 2]);
  expect((await patient.get('ImagingStudy?_summary=count')).json<Bundle>().total).to.equal(2);
  const studies = await fetch(`${server.url}/dicom-web/studies`, {
    headers: { authorization: `Bearer ${patient.token}`, accept: 'application/dicom+json' },
  });
  expect((await studies.json()) as unknown[]).to.have.length(2);
}
