/** FHIR read and search of a professional, access and audit on, beside the bare server that writes as many bytes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { signIn } from '../../../fixtures/sign-in.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { personKey } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';
import { joinParts, lastingRight, putOf } from '../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openReader } from '../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { startServer } from '../../support/server.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { runLoad, type Load } from '../support/load.ts';

const STUDIES = Number(process.env['PASSERELLE_BENCH_FHIR_STUDIES'] ?? 20_000);
const STUDIES_PER_PATIENT = 10;
const BATCH = 200;
const CONNECTIONS = 32;
const SECONDS = 5;
const ROUNDS = 2;
const PAGE = 20;

/** What the bare server is started with. */
export type BareStart = {
  readonly records: string;
  readonly audit: string;
  readonly auditBytes: number;
  readonly page: number;
};

/** Measures. */
export async function measureFhir(): Promise<readonly Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-fhir-'));
  try {
    const ids = await fillWorld(dataDir);
    return await compare(dataDir, ids);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Loads the studies through the port, as the flows do; the radiologist sees all. */
async function fillWorld(dataDir: string): Promise<string[]> {
  const { indexer } = await loadDefinitions();
  const stores = await openSqliteStores({ dataDir });
  const { organization, service } = ESTABLISHMENTS.strasbourg;
  const ids: string[] = [];
  for (let at = 0; at < STUDIES; at += BATCH) {
    const parts = Array.from({ length: BATCH }, (_, index) => {
      const study = aStudyResource(at + index);
      ids.push(study.id);
      const person = personKey(`person-${Math.floor((at + index) / STUDIES_PER_PATIENT)}`);
      const rights = [
        lastingRight(person, principal.establishment(organization), 'author', { item: `ImagingStudy/${study.id}` }),
        ...(index % STUDIES_PER_PATIENT === 0
          ? [lastingRight(person, principal.radiologists(service), 'imaging-service', 'record')]
          : []),
      ];
      return { puts: [putOf(indexer, study, at, { person, subject: study.subject.reference ?? '' })], rights };
    });
    await stores.records.commit(joinParts(...parts));
  }
  await stores.close();
  return ids;
}

function aStudyResource(number: number): ImagingStudy & { id: string } {
  const uid = `2.25.9000${number}`;
  const series = Array.from({ length: 3 }, (_, at) => ({
    uid: `${uid}.${at}`,
    number: at + 1,
    modality: { system: CODE_SYSTEM.dcm, code: 'CT' },
    description: `Série ${at + 1}`,
    numberOfInstances: 120,
    instance: Array.from({ length: 4 }, (__, one) => ({
      uid: `${uid}.${at}.${one}`,
      sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' },
      number: one + 1,
    })),
  }));
  return {
    resourceType: 'ImagingStudy',
    id: randomUUID(),
    identifier: [{ system: IDENTIFIER_SYSTEM.dicomUid, value: `urn:oid:${uid}` }],
    status: 'available',
    modality: [{ system: CODE_SYSTEM.dcm, code: number % 5 < 2 ? 'CT' : 'MR' }],
    subject: { reference: `Patient/bench-${Math.floor(number / STUDIES_PER_PATIENT)}` },
    started: new Date(Date.UTC(2025, 0, 1) + number * 60_000).toISOString(),
    description: 'Scanner thoracique avec injection',
    numberOfSeries: 3,
    numberOfInstances: 360,
    series,
  };
}

type Asked = { readonly name: string; readonly pathAt: (sequence: number) => string };

async function compare(dataDir: string, ids: readonly string[]): Promise<Row[]> {
  const idAt = (sequence: number): string => ids[(sequence * 7919) % ids.length] ?? '';
  const asked: Asked[] = [
    { name: 'read', pathAt: (sequence) => `/fhir/ImagingStudy/${idAt(sequence)}` },
    {
      name: `search of a patient (${STUDIES_PER_PATIENT} rows)`,
      pathAt: (sequence) =>
        `/fhir/ImagingStudy?patient=Patient/bench-${(sequence * 31) % (STUDIES / STUDIES_PER_PATIENT)}&_count=${PAGE}`,
    },
    { name: `search, page of ${PAGE}`, pathAt: () => `/fhir/ImagingStudy?_count=${PAGE}` },
  ];
  const server = await startServer({ dataDir });
  const bare = await startBare(dataDir);
  try {
    const token = await signIn({ url: server.url, person: 'demo-radiologist' });
    const ours = { port: Number(new URL(server.url).port), headers: { Authorization: `Bearer ${token}` } };
    const rows: Row[] = [];
    for (const one of asked) rows.push(await compareOne(one, ours, { port: bare.port, headers: {} }));
    return rows;
  } finally {
    bare.child.kill('SIGKILL');
    await server.stop();
  }
}

type Target = { readonly port: number; readonly headers: Readonly<Record<string, string>> };

async function compareOne({ name, pathAt }: Asked, ours: Target, bare: Target): Promise<Row> {
  const measured: { ours: Load[]; bare: Load[] } = { ours: [], bare: [] };
  const run = async (target: Target, connections: number, seconds: number): Promise<Load> =>
    await runLoad({ ...target, connections, seconds, pathAt });
  await run(ours, CONNECTIONS, 1);
  await run(bare, CONNECTIONS, 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    measured.ours.push(await run(ours, CONNECTIONS, SECONDS));
    measured.bare.push(await run(bare, CONNECTIONS, SECONDS));
  }
  const [aloneOurs, aloneBare] = [await run(ours, 1, 2), await run(bare, 1, 2)];
  const median = (loads: readonly Load[], of: keyof Load): number => medianOf(loads.map((load) => load[of]));
  const figures = (loads: readonly Load[]): string =>
    `${Math.round(median(loads, 'perSecond'))}/s p50 ${msOf(median(loads, 'p50'))} p99 ${msOf(median(loads, 'p99'))}`;
  return {
    name,
    figures: {
      passerelle: figures(measured.ours),
      bare: figures(measured.bare),
      ratio: msOf(median(measured.ours, 'perSecond') / median(measured.bare, 'perSecond')),
      aloneP50Ms: msOf(aloneOurs.p50),
      bareAloneP50Ms: msOf(aloneBare.p50),
      failed: measured.ours.reduce((sum, { failed }) => sum + failed, 0),
    },
  };
}

async function startBare(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const start: BareStart = {
    records: join(dataDir, 'records.sqlite'),
    audit: join(dataDir, 'bare-audit.sqlite'),
    auditBytes: auditBytesOf(dataDir),
    page: PAGE,
  };
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('bare-server.ts', import.meta.url)), JSON.stringify(start)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (child.stdout === null) throw new Error('The bare server has no stdout');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, port: (JSON.parse(line) as { port: number }).port };
}

/**
 * The bytes of an event of the trail, its search values and its access, as the server has written them at its start.
 */
function auditBytesOf(dataDir: string): number {
  const trail = openReader(join(dataDir, 'trail.sqlite'));
  const sums = trail.get<{ bytes: number | null }>('SELECT avg(length(body)) AS bytes FROM chain');
  trail.close();
  return Math.max(BYTES_OF_EVENT, Math.round(sums?.bytes ?? 0));
}

/** What an event of one read adds to the file: body, personal side, fourteen entries. */
const BYTES_OF_EVENT = 1_900;
