/** Series and instances of visible studies: the walk, its reads answered inside one transaction. */
import { claimKey } from '../../../ports/claim-key.ts';
import type { StudyParts } from '../../../ports/record-store.ts';
import { walkParts, type PartRead, type PartsQuestion, type SeriesOutline } from '../../part-walk.ts';
import { CANONICAL_ORDER, readInstances, sentBy } from './instances.ts';
import type { Reader } from './reader.ts';
import { searchRows } from './search.ts';

/**
 * Answers a question for parts.
 * @throws {Fault} too-costly - it would look at too much
 */
export async function studyParts(reader: Reader, question: PartsQuestion): Promise<StudyParts> {
  const walk = walkParts(question, reader.grant);
  for (let step = walk.next(); ; step = walk.next(await readPart(reader, step.value))) {
    if (step.done === true) return step.value;
  }
}

async function readPart(reader: Reader, read: PartRead): Promise<unknown> {
  switch (read.kind) {
    case 'studies-of':
      return await studiesOf(reader, read.sopInstanceUIDs);
    case 'rows-of':
      return await rowsOf(reader, read.studyInstanceUIDs);
    case 'studies':
      return await searchRows(reader, read.query, read);
    case 'series':
      return await seriesOf(reader, read);
    case 'instances':
      return await readInstances(reader.collections, read, reader.session, read);
  }
}

async function studiesOf(
  { collections, session }: Reader,
  sopInstanceUIDs: readonly string[],
): Promise<readonly string[]> {
  const found = await collections.instances
    .find({ _id: { $in: [...sopInstanceUIDs] } }, { session, projection: { studyInstanceUID: 1 } })
    .toArray();
  return [...new Set(found.map(({ studyInstanceUID }) => studyInstanceUID))];
}

/** The ids of the rows that the claims of studies name, by Study Instance UID. */
async function rowsOf(
  { collections, session }: Reader,
  studyInstanceUIDs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>(studyInstanceUIDs.map((uid) => [claimKey.imagingStudy(uid), uid]));
  const held = await collections.claims.find({ _id: { $in: [...keys.keys()] } }, { session }).toArray();
  return new Map(held.map(({ _id, value }) => [keys.get(_id) ?? '', value]));
}

/**
 * Read from the index alone, but where it counts who sent an instance. A series whose instances disagree about its
 * number comes once, where it comes first.
 */
async function seriesOf(
  { collections, session }: Reader,
  { studyInstanceUID, sources }: Extract<PartRead, { kind: 'series' }>,
): Promise<readonly SeriesOutline[]> {
  const projection = { seriesInstanceUID: 1 } as const;
  const found = await collections.instances
    .find({ studyInstanceUID, ...sentBy(sources) }, { session, projection })
    .sort(CANONICAL_ORDER)
    .toArray();
  const series = new Map<string, SeriesOutline>();
  for (const { _id, seriesInstanceUID } of found) {
    const { first = _id, instances = 0 } = series.get(seriesInstanceUID) ?? {};
    series.set(seriesInstanceUID, { seriesInstanceUID, first, instances: instances + 1 });
  }
  return [...series.values()];
}
