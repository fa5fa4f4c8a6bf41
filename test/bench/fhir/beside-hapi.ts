/**
 * FHIR with access and audit beside HAPI with neither, on the same studies and disk, in alternating rounds. The budget:
 * a third of HAPI's CPU time for a request of each kind, and no p99 above its.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken, signIn } from '../../../fixtures/sign-in.ts';
import { startServer } from '../../support/server.ts';
import { fillWorld } from '../spine/fhir-world.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { runLoad, type Load } from '../support/load.ts';
import { watchProcess, type ProcessTree } from '../../support/run/process-tree.ts';
import { alternate, ROUNDS } from '../support/rounds.ts';
import { ASKED, type Asked } from './asked.ts';
import { fillHapi } from './fill-hapi.ts';
import { startHapi, whyNoHapi } from './hapi-server.ts';

const SECONDS = Number(process.env['PASSERELLE_BENCH_SECONDS'] ?? 5);
/** The JIT compiler of a JVM takes its time. */
const WARMING_SECONDS = Number(process.env['PASSERELLE_BENCH_WARMING'] ?? 30);
const WARMING_CONNECTIONS = 8;
/** Work that no answer waits for is counted, too. */
const TAIL_MS = 700;
const CPU_BUDGET = 3;

type Side = {
  readonly name: 'passerelle' | 'hapi';
  readonly port: number;
  readonly ids: readonly string[];
  readonly used: ProcessTree;
  /** Tokens of backend clients are short-lived. */
  readonly headersFor: (asked: Asked) => Promise<Readonly<Record<string, string>>>;
};
type Measured = Load & { readonly cpuMs: number; readonly pssMB: number };

/** Measures; without HAPI it says that it is missing. */
export async function measureBesideHapi(): Promise<readonly Row[]> {
  const missing = whyNoHapi();
  if (missing !== undefined) return [{ name: 'skipped', figures: { missing } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-hapi-'));
  // Its database runs as another account.
  await chmod(root, 0o755);
  const hapi = await startHapi(join(root, 'hapi'));
  try {
    const [dataDir, hapiIds] = [join(root, 'passerelle'), await fillHapi(hapi.port)];
    const ids = await fillWorld(dataDir);
    const server = await startServer({ dataDir });
    try {
      const { url, pid } = server;
      const reading = { Authorization: `Bearer ${await signIn({ url, person: 'demo-radiologist' })}` };
      const { clientId: client } = ESTABLISHMENTS.strasbourg;
      const headersFor = async ({ isWrite }: Asked) =>
        isWrite === true ? { Authorization: `Bearer ${await clientToken({ url, client })}` } : reading;
      const used = watchProcess(pid);
      const ours: Side = { name: 'passerelle', port: Number(new URL(url).port), ids, used, headersFor };
      const theirs: Side = { ...hapi, name: 'hapi', ids: hapiIds, headersFor: async () => ({}) };
      const rows = await compare(ours, theirs);
      used.stop();
      return rows;
    } finally {
      await server.stop();
    }
  } finally {
    await hapi.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function compare(ours: Side, theirs: Side): Promise<Row[]> {
  for (const asked of ASKED)
    for (const side of [ours, theirs]) await measure(side, asked, WARMING_CONNECTIONS, WARMING_SECONDS);
  const rows: Row[] = [];
  for (const asked of ASKED)
    for (const connections of asked.connections) rows.push(await compareOne(asked, connections, ours, theirs));
  return rows;
}

async function compareOne(asked: Asked, connections: number, ours: Side, theirs: Side): Promise<Row> {
  const measured = await alternate([ours, theirs], ROUNDS, (side) => measure(side, asked, connections, SECONDS));
  const of = (side: Side, figure: keyof Measured): number =>
    medianOf((measured.get(side) ?? []).map((one) => one[figure]));
  const told = (side: Side): string =>
    `${msOf(of(side, 'perSecond'))}/s p50 ${msOf(of(side, 'p50'))} p99 ${msOf(of(side, 'p99'))} ` +
    `cpu ${msOf(of(side, 'cpuMs'))} memory ${Math.max(...(measured.get(side) ?? []).map(({ pssMB }) => pssMB))} MB`;
  const cpu = of(theirs, 'cpuMs') / of(ours, 'cpuMs');
  const p99 = of(ours, 'p99') / of(theirs, 'p99');
  return {
    name: `${asked.name}, ${connections} client${connections === 1 ? '' : 's'}`,
    figures: {
      passerelle: told(ours),
      hapi: told(theirs),
      throughput: msOf(of(ours, 'perSecond') / of(theirs, 'perSecond')),
      hapiCpuToOurs: msOf(cpu),
      p99ToHapi: msOf(p99),
      withinBudget: cpu >= CPU_BUDGET && p99 <= 1 ? 'yes' : 'no',
      failed: [...measured.values()].flat().reduce((sum, { failed }) => sum + failed, 0),
    },
  };
}

async function measure(side: Side, asked: Asked, connections: number, seconds: number): Promise<Measured> {
  const headers = await side.headersFor(asked);
  const { port, ids, used } = side;
  // HAPI keeps the results of a search for a minute: it is never asked the same at once.
  const askAt = (): ReturnType<Asked['askAt']> => asked.askAt((sequence += 1), ids);
  const before = used.cpuMs();
  const load = await runLoad({ port, headers, connections, seconds, askAt, expected: asked.expected });
  await wait(TAIL_MS);
  return { ...load, cpuMs: (used.cpuMs() - before) / load.requests, pssMB: used.pssMB() };
}

let sequence = 0;
