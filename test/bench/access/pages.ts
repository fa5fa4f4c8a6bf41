/**
 * What access costs a list: a page beside the same query without access (1.3 times at most), and an exact count
 * (10 ms of CPU at most), by how much the professional sees and by how many rights.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { systemGrant, type AnyGrant } from '../../../server/access/grant.ts';
import { openReader, type Database } from '../../../server/stores/sqlite/database.ts';
import { search } from '../../../server/stores/sqlite/read/search.ts';
import { aQuery } from '../../support/plans.ts';
import { NEWEST, TOKEN } from '../spine/access-world.ts';
import { budgetOf, medianOf, msOf, type Row } from '../support/figures.ts';
import { fillHolders, VIEWERS, type Viewer } from './holders-world.ts';

const RUNS = 200;
const COUNTS = 30;
const PAGE = 20;
const RATIO = 1.3;
const COUNT_MS = 10;

const EVERYTHING = systemGrant('erase-study', 'whole', NEWEST + 1);
const NEWEST_PAGE = aQuery('ImagingStudy', { count: PAGE });
const OF_MODALITY = aQuery('ImagingStudy', {
  count: PAGE,
  where: [{ kind: 'token', param: 'modality', values: [{ code: TOKEN.common }] }],
});
const COUNT = aQuery('ImagingStudy', { total: 'accurate', summary: 'count' });

/** Measures the lists of each viewer. */
export async function measurePages(): Promise<readonly Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-bench-access-'));
  try {
    fillHolders(dataDir);
    const db = openReader(join(dataDir, 'records.sqlite'));
    const rows = VIEWERS.map((viewer) => measureViewer(db, viewer));
    db.close();
    return rows;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function measureViewer(db: Database, { seen, principals, grant }: Viewer): Row {
  const total = search(db, grant, COUNT, undefined).total ?? 0;
  if (total !== seen) throw new Error(`A viewer of ${seen} studies counts ${total}`);
  const [page, open] = beside(db, grant, NEWEST_PAGE);
  const [modality, openModality] = beside(db, grant, OF_MODALITY);
  const count = medianOf(cpuOf(COUNTS, () => search(db, grant, COUNT, undefined)));
  const budget = budgetOf([
    { label: 'ratio', measured: page / open, most: RATIO },
    { label: 'modalityRatio', measured: modality / openModality, most: RATIO },
    { label: 'exactCountCpuMs', measured: count, most: COUNT_MS },
  ]);
  return {
    name: `sees ${seen} by ${principals}`,
    figures: {
      pageMs: msOf(page),
      ratio: msOf(page / open),
      modalityPageMs: msOf(modality),
      modalityRatio: msOf(modality / openModality),
      goalRatio: RATIO,
      exactCountCpuMs: msOf(count),
      goalCountCpuMs: COUNT_MS,
      budget,
    },
  };
}

/** Medians of a query with access and without, taken in turns, so that both have the same machine. */
function beside(db: Database, grant: AnyGrant, query: SearchQuery): readonly [number, number] {
  const [shown, open]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run += 1) {
    shown.push(...timesOf(1, () => search(db, grant, query, undefined)));
    open.push(...timesOf(1, () => search(db, EVERYTHING, query, undefined)));
  }
  return [medianOf(shown), medianOf(open)];
}

/** Milliseconds of CPU: what takes long is interrupted by others. */
function cpuOf(runs: number, work: () => unknown): number[] {
  return Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
}

function timesOf(runs: number, work: () => unknown): number[] {
  return Array.from({ length: runs }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
}
