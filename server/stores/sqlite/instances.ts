/** The instance index: the instances of a study whose row is visible. */
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import type { Grant } from '../../access/grant.ts';
import { personKey } from '../../access/requester.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { FoundInstance, Question, StudyInstances, VisibleRow } from '../../ports/record-store.ts';
import { marks } from './criteria.ts';
import type { Database } from './database.ts';
import { visibleRow } from './visible.ts';

type InstancesQuestion = Extract<Question, { kind: 'instances' }>;

type Columns = {
  sop_instance_uid: string; study_instance_uid: string; series_instance_uid: string; sop_class_uid: string;
  transfer_syntax_uid: string; series_number: number | null; instance_number: number | null; blob_name: string;
  blob_size: number; data_set_offset: number; data_set_digest: string; metadata: string;
  source: string; person: string; metadata_bytes?: Uint8Array;
};

/** Answers a question for instances. The server itself needs no ImagingStudy row: it may be building it. */
export function studyInstances(db: Database, grant: Grant, question: InstancesQuestion): StudyInstances {
  const study = visibleStudy(db, grant, question.studyInstanceUID);
  if (study === undefined && !grant.system) return { study, instances: [] };
  return { study, instances: selectInstances(db, question) };
}

function visibleStudy(db: Database, grant: Grant, studyInstanceUID: string): VisibleRow | undefined {
  const row = db.get<{ id: string }>(
    `SELECT x.id FROM token t CROSS JOIN resource x ON x.rid = t.rid
     WHERE t.param = 'ImagingStudy.identifier' AND t.value = ? AND t.system = ? LIMIT 1`,
    `urn:oid:${studyInstanceUID}`,
    IDENTIFIER_SYSTEM.dicomUid,
  );
  return row === undefined ? undefined : visibleRow(db, grant, 'ImagingStudy', row.id);
}

/** Selects instances of a study, whoever may see them. The plus leaves the order to the index: a sort would read every row for each page. */
export function selectInstances(db: Database, question: InstancesQuestion): FoundInstance[] {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUIDs, offset, limit } = question;
  const series = seriesInstanceUID === undefined ? '' : ' AND +series_instance_uid = ?';
  const sops = sopInstanceUIDs === undefined ? '' : ` AND sop_instance_uid IN (${marks(sopInstanceUIDs)})`;
  const rows = db.all<Columns>(
    `SELECT ${columnsOf(question)} FROM instance WHERE study_instance_uid = ?${series}${sops}
     ORDER BY series_number, series_instance_uid, instance_number, sop_instance_uid LIMIT ? OFFSET ?`,
    studyInstanceUID,
    ...(seriesInstanceUID === undefined ? [] : [seriesInstanceUID]),
    ...(sopInstanceUIDs ?? []),
    limit,
    offset,
  );
  return rows.map(toFoundInstance);
}

/** The instance of a UID, in whatever study. */
export function instanceOf(db: Database, sopInstanceUID: string): InstanceRow | undefined {
  const row = db.get<Columns>(`SELECT ${WITHOUT_METADATA} FROM instance WHERE sop_instance_uid = ?`, sopInstanceUID);
  return row === undefined ? undefined : toInstanceRow(row);
}

const WITHOUT_METADATA = `sop_instance_uid, study_instance_uid, series_instance_uid, sop_class_uid, transfer_syntax_uid,
  series_number, instance_number, blob_name, blob_size, data_set_offset, data_set_digest, '' AS metadata, source, person`;

/** Text is made into a string of its own for each row; bytes are copied. */
function columnsOf({ omitMetadata, metadataAsBytes }: InstancesQuestion): string {
  if (metadataAsBytes === true) return `${WITHOUT_METADATA}, CAST(metadata AS BLOB) AS metadata_bytes`;
  return omitMetadata === true ? WITHOUT_METADATA : '*';
}

function toFoundInstance(row: Columns): FoundInstance {
  const instance = toInstanceRow(row);
  return row.metadata_bytes === undefined ? instance : { ...instance, metadataBytes: row.metadata_bytes };
}

function toInstanceRow(row: Columns): InstanceRow {
  return {
    studyInstanceUID: row.study_instance_uid,
    seriesInstanceUID: row.series_instance_uid,
    sopInstanceUID: row.sop_instance_uid,
    sopClassUID: row.sop_class_uid,
    transferSyntaxUID: row.transfer_syntax_uid,
    seriesNumber: row.series_number ?? undefined,
    instanceNumber: row.instance_number ?? undefined,
    blob: { name: row.blob_name, size: row.blob_size },
    dataSetOffset: row.data_set_offset,
    dataSetDigest: row.data_set_digest,
    metadata: row.metadata,
    source: row.source,
    person: personKey(row.person),
  };
}
