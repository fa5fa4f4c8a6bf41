/** WADO-RS of a series of 250 CT slices of 530 KB: metadata, the whole study, single frames. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DemoInstance, DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { watchProcess } from '../../support/run/process-tree.ts';
import { ROUNDS } from '../support/rounds.ts';
import { sliceStudy, writeStudy } from '../support/slices.ts';
import { sendPath } from '../support/store-scu.ts';
import { askInTurn, askTogether, rowsOf, type Ask } from './asking.ts';
import { missingPeers, startOrthancWeb, startPasserelle, type Side } from './sides.ts';

const SLICES = 250;
/** As many as a browser opens to one host. */
const CONNECTIONS = 6;
const BUDGET = { metadata: 20, study: 1.2, frame: 2 } as const;
const ACCEPT = {
  metadata: 'application/dicom+json',
  study: 'multipart/related; type="application/dicom"; transfer-syntax=*',
  frame: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
} as const;

/** Measures; without the peer it says which one is missing. */
export async function measureRetrieve(): Promise<readonly Row[]> {
  const missing = missingPeers();
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const root = await mkdtemp(join(tmpdir(), 'passerelle-wado-'));
  const sides: Side[] = [];
  try {
    const study = sliceStudy('bench-wado', SLICES);
    await writeStudy(root, study);
    sides.push(await startPasserelle({ asks: 'establishment' }), await startOrthancWeb());
    for (const { receiver } of sides) await sendPath(receiver, root);
    // Ours shows a study about a second after its first instance.
    await wait(3_000);
    return await measureAll(sides, study);
  } finally {
    for (const side of sides) await side.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function measureAll(sides: readonly Side[], study: DemoStudy): Promise<Row[]> {
  const instances = [...study.instances()].map(({ seriesInstanceUID, sopInstanceUID }) => ({
    seriesInstanceUID,
    sopInstanceUID,
  }));
  const place = `/studies/${study.studyInstanceUID}`;
  const series = `${place}/series/${instances[0]?.seriesInstanceUID ?? ''}`;
  const frameAt = (sequence: number): Ask => ({
    path: `${pathOf(place, instances[sequence % SLICES])}/frames/1`,
    headers: { Accept: ACCEPT.frame },
  });
  const zipped = { Accept: ACCEPT.metadata, 'Accept-Encoding': 'gzip' };
  const watched = sides.map(({ pid }) => watchProcess(pid));
  const rows = [
    ...rowsOf(
      `metadata of ${SLICES} instances`,
      await askInTurn(sides, 10 * ROUNDS, () => ({ path: `${series}/metadata`, headers: { Accept: ACCEPT.metadata } })),
      BUDGET.metadata,
    ),
    ...rowsOf(
      'the same, gzip accepted',
      await askInTurn(sides, 10 * ROUNDS, () => ({ path: `${series}/metadata`, headers: zipped })),
    ),
    ...rowsOf(
      'metadata of an instance',
      await askInTurn(sides, 30 * ROUNDS, (at) => ({
        path: `${pathOf(place, instances[at % SLICES])}/metadata`,
        headers: { Accept: ACCEPT.metadata },
      })),
    ),
    ...rowsOf(
      `study, ${SLICES} x 530 KB`,
      await askInTurn(sides, 5 * ROUNDS, () => ({ path: place, headers: { Accept: ACCEPT.study } })),
      BUDGET.study,
    ),
    ...rowsOf(
      'instance',
      await askInTurn(sides, 60 * ROUNDS, (at) => ({
        path: pathOf(place, instances[at % SLICES]),
        headers: { Accept: ACCEPT.study },
      })),
    ),
    ...rowsOf('frame', await askInTurn(sides, 80 * ROUNDS, frameAt), BUDGET.frame),
    ...(await framesTogether(sides, frameAt)),
    ...sides.map(({ name }, at) => ({
      name: `peak of ${name}`,
      figures: { peakMB: watched[at]?.peakMB() ?? Number.NaN },
    })),
  ];
  for (const one of watched) one.stop();
  return rows;
}

function pathOf(
  study: string,
  instance: Pick<DemoInstance, 'seriesInstanceUID' | 'sopInstanceUID'> | undefined,
): string {
  return `${study}/series/${instance?.seriesInstanceUID ?? ''}/instances/${instance?.sopInstanceUID ?? ''}`;
}

async function framesTogether(sides: readonly Side[], frameAt: (sequence: number) => Ask): Promise<Row[]> {
  const perSecond = new Map<Side, number[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < 2 * ROUNDS; round += 1)
    for (const side of sides) perSecond.get(side)?.push(await askTogether(side, CONNECTIONS, 2 * SLICES, frameAt));
  const [ours = Number.NaN] = [...perSecond.values()].map(medianOf);
  return [...perSecond].map(([{ name }, each]) => ({
    name: `frames over ${CONNECTIONS} connections: ${name}`,
    figures: { perSecond: msOf(medianOf(each)), ratio: msOf(ours / medianOf(each)) },
  }));
}
