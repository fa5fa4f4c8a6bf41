/** C-STORE of one multi-frame object of 2 GB: memory must not grow with the object. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { writeLargeObject } from '../support/large-object.ts';
import { missingPrograms, RECEIVERS, type ReceiverName } from '../support/receivers.ts';
import { alternate, ROUNDS } from '../support/rounds.ts';
import { sendPath } from '../support/store-scu.ts';

/** Below 2 GiB, beyond which DCMTK's sizes are not safe. */
const FRAMES = Number(process.env['PASSERELLE_BENCH_LARGE_MB'] ?? 2_000);
const PEAK_BUDGET_MB = 200;
const NAMES = ['passerelle', 'storescp', 'orthanc'] as const satisfies readonly ReceiverName[];

/** Measures; without the peers it says which one is missing. */
export async function measureLargeObject(): Promise<readonly Row[]> {
  const missing = missingPrograms(['storescu', 'storescp', 'Orthanc']);
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-large-'));
  try {
    await writeLargeObject(join(root, 'large.dcm'), FRAMES);
    const measured = await alternate(NAMES, Math.min(ROUNDS, 2), async (name) => await measure(name, root));
    const seconds = (name: (typeof NAMES)[number]): number =>
      medianOf((measured.get(name) ?? []).map((one) => one.seconds));
    return NAMES.map((name) => ({
      name: `${FRAMES} MB: ${name}`,
      figures: {
        seconds: msOf(seconds(name)),
        megabytesPerSecond: Math.round(FRAMES / seconds(name)),
        peakMB: Math.max(...(measured.get(name) ?? []).map(({ peakMB }) => peakMB)),
        ...(name === 'passerelle' ? { budgetMB: PEAK_BUDGET_MB } : {}),
        ratioOfPasserelle: msOf(seconds(name) / seconds('passerelle')),
      },
    }));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function measure(
  name: ReceiverName,
  folder: string,
): Promise<{ readonly seconds: number; readonly peakMB: number }> {
  const receiver = await RECEIVERS[name]({ noDelay: true });
  try {
    const began = performance.now();
    await sendPath(receiver, folder);
    return { seconds: (performance.now() - began) / 1000, peakMB: receiver.used.peakMB() };
  } finally {
    await receiver.stop();
  }
}
