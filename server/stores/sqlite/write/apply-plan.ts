/** Applies one plan inside a savepoint of the writer: a Fault that leaves here undoes all of it. */
import { VISIBILITY, type Visibility } from '../../../../profiles/types/visibility.ts';
import { NO_ORIGIN, rightsGivenBy, type Origin } from '../../../access/rights-of.ts';
import type { Claim, CommitReceipt, InstanceRow } from '../../../ports/commit-plan.ts';
import { claimTaken, otherDataSet } from '../../refused.ts';
import { stamped } from '../../stamp.ts';
import type { Database } from '../database.ts';
import { requireConditions } from './conditions.ts';
import { deleteRow, forgetDeletion, keepHistory, keepReaders } from './delete-row.ts';
import { erase, eraseHistory } from './erase.ts';
import { givenBy, giveRights } from '../rights/give-rights.ts';
import { materialiseNewRow, materialisePerson, materialiseRow, type AccessRow } from '../rights/materialise.ts';
import type { OutboxEntry, WarrantedOrder, WirePlan, WirePut } from './protocol.ts';
import { putQuarantined } from '../read/quarantine.ts';
import { refuseMerged, rekeyPerson } from './rekey.ts';
import { requireWarrant } from './warranted.ts';
import { putJob } from './write-jobs.ts';
import { standingRow, writeRow, type RowValues, type StandingRow } from './write-rows.ts';

/** Applies a plan under its warrant; a plan that was applied before gets its first receipt. */
export function applyPlan(db: Database, tokens: Database, { terms, plan }: WarrantedOrder, now: number): CommitReceipt {
  const before = db.get<{ receipt: string }>('SELECT receipt FROM plan WHERE id = ?', plan.id);
  if (before !== undefined) return JSON.parse(before.receipt) as CommitReceipt;
  requireWarrant(db, tokens, terms, plan);
  requireConditions(db, plan.preconditions);
  // Before a right or a state changes.
  for (const { type, id } of plan.deletes ?? []) keepReaders(db, type, id);
  const erased = (plan.erased ?? []).flatMap((erasure) => erase(db, erasure));
  for (const claim of plan.claims ?? []) takeClaim(db, claim);
  for (const rekey of plan.rekeys ?? []) rekeyPerson(db, rekey);
  refuseMerged(db, personsOf(plan));
  for (const state of plan.states ?? []) changeState(db, state);
  for (const { type, id } of plan.deletes ?? []) deleteRow(db, type, id, now);
  const versions = plan.puts.map((put) => putRow(db, put, now));
  const former = (plan.erased ?? []).flatMap(({ history = [] }) => history).flatMap((row) => eraseHistory(db, row));
  for (const { studyInstanceUID, from, to } of plan.studies ?? []) db.run(MOVED, to, studyInstanceUID, from);
  const instances = (plan.instances ?? []).map((instance) => putInstance(db, instance));
  const quarantined = (plan.quarantined ?? []).map((one) => putQuarantined(db, one));
  for (const { person } of plan.states ?? []) materialisePerson(db, person);
  for (const { to } of plan.rekeys ?? []) materialisePerson(db, to);
  for (const job of plan.jobs ?? []) putJob(db, job, now);
  for (const entry of outboxOf(plan)) db.run('INSERT INTO audit_outbox (record) VALUES (?)', JSON.stringify(entry));
  const receipt: CommitReceipt = {
    versions,
    committedAt: now,
    instances,
    quarantined,
    erasedBlobs: [...new Set([...erased, ...former])],
  };
  db.run('INSERT INTO plan (id, committed_at, receipt) VALUES (?, ?, ?)', plan.id, now, JSON.stringify(receipt));
  return receipt;
}

const MOVED = 'UPDATE instance SET person = ? WHERE study_instance_uid = ? AND person = ?';

/** Every person for whom a plan writes. */
function personsOf(plan: WirePlan): Set<string> {
  const of = (part: readonly { readonly person?: string }[] = []): string[] =>
    part.flatMap(({ person }) => person ?? []);
  return new Set([
    ...of(plan.puts),
    ...of(plan.instances),
    ...of(plan.quarantined),
    ...of(plan.states),
    ...movedBy(plan),
  ]);
}

function movedBy({ studies = [] }: WirePlan): string[] {
  return studies.flatMap(({ from, to }) => [from, to]);
}

function outboxOf(plan: WirePlan): OutboxEntry[] {
  return [...(plan.rekeys ?? []).map((rekey) => ({ rekey })), ...plan.audit.map((event) => ({ event }))];
}

function takeClaim(db: Database, { key, value }: Claim): void {
  db.run('INSERT OR IGNORE INTO claim (key, value) VALUES (?, ?)', key, value);
  const held = db.get<{ value: string }>('SELECT value FROM claim WHERE key = ?', key);
  if (held?.value !== value) throw claimTaken();
}

