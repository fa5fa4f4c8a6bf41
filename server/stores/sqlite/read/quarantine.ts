/** Instances kept aside: no question of a grant reads their table. */
import { personKey } from '../../../access/requester.ts';
import type { QuarantinedInstance, QuarantineReason } from '../../../ports/commit-plan.ts';
import type { AsideAsked } from '../../granted.ts';
import type { Sql } from './criteria.ts';
import type { Database } from '../database.ts';

type Columns = {
  sop_instance_uid: string;
  data_set_digest: string;
  source: string;
  study_instance_uid: string;
  reason: QuarantineReason;
  received_at: number;
  blob_name: string;
  blob_size: number;
  subject: string | null;
  person: string | null;
};

/** Keeps an instance aside, unless the same one is. */
export function putQuarantined(db: Database, { blob, ...one }: QuarantinedInstance): 'stored' | 'already' {
  const changed = db.run(
    `INSERT OR IGNORE INTO quarantine (sop_instance_uid, data_set_digest, source, study_instance_uid, reason,
      received_at, blob_name, blob_size, subject, person) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    one.sopInstanceUID,
    one.dataSetDigest,
    one.source,
    one.studyInstanceUID,
    one.reason,
    one.receivedAt,
    blob.name,
    blob.size,
    one.subject ?? null,
    one.person ?? null,
  );
  return changed === 1 ? 'stored' : 'already';
}

/** Reads what is kept aside, of one study or person or of all, earliest first. */
export function* readQuarantine(db: Database, { study, person }: AsideAsked): Iterable<QuarantinedInstance> {
  const { text: where, values } = placeOf(study, person);
  const text = `SELECT * FROM quarantine${where} ORDER BY received_at, sop_instance_uid, data_set_digest, source`;
  // Two who ask for one study at a time would take each other's rows.
  const rows = where === '' ? db.iterate<Columns>(text) : db.all<Columns>(text, ...values);
  for (const row of rows) {
    yield {
      studyInstanceUID: row.study_instance_uid,
      sopInstanceUID: row.sop_instance_uid,
      blob: { name: row.blob_name, size: row.blob_size },
      dataSetDigest: row.data_set_digest,
      source: row.source,
      reason: row.reason,
      receivedAt: row.received_at,
      ...(row.subject === null ? {} : { subject: row.subject }),
      ...(row.person === null ? {} : { person: personKey(row.person) }),
    };
  }
}

function placeOf(study: string | undefined, person: string | undefined): Sql {
  if (study !== undefined) return { text: ' WHERE study_instance_uid = ?', values: [study] };
  return person === undefined ? { text: '', values: [] } : { text: ' WHERE person = ?', values: [person] };
}
