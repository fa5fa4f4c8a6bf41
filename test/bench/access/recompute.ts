/** What a change of a consent costs: the access of a record of 2,000 items is written anew (100 ms of CPU at most). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RELATIONS, principal } from '../../../server/access/right.ts';
import { openMongoStores } from '../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { startMongoPeer } from '../../support/peers/mongodb-peer.ts';
import { aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight, anId } from '../../support/plans.ts';
import { searchPages } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import { budgetOf, medianOf, msOf, type Row } from '../support/figures.ts';

const ITEMS = 2_000;
const AT_ONCE = 500;
const RUNS = 8;
const GOAL_MS = 100;
/** Professionals whom she declared; each of them, and she herself, has an access row for each item. */
const DECLARED = [1, 6] as const;

/** Measures on each store. The CPU is that of this process: of MongoDB the server works beside it. */
export async function measureRecompute(): Promise<readonly Row[]> {
  return [...(await onSqlite()), ...(await onMongo())];
}

async function onSqlite(): Promise<readonly Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-bench-recompute-'));
  const stores = await openSqliteStores({ dataDir });
  try {
    return await measureStore('SQLite', stores.records);
  } finally {
    await stores.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function onMongo(): Promise<readonly Row[]> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('The bench needs the server of MongoDB’s protocol');
  const stores = await openMongoStores({ uri: peer.freshUri() });
  try {
    return await measureStore('MongoDB', stores.records);
  } finally {
    await stores.close();
    await peer.stop();
  }
}

async function measureStore(name: string, records: RecordStore): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const declared of DECLARED) {
    const person = aPersonKey();
    const holders = Array.from({ length: declared }, () => principal.practitioner(`Practitioner/${anId()}`));
    const rights = [
      aRight({ person, principal: principal.patient(person), relation: RELATIONS[0] }),
      ...holders.map((holder) => aRight({ person, principal: holder })),
    ];
    await commitPlan(records, aPlan({ rights }));
    for (let at = 0; at < ITEMS; at += AT_ONCE)
      await commitPlan(records, aPlan({ puts: Array.from({ length: AT_ONCE }, () => aPut({ person })) }));
    const pages = await searchPages(records, aPatientGrant(person), aQuery('DocumentReference', { count: 1_000 }));
    const seen = pages.reduce((sum, page) => sum + page.rows.length, 0);
    if (seen !== ITEMS) throw new Error(`The patient sees ${seen} of ${ITEMS} items`);
    const change = async (withdrawn: boolean): Promise<number> => {
      const before = process.cpuUsage();
      await commitPlan(records, aPlan({ states: [{ person, change: { withdrawn } }] }));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    const [hiding, showing]: [number[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run += 1) {
      hiding.push(await change(true));
      showing.push(await change(false));
    }
    const [hide, show] = [medianOf(hiding), medianOf(showing)];
    const budget = budgetOf([
      { label: 'withdrawnCpuMs', measured: hide, most: GOAL_MS },
      { label: 'sharedCpuMs', measured: show, most: GOAL_MS },
    ]);
    const figures = { withdrawnCpuMs: msOf(hide), sharedCpuMs: msOf(show), goalCpuMs: GOAL_MS, budget };
    rows.push({ name: `${name}, ${ITEMS} items, ${declared} declared`, figures });
  }
  return rows;
}
