/** C-STORE of CT slices to Passerelle (index and fsync before the answer), storescp (neither) and Orthanc (both). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { medianOf, msOf, type Row } from './figures.ts';
import { missingPeers, RECEIVERS, wireEnv, type Receiver } from './receivers.ts';
import { writeSlices } from './slices.ts';

const SLICES = 300;
const ROUNDS = Number(process.env['PASSERELLE_BENCH_ROUNDS'] ?? 3);
const NAMES = Object.keys(RECEIVERS);

type Sending = { readonly folders: readonly string[]; readonly noDelay: boolean };
type Measured = { readonly perSecond: number; readonly peakMB: number };

/** Measures; without the peers it says which one is missing. */
export async function measureCStore(): Promise<readonly Row[]> {
  const missing = missingPeers();
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-slices-'));
  try {
    const one = await writeSlices(join(root, '1'), SLICES, 1);
    const four = await writeSlices(join(root, '4'), SLICES, 4);
    return [
      ...(await compare('1 association', { folders: one, noDelay: true }, ROUNDS)),
      ...(await compare('4 associations', { folders: four, noDelay: true }, ROUNDS)),
      ...(await compare('1 association, Nagle on', { folders: one, noDelay: false }, 1)),
    ];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function compare(title: string, sending: Sending, rounds: number): Promise<Row[]> {
  const measured = new Map<string, Measured[]>(NAMES.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of rotated(NAMES, round)) measured.get(name)?.push(await measure(name, sending));
  }
  const medians = new Map(NAMES.map((name) => [name, medianOf((measured.get(name) ?? []).map(({ perSecond }) => perSecond))]));
  const ours = medians.get('passerelle') ?? Number.NaN;
  return NAMES.map((name) => {
    const perSecond = medians.get(name) ?? Number.NaN;
    const runs = (measured.get(name) ?? []).map((one) => Math.round(one.perSecond)).join(' ');
    const peakMB = Math.max(...(measured.get(name) ?? []).map((one) => one.peakMB));
    return { name: `${title}: ${name}`, figures: { imagesPerSecond: msOf(perSecond), runs, peakMB, ratioOfPasserelle: msOf(ours / perSecond) } };
  });
}

/** Nobody is always first. */
function rotated(names: readonly string[], by: number): string[] {
  return names.map((_, at) => names[(at + by) % names.length] ?? '');
}

async function measure(name: string, { folders, noDelay }: Sending): Promise<Measured> {
  const receiver = await RECEIVERS[name]?.({ noDelay });
  if (receiver === undefined) throw new Error(`No receiver ${name}`);
  try {
    const began = performance.now();
    await Promise.all(folders.map(async (folder) => await sendFolder(receiver, folder, noDelay)));
    return { perSecond: (SLICES * 1000) / (performance.now() - began), peakMB: await receiver.peakMB() };
  } finally {
    await receiver.stop();
  }
}

async function sendFolder(to: Receiver, folder: string, noDelay: boolean): Promise<void> {
  const args = ['-R', '-aet', to.callingAE, '-aec', to.calledAE, '127.0.0.1', String(to.port), '+sd', folder];
  const child = spawn('storescu', args, { env: wireEnv(noDelay), stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 || /E:|Failed/.test(errors)) throw new Error(`storescu failed (${code}): ${errors.slice(0, 500)}`);
}
