/**
 * What it is worth that rows of a study list come without their series (`withoutTail`): the same server, with and
 * without.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { medianOf, msOf, quantileOf, type Row } from '../support/figures.ts';
import { fillStudyIndex } from '../support/study-index.ts';
import { askInTurn, askTogether, type Ask } from './asking.ts';
import { startPasserelle, type Side } from './sides.ts';

/** The list of a radiologist: exams of some series of some slices. */
const INDEX = { studies: 300, series: 4, instances: 50 };
const REPEATS = 300;
const TOGETHER = { connections: 8, requests: 400 };
const ASK: Ask = {
  path: '/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060',
  headers: { Accept: 'application/dicom+json' },
};

/** The server as it is, and what is loaded before it to be otherwise. */
const WAYS = { 'as it is': undefined, 'whole rows': 'whole-rows.ts' } as const;

/** Measures. */
export async function measureLists(): Promise<readonly Row[]> {
  const root = await mkdtemp(join(tmpdir(), 'passerelle-lists-'));
  const sides = new Map<string, Side>();
  try {
    await fillStudyIndex(join(root, 'filled'), INDEX);
    for (const [name, preload] of Object.entries(WAYS)) {
      const dataDir = join(root, name.replaceAll(' ', '-'));
      await cp(join(root, 'filled'), dataDir, { recursive: true });
      sides.set(name, await startPasserelle({ dataDir, asks: 'radiologist', ...underOf(preload) }));
    }
    return await rowsOfWays(sides);
  } finally {
    for (const side of sides.values()) await side.stop();
    await rm(root, { recursive: true, force: true });
  }
}

function underOf(preload: string | undefined): { readonly under?: readonly string[] } {
  if (preload === undefined) return {};
  const path = fileURLToPath(new URL(preload, import.meta.url));
  return { under: ['/usr/bin/env', `NODE_OPTIONS=--import=${path}`] };
}

async function rowsOfWays(sides: ReadonlyMap<string, Side>): Promise<readonly Row[]> {
  const answers = await askInTurn([...sides.values()], REPEATS, () => ASK);
  const rows: Row[] = [];
  let own: readonly [number, number] | undefined;
  for (const [name, side] of sides) {
    const times = (answers.get(side) ?? []).map(({ ms }) => ms);
    const rate = await askTogether(side, TOGETHER.connections, TOGETHER.requests, () => ASK);
    own ??= [medianOf(times), rate];
    const figures = { p50Ms: msOf(medianOf(times)), p99Ms: msOf(quantileOf(times, 0.99)), aSecond: msOf(rate) };
    const ratios = { slower: msOf(medianOf(times) / own[0]), fewer: msOf(own[1] / rate) };
    rows.push({ name: `list of 101, ${name}`, figures: { ...figures, ...ratios } });
  }
  return rows;
}
