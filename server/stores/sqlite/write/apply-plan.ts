/** Applies one plan inside a savepoint of the writer: a Fault that leaves here undoes all of it. */
import { encodeLabel } from '../../../../profiles/confidentiality.ts';
import { personKey } from '../../../access/requester.ts';
import { NO_ORIGIN, originAfter, rightsGivenBy, type Origin } from '../../../access/rights-of.ts';
import type { Claim, CommitReceipt, FurtherSource, InstanceRow } from '../../../ports/commit-plan.ts';
import { claimTaken, otherDataSet } from '../../refused.ts';
import { movedSources, withSource } from '../../sources.ts';
import { stamped } from '../../stamp.ts';
import type { Database } from '../database.ts';
import { requireConditions } from './conditions.ts';
import { deleteRow, forgetDeletion, keepHistory, keepReaders } from './delete-row.ts';
import { erase, eraseHistory } from './erase.ts';
import { givenBy, giveRights } from '../rights/give-rights.ts';
import {
  isMaterialised,
  materialiseNewRow,
  materialisePerson,
  materialiseRow,
  type AccessRow,
} from '../rights/materialise.ts';
import { saySwitches } from '../rights/states.ts';
import type { OutboxEntry, WarrantedOrder, WirePlan, WirePut } from './protocol.ts';
import { instanceOf } from '../read/instances.ts';
import { putQuarantined } from '../read/quarantine.ts';
import { moveIdentities, shownPatients, type Filing } from './move.ts';
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
  moveIdentities(db, plan.moves ?? []);
  const shown = shownPatients(db, filingsOf(plan), plan.moves);
  const switched = (plan.states ?? []).map(({ person, change }) => saySwitches(db, person, change));
  for (const { type, id } of plan.deletes ?? []) deleteRow(db, type, id, now);
  const versions = plan.puts.map((put) => putRow(db, put, shown.get(put.subject ?? ''), now));
  const former = (plan.erased ?? []).flatMap(({ history = [] }) => history).flatMap((row) => eraseHistory(db, row));
  for (const study of plan.studies ?? []) moveStudy(db, study);
  const instances = (plan.instances ?? []).map((instance) => putInstance(db, instance));
  const quarantined = (plan.quarantined ?? []).map((one) => putQuarantined(db, one));
  for (const person of new Set(switched)) materialisePerson(db, personKey(person));
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

function moveStudy(db: Database, study: NonNullable<WirePlan['studies']>[number]): void {
  const { studyInstanceUID, from, to, identity, subject, isMovedOnly = false } = study;
  db.run(MOVED, to, subject, subject, studyInstanceUID, from, identity, isMovedOnly ? 1 : 0);
  for (const { sop_instance_uid: uid, further_sources: json } of db.all<SeveralSources>(SENT_AGAIN, studyInstanceUID)) {
    const moved = movedSources(JSON.parse(json) as FurtherSource[], study);
    if (moved !== undefined) writeSources(db, uid, moved);
  }
}

type SeveralSources = { sop_instance_uid: string; further_sources: string };

const SENT_AGAIN = `SELECT sop_instance_uid, further_sources FROM instance
  WHERE study_instance_uid = ? AND further_sources IS NOT NULL`;

const MOVED = `UPDATE instance SET person = ?, subject = ?, moved_from = nullif(coalesce(moved_from, subject), ?)
  WHERE study_instance_uid = ? AND person = ? AND subject = ? AND (moved_from IS NOT NULL OR NOT ?)`;

/** For whom a plan writes, and under which identities, each once. */
function filingsOf({ puts, instances = [], quarantined = [], studies = [] }: WirePlan): readonly Filing[] {
  const moved = studies.flatMap(({ from, to, subject }) => [{ person: from }, { person: to, subject }]);
  const filings = [...puts, ...instances, ...quarantined, ...moved].map((one: Filing) => one);
  return [...new Map(filings.map(({ person, subject }) => [`${person} ${subject}`, { person, subject }])).values()];
}

function outboxOf(plan: WirePlan): OutboxEntry[] {
  const moved = (plan.moves ?? []).map(({ home, to }) => ({ move: { home, to } }));
  return [...moved, ...plan.audit.map((event) => ({ event }))];
}

function takeClaim(db: Database, { key, value }: Claim): void {
  db.run('INSERT OR IGNORE INTO claim (key, value) VALUES (?, ?)', key, value);
  const held = db.get<{ value: string }>('SELECT value FROM claim WHERE key = ?', key);
  if (held?.value !== value) throw claimTaken();
}

/** `patient` is shown in place of the identity that the row is filed under, where it is another's. */
function putRow(db: Database, put: WirePut, patient: string | undefined, now: number): number {
  const standing = standingRow(db, put.type, put.id);
  const version = 1 + (standing?.version ?? lastVersion(db, put.type, put.id));
  if (standing !== undefined) keepHistory(db, put.type, put.id);
  else if (version > 1) forgetDeletion(db, put.type, put.id);
  const origin = originAfter(put, originOf(standing));
  const json = stamped(put, version, now);
  const row = { ...put, patient, version, updated: now, json, ...(origin === undefined ? {} : { origin }) };
  const rid = writeRow(db, standing, row, put.index);
  const access = put.person !== undefined && isMaterialised(put.type) ? accessRow(put, rid) : undefined;
  giveRightsOf(db, row, access?.rid, version > 1);
  if (access !== undefined && put.person !== undefined)
    (standing === undefined ? materialiseNewRow : materialiseRow)(db, put.person, access);
  return version;
}

function accessRow(put: WirePut, rid: number): AccessRow {
  const { type, id, sort, released } = put;
  return { rid, type, id, sort, level: encodeLabel(put), released: released ? 1 : 0 };
}

function originOf(standing: StandingRow | undefined): Origin | undefined {
  const origin = standing?.origin ?? null;
  return origin === null ? undefined : (JSON.parse(origin) as Origin);
}

/** A row that is new gave nothing before. */
function giveRightsOf(
  db: Database,
  { type, id, person, origin = NO_ORIGIN, masks, json }: RowValues,
  rid: number | undefined,
  isKnown: boolean,
): void {
  const giver = `${type}/${id}`;
  const content = (): object => JSON.parse(json) as object;
  const given = rightsGivenBy({ type, id, person, origin, masks, content });
  giveRights(db, giver, isKnown ? givenBy(db, giver) : [], given, rid);
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

/** Another establishment may have sent the same. */
function addSource(db: Database, row: InstanceRow, standing: InstanceRow): void {
  const all = withSource(standing, row);
  if (all !== undefined) writeSources(db, row.sopInstanceUID, all);
}

function writeSources(db: Database, sopInstanceUID: string, all: readonly FurtherSource[]): void {
  db.run('UPDATE instance SET further_sources = ? WHERE sop_instance_uid = ?', JSON.stringify(all), sopInstanceUID);
}

function putInstance(db: Database, row: InstanceRow): 'stored' | 'already' {
  const standing = instanceOf(db, row.sopInstanceUID);
  if (standing !== undefined) {
    if (standing.dataSetDigest !== row.dataSetDigest) throw otherDataSet();
    addSource(db, row, standing);
    return 'already';
  }
  db.run(
    `INSERT INTO instance (sop_instance_uid, study_instance_uid, series_instance_uid, sop_class_uid,
      transfer_syntax_uid, series_number, instance_number, blob_name, blob_size, data_set_offset, data_set_digest,
      metadata, source, person, subject, moved_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    row.subject,
    row.movedFrom ?? null,
  );
  return 'stored';
}
