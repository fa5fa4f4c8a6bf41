/** FHIR reads, authorised and audited, at a fixed modest rate: alone, and while four associations send slices. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { startServer } from '../../support/server.ts';
import { readDuring, readFigures, startReads } from '../support/fhir-reads.ts';
import { msOf, quantileOf, type Row } from '../support/figures.ts';
import { missingPrograms } from '../support/receivers.ts';
import { ROUNDS } from '../support/rounds.ts';
import { writeSlices } from '../support/slices.ts';
import { sendPath } from '../support/store-scu.ts';

const SLICES = 3 * Number(process.env['PASSERELLE_BENCH_SLICES'] ?? 1_000);
const PER_SECOND = 50;
const WARMING_SECONDS = 4;
const IDLE_SECONDS = 8;
const BUDGET = 3;
const SENDER = ESTABLISHMENTS.strasbourg.aeTitle;

type Measured = {
  readonly idle: readonly number[];
  readonly busy: readonly number[];
  readonly failed: number;
  readonly imagesPerSecond: number;
};

/** Measures; without the sender it says that it is missing. */
export async function measureReadsMeanwhile(): Promise<readonly Row[]> {
  const missing = missingPrograms(['storescu']);
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-slices-'));
  try {
    const folders = await writeSlices(root, SLICES, 4);
    const measured: Measured[] = [];
    for (let round = 0; round < ROUNDS; round += 1) measured.push(await measure(folders));
    const [idle, busy] = [measured.flatMap((one) => one.idle), measured.flatMap((one) => one.busy)];
    const ratio = (share: number): number => msOf(quantileOf(busy, share) / quantileOf(idle, share));
    return [
      { name: `${PER_SECOND} reads a second, alone`, figures: readFigures(idle) },
      {
        name: 'while 4 associations send',
        figures: {
          ...readFigures(busy),
          imagesPerSecond: measured.map((one) => Math.round(one.imagesPerSecond)).join(' '),
        },
      },
      {
        name: 'ratio',
        figures: {
          p50: ratio(0.5),
          p99: ratio(0.99),
          budget: BUDGET,
          failed: measured.reduce((sum, { failed }) => sum + failed, 0),
        },
      },
    ];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function measure(folders: readonly string[]): Promise<Measured> {
  const server = await startServer({ env: { STUDY_QUIET_SECONDS: '60' } });
  try {
    const start = await startReads(server, PER_SECOND);
    await readDuring({ ...start, perSecond: 4 * PER_SECOND }, async () => await wait(WARMING_SECONDS * 1000));
    const idle = await readDuring(start, async () => await wait(IDLE_SECONDS * 1000));
    const to = { callingAE: SENDER, calledAE: server.dimse.aeTitle, port: server.dimse.port };
    let seconds = 0;
    const busy = await readDuring(start, async () => {
      const began = performance.now();
      await Promise.all(folders.map(async (folder) => await sendPath(to, folder)));
      seconds = (performance.now() - began) / 1000;
    });
    return { idle: idle.times, busy: busy.times, failed: idle.failed + busy.failed, imagesPerSecond: SLICES / seconds };
  } finally {
    await server.stop();
  }
}
