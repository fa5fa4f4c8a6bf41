/** FHIR reads, authorised and audited, at a modest rate: alone, and beside a pool that renders without a pause. */
import { setTimeout as wait } from 'node:timers/promises';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken } from '../../../fixtures/sign-in.ts';
import { startServer } from '../../support/server.ts';
import { msOf, quantileOf, type Row } from '../support/figures.ts';
import { readDuring, readFigures, startReads } from '../support/fhir-reads.ts';
import { runLoad } from '../support/load.ts';
import { ROUNDS } from '../support/rounds.ts';
import { stow } from '../../hostile/stow.ts';
import { ctSlices } from './images.ts';

const PER_SECOND = 50;
const WARMING_SECONDS = 4;
const SECONDS = 8;
const IN_FLIGHT = 32;
const SLICES = 50;
/** Qualities of JPEG make one slice many pictures, none of which is kept yet. */
const QUALITIES = 100;
const BUDGET = 3;

/** Measures. */
export async function measureBusyPool(): Promise<readonly Row[]> {
  const server = await startServer({ env: { STUDY_QUIET_SECONDS: '60' } });
  try {
    const start = await startReads(server, PER_SECOND);
    const token = await clientToken({ url: server.url, client: ESTABLISHMENTS.strasbourg.clientId });
    const slices = ctSlices('bench-busy', SLICES);
    for (const { bytes } of slices) await stow({ url: server.url, token }, [bytes]);
    let asked = 0;
    const pathAt = (): string => {
      asked += 1;
      const quality = (Math.floor(asked / SLICES) % QUALITIES) + 1;
      const turn = Math.floor(asked / (SLICES * QUALITIES));
      return `/dicom-web${slices[asked % SLICES]?.path}/rendered?quality=${quality}&window=${1_000 + turn},400,linear`;
    };
    await readDuring({ ...start, perSecond: 4 * PER_SECOND }, async () => await wait(WARMING_SECONDS * 1_000));
    const [idle, busy]: [number[], number[]] = [[], []];
    let [pictures, failed] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      idle.push(...(await readDuring(start, async () => await wait(SECONDS * 1_000))).times);
      const beside = await readDuring(start, async () => {
        const load = await runLoad({
          port: start.port,
          headers: { Authorization: `Bearer ${token}`, Accept: 'image/jpeg' },
          connections: IN_FLIGHT,
          seconds: SECONDS,
          askAt: () => ({ path: pathAt() }),
        });
        pictures += load.requests;
        failed += load.failed;
      });
      busy.push(...beside.times);
      failed += beside.failed;
    }
    const ratio = (share: number): number => msOf(quantileOf(busy, share) / quantileOf(idle, share));
    return [
      { name: `${PER_SECOND} reads a second, alone`, figures: readFigures(idle) },
      {
        name: `beside ${IN_FLIGHT} pictures in the making`,
        figures: { ...readFigures(busy), picturesPerSecond: Math.round(pictures / SECONDS / ROUNDS) },
      },
      { name: 'ratio', figures: { p50: ratio(0.5), p99: ratio(0.99), budget: BUDGET, failed } },
    ];
  } finally {
    await server.stop();
  }
}
