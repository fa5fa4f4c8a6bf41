/** Commits: one plan, one transaction, once. */
import type { ClientSession } from 'mongodb';
import { Fault } from '../../../../profiles/fault.ts';
import type { WarrantTerms } from '../../../access/warrant.ts';
import { requirePlan } from '../../../ports/bounds.ts';
import type { CommitPlan, CommitReceipt } from '../../../ports/commit-plan.ts';
import { rowKey } from './acl-rows.ts';
import { insertAudit } from '../audit/audit.ts';
import { requireClaims, takeClaims } from './claims.ts';
import type { Collections } from '../collections.ts';
import { forgetReaders, movedReaders, readersOf } from './deletions.ts';
import { eraseAll, eraseHistory } from './erase.ts';
import { asStore } from '../errors.ts';
import { changeRights } from './give-rights.ts';
import { moveStudies, writeInstances } from '../read/instances.ts';
import { requireInstances } from './instance-conditions.ts';
import { putJobs } from './jobs.ts';
import { matchKey, requireNoMatches } from './matches.ts';
import { materialise } from './materialise.ts';
import { personsOf, shownPatients, writePersons } from './persons.ts';
import { writeQuarantine } from '../read/quarantine.ts';
import {
  readStanding,
  requireConditions,
  rowConditionsOf,
  stageRows,
  withMoved,
  writeRows,
  textedPlan,
  type TextedPlan,
} from './row-changes.ts';
import { moveIdentities } from './move.ts';
import { inTransaction } from '../transaction.ts';
import type { Turns } from './turns.ts';
import { requireWarrant } from './warranted.ts';

/**
 * Applies a plan once. When nobody can say whether a commit was applied, the plan's id in the store says it.
 * @throws {Fault} as RecordStore.commit
 */
export async function commitPlan(
  collections: Collections,
  turns: Turns,
  terms: WarrantTerms,
  plan: CommitPlan,
): Promise<CommitReceipt> {
  requirePlan(plan);
  const texted = textedPlan(plan);
  return await turns.take(keysOf(plan), async () => await applyOnce(collections, terms, texted));
}

/**
 * A plan is new almost always, so it is not asked first whether it was applied: its id would stand already and end the
 * transaction, or its conditions, met once, would not hold any more.
 */
async function applyOnce(collections: Collections, terms: WarrantTerms, plan: TextedPlan): Promise<CommitReceipt> {
  const findReceipt = async (session?: ClientSession): Promise<CommitReceipt | undefined> =>
    (await collections.commits.findOne({ _id: plan.id }, session === undefined ? {} : { session }))?.receipt;
  const work = async (session: ClientSession, attempt: number): Promise<CommitReceipt> => {
    const before = attempt === 1 ? undefined : await findReceipt(session);
    return before ?? (await applyPlan(collections, terms, plan, session, attempt));
  };
  try {
    return await inTransaction(collections, work, findReceipt);
  } catch (error) {
    const isRefused = error instanceof Fault && error.kind !== 'transient';
    const before = isRefused ? await asStore(findReceipt) : undefined;
    if (before === undefined) throw error;
    return before;
  }
}

/** What this process should not work on twice at once. */
function keysOf(plan: CommitPlan): ReadonlySet<string> {
  const { puts = [], instances = [], quarantined = [], states = [] } = plan;
  const ofPersons = [...puts, ...instances, ...quarantined, ...states];
  const persons = ofPersons.map(({ person }) => person ?? '');
  const rows = [...(plan.puts ?? []), ...(plan.deletes ?? []), ...rowConditionsOf(plan)].map(({ type, id }) =>
    rowKey(type, id),
  );
  const claims = (plan.claims ?? []).map(({ key }) => key);
  const between = [...(plan.moves ?? []), ...(plan.studies ?? [])].flatMap(({ from, to }) => [from, to]);
  const moved = [...between, ...(plan.moves ?? []).map(({ home }) => home)];
  const erased = (plan.erased ?? []).flatMap(({ rows: gone = [], claims: names = [] }) => [
    ...gone.map(({ type, id }) => rowKey(type, id)),
    ...names,
  ]);
  const sought = (plan.preconditions ?? []).flatMap((condition) =>
    condition.kind === 'no-match' ? [matchKey(condition)] : [],
  );
  const keptAside = quarantined.map(({ sopInstanceUID }) => `quarantine|${sopInstanceUID}`);
  const keys = new Set([plan.id, ...persons, ...moved, ...rows, ...claims, ...erased, ...sought, ...keptAside]);
  keys.delete('');
  return keys;
}

async function applyPlan(
  collections: Collections,
  terms: WarrantTerms,
  plan: TextedPlan,
  session: ClientSession,
  attempt: number,
): Promise<CommitReceipt> {
  const now = Date.now();
  const conditions = rowConditionsOf(plan);
  const found = await readStanding(collections, plan, session);
  await requireWarrant(collections, terms, plan, found, session);
  requireConditions(conditions, found);
  await requireClaims(collections, plan, session);
  await requireInstances(collections, plan, session);
  await requireNoMatches(collections, plan, session);
  const erased = await eraseAll(collections, plan.erased ?? [], session);
  await takeClaims(collections, plan.claims ?? [], session);
  const readers = await readersOf(collections, plan, session);
  const moved = await moveIdentities(collections, plan.moves ?? [], session);
  const shown = await shownPatients(collections, plan, session);
  // What was erased is gone; what is kept as history is so under the person that it became.
  const standing = changesStanding(plan) ? await readStanding(collections, plan, session) : found;
  const staged = stageRows(plan, standing, { readers: movedReaders(readers, moved), shown, now });
  const changes = withMoved(staged.changes, moved);
  const rows = [...changes.values()];
  const { written } = staged;
  const rights = await changeRights(collections, { changes, written, erasures: plan.erased ?? [], moved }, session);
  const states = await writePersons(collections, personsOf(plan, rows, rights), plan, session);
  await writeRows(collections, staged, conditions, standing, session);
  await forgetReaders(collections, rows, session);
  const former = await eraseHistory(collections, plan.erased ?? [], session);
  await moveStudies(collections, plan.studies ?? [], session);
  const instances = await writeInstances(collections, plan.instances ?? [], session);
  const quarantined = await writeQuarantine(collections, plan.quarantined ?? [], session);
  await materialise(collections, { rows, rights, states }, session);
  await putJobs(collections, plan.jobs ?? [], now, { session, attempt });
  await insertAudit(collections, plan.audit ?? [], { session, attempt });
  const receipt: CommitReceipt = {
    versions: staged.versions,
    committedAt: now,
    instances,
    quarantined,
    erasedBlobs: [...new Set([...erased, ...former])],
  };
  await collections.commits.insertOne({ _id: plan.id, receipt, at: new Date(now) }, { session });
  return receipt;
}

/** Whether a plan changes rows before it deletes and puts any. */
function changesStanding({ moves = [], erased = [] }: CommitPlan): boolean {
  return moves.length > 0 || erased.some(({ rows = [] }) => rows.length > 0);
}
