/**
 * C-STORE of CT slices to Passerelle (index and fsync before the answer), Orthanc (both) and storescp (neither). Every
 * receiver is fresh and warmed by a first study, which is not counted: servers run for months, so what is compiled and
 * cached in the first seconds is no part of the comparison.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { missingPrograms, RECEIVERS, type ReceiverName } from '../support/receivers.ts';
import { alternate, ROUNDS } from '../support/rounds.ts';
import { sliceStudy, writeSlices, writeStudy } from '../support/slices.ts';
import { sendPath } from '../support/store-scu.ts';

const SLICES = Number(process.env['PASSERELLE_BENCH_SLICES'] ?? 1_000);
const WARMING_SLICES = 400;
/** A stall of 40 ms an image: fewer will do. */
const SLICES_WITH_NAGLE = 200;
const NAMES = Object.keys(RECEIVERS) as ReceiverName[];

type Sending = {
  readonly folders: readonly string[];
  readonly count: number;
  readonly noDelay: boolean;
  readonly warming: string;
};
type Measured = { readonly perSecond: number; readonly cpuMs: number; readonly peakMB: number };

/** Measures; without the peers it says which one is missing. */
export async function measureCStore(): Promise<readonly Row[]> {
  const missing = missingPrograms(['storescu', 'storescp', 'Orthanc']);
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-slices-'));
  try {
    const warming = join(root, 'warming');
    await writeStudy(warming, sliceStudy('bench-warming', WARMING_SLICES));
    const one = await writeSlices(join(root, '1'), SLICES, 1);
    const four = await writeSlices(join(root, '4'), SLICES, 4);
    const few = await writeSlices(join(root, 'few'), SLICES_WITH_NAGLE, 2);
    // The first start of a version compiles it, for all that follow.
    await (await RECEIVERS.passerelle()).stop();
    return [
      ...(await compare('1 association', { folders: one, count: SLICES, noDelay: true, warming }, ROUNDS, {
        orthanc: 2.5,
        storescp: 0.45,
      })),
      ...(await compare('4 associations', { folders: four, count: SLICES, noDelay: true, warming }, ROUNDS, {
        orthanc: 2.5,
        storescp: 0.6,
      })),
      ...(await compare(
        '1 association, Nagle on',
        { folders: few.slice(0, 1), count: SLICES_WITH_NAGLE / 2, noDelay: false, warming },
        1,
        {},
      )),
    ];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** `budgets` are the least ratios of ours to theirs. */
async function compare(
  title: string,
  sending: Sending,
  rounds: number,
  budgets: Partial<Readonly<Record<ReceiverName, number>>>,
): Promise<Row[]> {
  const measured = await alternate(NAMES, rounds, async (name) => await measure(name, sending));
  const median = (name: ReceiverName, of: keyof Measured): number =>
    medianOf((measured.get(name) ?? []).map((one) => one[of]));
  return NAMES.map((name) => {
    const runs = measured.get(name) ?? [];
    const budget = budgets[name];
    return {
      name: `${title}: ${name}`,
      figures: {
        imagesPerSecond: msOf(median(name, 'perSecond')),
        runs: runs.map(({ perSecond }) => Math.round(perSecond)).join(' '),
        cpuMsPerImage: msOf(median(name, 'cpuMs')),
        peakMB: Math.max(...runs.map(({ peakMB }) => peakMB)),
        ratioOfPasserelle: msOf(median('passerelle', 'perSecond') / median(name, 'perSecond')),
        ...(budget === undefined ? {} : { budget }),
      },
    };
  });
}

async function measure(name: ReceiverName, { folders, count, noDelay, warming }: Sending): Promise<Measured> {
  const receiver = await RECEIVERS[name]({ noDelay });
  try {
    await sendPath(receiver, warming);
    const [began, cpuBefore] = [performance.now(), receiver.used.cpuMs()];
    await Promise.all(folders.map(async (folder) => await sendPath(receiver, folder, noDelay)));
    const seconds = (performance.now() - began) / 1000;
    return {
      perSecond: count / seconds,
      cpuMs: (receiver.used.cpuMs() - cpuBefore) / count,
      peakMB: receiver.used.peakMB(),
    };
  } finally {
    await receiver.stop();
  }
}