const STATE_COLUMN = {
  opposed: 'opposed',
  withdrawn: 'withdrawn',
  erasurePending: 'erasure_pending',
  accountOff: 'account_off',
} as const;

function changeState(db: Database, { person, change }: NonNullable<WirePlan['states']>[number]): void {
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?)', person);
  for (const name of Object.keys(STATE_COLUMN) as (keyof typeof STATE_COLUMN)[]) {
    const value = change[name];
    if (value !== undefined)
      db.run(`UPDATE patient_state SET ${STATE_COLUMN[name]} = ? WHERE person = ?`, value ? 1 : 0, person);
  }
}

function putRow(db: Database, put: WirePut, now: number): number {
  const standing = standingRow(db, put.type, put.id);
  const version = 1 + (standing?.version ?? lastVersion(db, put.type, put.id));
  if (standing !== undefined) keepHistory(db, put.type, put.id);
  else if (version > 1) forgetDeletion(db, put.type, put.id);
  const origin = put.origin ?? originOf(standing);
  const json = stamped(put, version, now);
  const row = { ...put, version, updated: now, json, ...(origin === undefined ? {} : { origin }) };
  const rid = writeRow(db, standing, row, put.index);
  const access = put.person !== undefined && isMaterialised(VISIBILITY[put.type]) ? accessRow(put, rid) : undefined;
  giveRightsOf(db, row, access?.rid, version > 1);
  if (access !== undefined && put.person !== undefined)
    (standing === undefined ? materialiseNewRow : materialiseRow)(db, put.person, access);
  return version;
}

function accessRow(put: WirePut, rid: number): AccessRow {
  const { type, id, sort, released } = put;
  return { rid, type, id, sort, level: levelRank(put), released: released ? 1 : 0 };
}

function originOf(standing: StandingRow | undefined): Origin | undefined {
  const origin = standing?.origin ?? null;
  return origin === null ? undefined : (JSON.parse(origin) as Origin);
}

/** A row that is new gave nothing before. */
function giveRightsOf(
  db: Database,
  { type, id, person, origin = NO_ORIGIN, json }: RowValues,
  rid: number | undefined,
  isKnown: boolean,
): void {
  const giver = `${type}/${id}`;
  const content = (): object => JSON.parse(json) as object;
  const given = rightsGivenBy({ type, id, person, origin, content });
  giveRights(db, giver, isKnown ? givenBy(db, giver) : [], given, rid);
}

/** The directory needs no access rows, and a part is seen as its parent. */
function isMaterialised(visibility: Visibility): boolean {
  return visibility !== 'directory' && visibility !== 'part';
}

function levelRank(put: WirePut): number {
  return ['N', 'R', 'V'].indexOf(put.level);
}

function lastVersion(db: Database, type: string, id: string): number {
  return (
    db.get<{ version: number | null }>(
      'SELECT max(version) AS version FROM history WHERE type = ? AND id = ?',
      type,
      id,
    )?.version ?? 0
  );
}

type StandingInstance = { data_set_digest: string; source: string; further_sources: string | null };

/** Another establishment has sent the same. */
function addSource(db: Database, row: InstanceRow, { source, further_sources: json }: StandingInstance): void {
  const further = JSON.parse(json ?? '[]') as readonly string[];
  if (source === row.source || further.includes(row.source)) return;
  const all = JSON.stringify([...further, row.source]);
  db.run('UPDATE instance SET further_sources = ? WHERE sop_instance_uid = ?', all, row.sopInstanceUID);
}

function putInstance(db: Database, row: InstanceRow): 'stored' | 'already' {
  const standing = db.get<StandingInstance>(
    'SELECT data_set_digest, source, further_sources FROM instance WHERE sop_instance_uid = ?',
    row.sopInstanceUID,
  );
  if (standing !== undefined) {
    if (standing.data_set_digest !== row.dataSetDigest) throw otherDataSet();
    addSource(db, row, standing);
    return 'already';
  }
  db.run(
    `INSERT INTO instance (sop_instance_uid, study_instance_uid, series_instance_uid, sop_class_uid,
      transfer_syntax_uid, series_number, instance_number, blob_name, blob_size, data_set_offset, data_set_digest,
      metadata, source, person) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.sopInstanceUID,
    row.studyInstanceUID,
    row.seriesInstanceUID,
    row.sopClassUID,
    row.transferSyntaxUID,
    row.seriesNumber ?? null,
    row.instanceNumber ?? null,
    row.blob.name,
    row.blob.size,
    row.dataSetOffset,
    row.dataSetDigest,
    row.metadata,
    row.source,
    row.person,
  );
  return 'stored';
}
