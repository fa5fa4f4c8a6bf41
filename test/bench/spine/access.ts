/**
 * DESIGN "one decision, every door": what the access table costs a professional who sees a third of a million studies.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { grantFor, systemGrant, type Grant } from '../../../server/access/grant.ts';
import { openReader, type Database } from '../../../server/stores/sqlite/database.ts';
import { search } from '../../../server/stores/sqlite/read/search.ts';
import { fillAccessWorld, HOLDERS, NEWEST, TOKEN } from './access-world.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';

const STUDIES = 1_000_000;
const RUNS = 150;
const PAGE = 20;

/** Measures; `PASSERELLE_BENCH_STUDIES` makes the world smaller. */
export async function measureAccess(): Promise<readonly Row[]> {
  const studies = Number(process.env['PASSERELLE_BENCH_STUDIES'] ?? STUDIES);
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-access-'));
  try {
    const aclRows = fillAccessWorld(dataDir, studies);
    const db = openReader(join(dataDir, 'records.sqlite'));
    const rows = CASES.map((one) => measureCase(db, one));
    db.close();
    return [{ name: 'studies / rows of the access table', figures: { studies, aclRows } }, ...rows];
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Case = { readonly name: string; readonly query: SearchQuery; readonly naive: string; readonly goalMs: number };

const token = (code: string): SearchQuery['where'] => [{ kind: 'token', param: 'modality', values: [{ code }] }];
const page = (where: SearchQuery['where']): SearchQuery => ({
  type: 'ImagingStudy',
  where,
  count: PAGE,
  total: 'none',
  include: [],
});
const count = (where: SearchQuery['where'], total: SearchQuery['total']): SearchQuery => ({
  ...page(where),
  count: 0,
  total,
});

const NAIVE = `FROM acl a JOIN resource x ON x.rid = a.rid
  WHERE a.principal IN (?, ?, ?, ?) AND a.type = 'ImagingStudy' AND a.valid_from <= ? AND a.valid_to > ?`;
const naiveToken = (code: string): string =>
  `AND EXISTS (SELECT 1 FROM token t WHERE t.rid = x.rid AND t.param = 'ImagingStudy.modality' AND t.value =
    '${code}')`;
const naivePage = (filter: string): string =>
  `SELECT x.id, x.json ${NAIVE} ${filter} GROUP BY x.rid ORDER BY x.sort DESC, x.id LIMIT ${PAGE}`;
const naiveCount = (filter: string): string =>
  `SELECT count(*) FROM (SELECT x.rid ${NAIVE} ${filter} GROUP BY x.rid LIMIT 1001)`;

const CASES: readonly Case[] = [
  { name: 'page of 20', query: page([]), naive: naivePage(''), goalMs: 0.2 },
  { name: 'count, bounded at 1,001', query: count([], 'bounded'), naive: naiveCount(''), goalMs: 2.4 },
  { name: 'rare token, page', query: page(token(TOKEN.rare)), naive: naivePage(naiveToken(TOKEN.rare)), goalMs: 0.09 },
  {
    name: 'common token, page',
    query: page(token(TOKEN.common)),
    naive: naivePage(naiveToken(TOKEN.common)),
    goalMs: 0.27,
  },
  {
    name: 'token of 5,000, page',
    query: page(token(TOKEN.medium)),
    naive: naivePage(naiveToken(TOKEN.medium)),
    goalMs: 10,
  },
  {
    name: 'token of 5,000, exact count',
    query: count(token(TOKEN.medium), 'accurate'),
    naive: naiveCount(naiveToken(TOKEN.medium)),
    goalMs: 10,
  },
  {
    name: 'common token, count bounded',
    query: count(token(TOKEN.common), 'bounded'),
    naive: naiveCount(naiveToken(TOKEN.common)),
    goalMs: 10,
  },
];

/** The grant of a professional who holds all four principals. */
export function professional(now: number): Grant {
  const role = (name: string) => ({
    reference: 'PractitionerRole/1',
    organization: `Organization/${name}`,
    within: [],
    radiologist: true,
    offices: [],
  });
  return grantFor(
    {
      kind: 'practitioner',
      practitioner: 'Practitioner/doctor',
      roles: [role('big'), role('small')],
      clientId: 'bench',
      scopes: [],
      purpose: 'TREAT',
      display: 'Dr Bench',
    } as Parameters<typeof grantFor>[0],
    now,
  );
}

function measureCase(db: Database, { name, query, naive, goalMs }: Case): Row {
  const now = NEWEST + 1;
  const grant = professional(now);
  const open = systemGrant('erase-study', 'whole', now);
  const holders = Object.values(HOLDERS);
  const withAccess = timesOf(RUNS, () => search(db, grant, query, undefined));
  const without = timesOf(query.count === 0 ? 20 : RUNS, () => search(db, open, query, undefined));
  const naively = timesOf(3, () => db.all(naive, ...holders, now, now));
  const [p50, openP50, naiveP50] = [medianOf(withAccess), medianOf(without), medianOf(naively)];
  return {
    name,
    figures: {
      p50Ms: msOf(p50),
      goalMs,
      withoutAccessMs: msOf(openP50),
      naiveMs: msOf(naiveP50),
      ratioToNaive: Math.round(naiveP50 / p50),
      ratioToOpen: msOf(p50 / openP50),
    },
  };
}

function timesOf(runs: number, work: () => unknown): number[] {
  for (let at = 0; at < Math.min(runs, 20) / 4; at += 1) work();
  return Array.from({ length: runs }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
}
