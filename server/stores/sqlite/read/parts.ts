/** Series and instances of visible studies: the walk, its reads answered at once. */
import type { AnyGrant } from '../../../access/grant.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { StudyParts } from '../../../ports/record-store.ts';
import { walkParts, type PartRead, type PartsQuestion, type SeriesOutline } from '../../part-walk.ts';
import { marks } from './criteria.ts';
import type { Database } from '../database.ts';
import { selectInstances, sentBy } from './instances.ts';
import { search } from './search.ts';

/**
 * Answers a question for parts.
 * @throws {Fault} too-costly - it would look at too much
 */
export function studyParts(db: Database, grant: AnyGrant, question: PartsQuestion): StudyParts {
  const walk = walkParts(question, grant);
  for (let step = walk.next(); ; step = walk.next(readPart(db, grant, step.value))) {
    if (step.done === true) return step.value;
  }
}

function readPart(db: Database, grant: AnyGrant, read: PartRead): unknown {
  switch (read.kind) {
    case 'studies-of':
      return studiesOf(db, read.sopInstanceUIDs);
    case 'rows-of':
      return rowsOf(db, read.studyInstanceUIDs);
    case 'studies':
      return search(db, grant, read.query, read.after);
    case 'series':
      return seriesOf(db, read);
    case 'instances':
      return selectInstances(db, read, read);
  }
}

function studiesOf(db: Database, sopInstanceUIDs: readonly string[]): readonly string[] {
  const text = `SELECT DISTINCT study_instance_uid AS uid FROM instance WHERE sop_instance_uid IN
    (${marks(sopInstanceUIDs)})`;
  return db.all<{ uid: string }>(text, ...sopInstanceUIDs).map(({ uid }) => uid);
}

/** The ids of the rows that the claims of studies name, by Study Instance UID. */
function rowsOf(db: Database, studyInstanceUIDs: readonly string[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>(studyInstanceUIDs.map((uid) => [claimKey.imagingStudy(uid), uid]));
  const text = 'SELECT key, value FROM claim WHERE key IN (SELECT value FROM json_each(?))';
  const held = db.all<{ key: string; value: string }>(text, JSON.stringify([...keys.keys()]));
  return new Map(held.map(({ key, value }) => [keys.get(key) ?? '', value]));
}

/** A series whose instances disagree about its number comes once, where it comes first. */
function seriesOf(
  db: Database,
  { studyInstanceUID, sources }: Extract<PartRead, { kind: 'series' }>,
): readonly SeriesOutline[] {
  const { text, values } = sentBy(sources);
  const place = [studyInstanceUID, ...values];
  const groups = db.all<{ uid: string; first: string; n: number }>(seriesSentBy(text), ...place, ...place);
  const series = new Map<string, SeriesOutline>();
  for (const { uid, first, n } of groups) {
    const known = series.get(uid);
    series.set(uid, { seriesInstanceUID: uid, first: known?.first ?? first, instances: (known?.instances ?? 0) + n });
  }
  return [...series.values()];
}

/** Both are answered from the index of the order alone, but where it counts who sent an instance. */
const seriesSentBy = (sent: string): string => `SELECT g.uid, g.n, (
    SELECT sop_instance_uid FROM instance WHERE study_instance_uid = ?${sent} AND series_number IS g.number
      AND series_instance_uid = g.uid
    ORDER BY instance_number, sop_instance_uid LIMIT 1) AS first
  FROM (SELECT series_number AS number, series_instance_uid AS uid, count(*) AS n FROM instance
    WHERE study_instance_uid = ?${sent}
    GROUP BY series_number, series_instance_uid ORDER BY series_number, series_instance_uid) g`;
