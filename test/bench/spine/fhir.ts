/** FHIR read and search of a professional, access and audit on, beside the bare server that writes as many bytes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { signIn } from '../../../fixtures/sign-in.ts';
import { openReader } from '../../../server/stores/sqlite/database.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { runLoad, type Load } from '../support/load.ts';
import { watchProcess, type ProcessTree } from '../../support/run/process-tree.ts';
import { alternate, ROUNDS } from '../support/rounds.ts';
import { fillWorld, STUDIES_PER_PATIENT } from './fhir-world.ts';

const CONNECTIONS = 32;
const SECONDS = Number(process.env['PASSERELLE_BENCH_SECONDS'] ?? 5);
const WARMING_SECONDS = 3;
const SECONDS_ALONE = 2;
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

type Asked = { readonly name: string; readonly pathAt: (sequence: number) => string };

function askedOf(ids: readonly string[]): readonly Asked[] {
  const idAt = (sequence: number): string => ids[(sequence * 7919) % ids.length] ?? '';
  const patients = ids.length / STUDIES_PER_PATIENT;
  return [
    { name: 'read', pathAt: (sequence) => `/fhir/ImagingStudy/${idAt(sequence)}` },
    {
      name: `search of a patient (${STUDIES_PER_PATIENT} rows)`,
      pathAt: (sequence) => `/fhir/ImagingStudy?patient=Patient/bench-${(sequence * 31) % patients}&_count=${PAGE}`,
    },
    { name: `search, page of ${PAGE}`, pathAt: () => `/fhir/ImagingStudy?_count=${PAGE}` },
  ];
}

/** A server that is asked, and what it uses. */
type Side = Target & { readonly name: 'passerelle' | 'withoutAudit' | 'bare'; readonly used: ProcessTree };
type Target = { readonly port: number; readonly headers: Readonly<Record<string, string>> };

async function compare(dataDir: string, ids: readonly string[]): Promise<Row[]> {
  const other = `${dataDir}-without-audit`;
  await cp(dataDir, other, { recursive: true });
  const preload = fileURLToPath(new URL('without-audit.ts', import.meta.url));
  const servers = [
    await startServer({ dataDir }),
    await startServer({ dataDir: other, under: ['/usr/bin/env', `NODE_OPTIONS=--import=${preload}`] }),
  ] as const;
  const bare = await startBare(dataDir);
  const [ours, unaudited] = servers;
  try {
    const sides: Side[] = [
      { ...(await targetOf(ours)), name: 'passerelle', used: watchProcess(ours.pid) },
      { ...(await targetOf(unaudited)), name: 'withoutAudit', used: watchProcess(unaudited.pid) },
      { port: bare.port, headers: {}, name: 'bare', used: watchProcess(bare.child.pid ?? 0) },
    ];
    const rows: Row[] = [];
    for (const one of askedOf(ids)) rows.push(await compareOne(one, sides));
    for (const { used } of sides) used.stop();
    return rows;
  } finally {
    bare.child.kill('SIGKILL');
    for (const server of servers) await server.stop();
    await rm(other, { recursive: true, force: true });
  }
}

async function targetOf({ url }: TestServer): Promise<Target> {
  const token = await signIn({ url, person: 'demo-radiologist' });
  return { port: Number(new URL(url).port), headers: { Authorization: `Bearer ${token}` } };
}

/** A load, and the CPU time of the server for each of its requests. */
type Measured = Load & { readonly cpuMs: number };

async function runOn(side: Side, pathAt: Asked['pathAt'], connections: number, seconds: number): Promise<Measured> {
  const before = side.used.cpuMs();
  const load = await runLoad({
    port: side.port,
    headers: side.headers,
    connections,
    seconds,
    askAt: (sequence) => ({ path: pathAt(sequence) }),
  });
  return { ...load, cpuMs: (side.used.cpuMs() - before) / load.requests };
}

async function compareOne({ name, pathAt }: Asked, sides: readonly Side[]): Promise<Row> {
  for (const side of sides) await runOn(side, pathAt, CONNECTIONS, WARMING_SECONDS);
  const together = await alternate(sides, ROUNDS, (side) => runOn(side, pathAt, CONNECTIONS, SECONDS));
  const alone = await alternate(sides, ROUNDS, (side) => runOn(side, pathAt, 1, SECONDS_ALONE));
  const of = (measured: ReadonlyMap<Side, readonly Measured[]>, name: Side['name'], figure: keyof Measured): number => {
    const side = sides.find((side) => side.name === name);
    return medianOf((side && measured.get(side))?.map((one) => one[figure]) ?? []);
  };
  const told = (name: Side['name']): string =>
    `${Math.round(of(together, name, 'perSecond'))}/s p99 ${msOf(of(together, name, 'p99'))} ` +
    `cpu ${msOf(of(together, name, 'cpuMs'))}`;
  const ratio = (figure: keyof Measured, name: Side['name']): number =>
    msOf(of(together, 'passerelle', figure) / of(together, name, figure));
  return {
    name,
    figures: {
      passerelle: told('passerelle'),
      withoutAudit: told('withoutAudit'),
      bare: told('bare'),
      ratioToBare: ratio('perSecond', 'bare'),
      ratioToWithoutAudit: ratio('perSecond', 'withoutAudit'),
      cpuToBare: ratio('cpuMs', 'bare'),
      aloneP50Ms: msOf(of(alone, 'passerelle', 'p50')),
      withoutAuditAloneP50Ms: msOf(of(alone, 'withoutAudit', 'p50')),
      bareAloneP50Ms: msOf(of(alone, 'bare', 'p50')),
      failed: [...together.values()].flat().reduce((sum, { failed }) => sum + failed, 0),
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
