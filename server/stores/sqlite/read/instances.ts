/** The instance index: the instances of a study whose row is visible. */
import type { AnyGrant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import type { FurtherSource, InstanceRow } from '../../../ports/commit-plan.ts';
import type { Question, StudyInstances, StudyMetadata } from '../../../ports/record-store.ts';
import { identitiesShown, shownInstances, type ShownPart } from '../../granted.ts';
import { marks, type Sql } from './criteria.ts';
import type { Database } from '../database.ts';
import { shownStudy } from './visible.ts';

type InstancesQuestion = Extract<Question, { kind: 'instances' }>;
type MetadataQuestion = Extract<Question, { kind: 'metadata' }>;

type Columns = {
  sop_instance_uid: string;
  study_instance_uid: string;
  series_instance_uid: string;
  sop_class_uid: string;
  transfer_syntax_uid: string;
  series_number: number | null;
  instance_number: number | null;
  blob_name: string;
  blob_size: number;
  data_set_offset: number;
  data_set_digest: string;
  metadata: string;
  source: string;
  further_sources: string | null;
  person: string;
  subject: string;
  moved_from: string | null;
};

/** Answers a question for instances. The server itself needs no ImagingStudy row: it may be building it. */
export function studyInstances(db: Database, grant: AnyGrant, question: InstancesQuestion): StudyInstances {
  const shown = shownStudy(db, grant, question);
  if (shown === undefined && !grant.system) return { study: undefined, instances: [] };
  return { study: shown?.study, instances: shownInstances(selectInstances(db, question, shown?.part)) };
}

/** Answers a question for metadata. Text is made into a string of its own for each row; bytes are copied. */
export function studyMetadata(db: Database, grant: AnyGrant, question: MetadataQuestion): StudyMetadata {
  const shown = shownStudy(db, grant, question);
  if (shown === undefined && !grant.system) return { study: undefined, metadata: [] };
  const columns = 'CAST(metadata AS BLOB) AS metadata, subject';
  const rows = select<{ metadata: Uint8Array; subject: string }>(db, columns, question, shown?.part);
  return {
    study: shown?.study,
    metadata: rows.map(({ metadata }) => metadata),
    ...identitiesShown(grant, rows),
  };
}

/** Selects instances of a study, whoever may see them. */
export function selectInstances(db: Database, question: InstancesQuestion, part: ShownPart = {}): InstanceRow[] {
  const columns = question.omitMetadata === true ? WITHOUT_METADATA : '*';
  return select<Columns>(db, columns, question, part).map(toInstanceRow);
}

/** The condition that one of some establishments sent an instance. */
export function sentBy(sources: readonly string[] | undefined): Sql {
  if (sources === undefined) return { text: '', values: [] };
  const text = ` AND (source IN (${marks(sources)}) OR EXISTS (SELECT 1 FROM json_each(further_sources)
    WHERE value ->> 'source' IN (${marks(sources)})))`;
  return { text, values: [...sources, ...sources] };
}

/**
 * The plus leaves the order to the index: a sort would read every row for each page. The sum keeps the statement
 * prepared: the planner looks at a limit that is bound, and plans anew for each.
 */
function select<Row>(
  db: Database,
  columns: string,
  question: InstancesQuestion | MetadataQuestion,
  { person, sources }: ShownPart = {},
): Row[] {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUIDs, offset, limit } = question;
  const series = seriesInstanceUID === undefined ? '' : ' AND +series_instance_uid = ?';
  const sops = sopInstanceUIDs === undefined ? '' : ` AND sop_instance_uid IN (${marks(sopInstanceUIDs)})`;
  const sent = sentBy(sources);
  const hers = person === undefined ? '' : ' AND +person = ?';
  return db.all<Row>(
    `SELECT ${columns} FROM instance WHERE study_instance_uid = ?${series}${sops}${hers}${sent.text}
     ORDER BY series_number, series_instance_uid, instance_number, sop_instance_uid LIMIT 0 + ? OFFSET ?`,
    studyInstanceUID,
    ...(seriesInstanceUID === undefined ? [] : [seriesInstanceUID]),
    ...(sopInstanceUIDs ?? []),
    ...(person === undefined ? [] : [person]),
    ...sent.values,
    limit,
    offset,
  );
}

/** The instance of a UID, in whatever study. */
export function instanceOf(db: Database, sopInstanceUID: string): InstanceRow | undefined {
  const row = db.get<Columns>(`SELECT ${WITHOUT_METADATA} FROM instance WHERE sop_instance_uid = ?`, sopInstanceUID);
  return row === undefined ? undefined : toInstanceRow(row);
}

const WITHOUT_METADATA = `sop_instance_uid, study_instance_uid, series_instance_uid, sop_class_uid, transfer_syntax_uid,
  series_number, instance_number, blob_name, blob_size, data_set_offset, data_set_digest, '' AS metadata,
  source, further_sources, person, subject, moved_from`;

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
    ...(row.further_sources === null ? {} : { furtherSources: JSON.parse(row.further_sources) as FurtherSource[] }),
    person: personKey(row.person),
    subject: row.subject,
    ...(row.moved_from === null ? {} : { movedFrom: row.moved_from }),
  };
}
