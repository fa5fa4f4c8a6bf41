/** Instances, one document each: a study of any size stays below the limit of a document. */
import type { ClientSession, Filter, FindCursor } from 'mongodb';
import type { CommitPlan, CommitReceipt, InstanceRow } from '../../../ports/commit-plan.ts';
import type { Question } from '../../../ports/record-store.ts';
import { otherDataSet } from '../../refused.ts';
import type { ShownPart } from '../../granted.ts';
import { movedSources, withSource, type Sources } from '../../sources.ts';
import type { Collections } from '../collections.ts';
import type { InstanceDocument } from '../documents.ts';

/** The question that asks for instances. */
export type InstancesQuestion = Extract<Question, { kind: 'instances' }>;
/** The question that asks for their metadata alone. */
export type MetadataQuestion = Extract<Question, { kind: 'metadata' }>;

/** The order of the instances of a study. */
export const CANONICAL_ORDER = { seriesNumber: 1, seriesInstanceUID: 1, instanceNumber: 1, _id: 1 } as const;

/**
 * Adds the instances that do not stand yet.
 * @throws {Fault} conflict - one stands with another data set
 */
export async function writeInstances(
  { instances }: Collections,
  received: readonly InstanceRow[],
  session: ClientSession,
): Promise<CommitReceipt['instances']> {
  if (received.length === 0) return [];
  const uids = received.map(({ sopInstanceUID }) => sopInstanceUID);
  const projection = { dataSetDigest: 1, source: 1, furtherSources: 1 };
  const found = await instances.find({ _id: { $in: uids } }, { session, projection }).toArray();
  const known = new Map<string, StandingInstance>(found.map((one) => [one._id, one]));
  const fresh: InstanceDocument[] = [];
  const results = received.map((instance) => {
    const standing = known.get(instance.sopInstanceUID);
    if (standing?.dataSetDigest === instance.dataSetDigest) return 'already';
    if (standing !== undefined) throw otherDataSet();
    known.set(instance.sopInstanceUID, instance);
    fresh.push(toDocument(instance));
    return 'stored';
  });
  if (fresh.length > 0) await instances.insertMany(fresh, { session });
  for (const instance of received) {
    const { sopInstanceUID: _id } = instance;
    const standing = known.get(_id);
    const furtherSources = standing === undefined ? undefined : withSource(standing, instance);
    if (standing === undefined || furtherSources === undefined) continue;
    known.set(_id, { ...standing, furtherSources });
    await instances.updateOne({ _id }, { $set: { furtherSources } }, { session });
  }
  return results;
}

type StandingInstance = Sources & Pick<InstanceRow, 'dataSetDigest'>;

/** Makes instances of studies another person's. */
export async function moveStudies(
  { instances }: Collections,
  studies: NonNullable<CommitPlan['studies']>,
  session: ClientSession,
): Promise<void> {
  for (const study of studies) {
    await moveSources(instances, study, session);
    const { studyInstanceUID, from, to, identity, subject, isMovedOnly } = study;
    const filed = { studyInstanceUID, person: from, subject: identity };
    const moved = { person: to, subject };
    const back = { $set: moved, $unset: { movedFrom: '' as const } };
    await instances.updateMany({ ...filed, movedFrom: subject }, back, { session });
    await instances.updateMany({ ...filed, movedFrom: { $exists: true } }, { $set: moved }, { session });
    if (isMovedOnly === true) continue;
    // What stays under its identity was moved from nowhere.
    const away = { ...moved, ...(identity === subject ? {} : { movedFrom: identity }) };
    await instances.updateMany({ ...filed, movedFrom: { $exists: false } }, { $set: away }, { session });
  }
}

async function moveSources(
  instances: Collections['instances'],
  study: NonNullable<CommitPlan['studies']>[number],
  session: ClientSession,
): Promise<void> {
  const { studyInstanceUID, identity } = study;
  const sent = { studyInstanceUID, 'furtherSources.subject': identity };
  const projection = { furtherSources: 1 } as const;
  for (const { _id, furtherSources = [] } of await instances.find(sent, { session, projection }).toArray()) {
    const moved = movedSources(furtherSources, study);
    if (moved !== undefined) await instances.updateOne({ _id }, { $set: { furtherSources: moved } }, { session });
  }
}

/** The condition that one of some establishments sent an instance. */
export function sentBy(sources: readonly string[] | undefined): Filter<InstanceDocument> {
  if (sources === undefined) return {};
  return { $or: [{ source: { $in: [...sources] } }, { 'furtherSources.source': { $in: [...sources] } }] };
}

function isOf({ person, sources }: ShownPart): Filter<InstanceDocument> {
  return { ...(person === undefined ? {} : { person }), ...sentBy(sources) };
}

/** Reads instances of a study, whoever may see them. */
export async function readInstances(
  { instances }: Collections,
  question: InstancesQuestion,
  session: ClientSession,
  part: ShownPart = {},
): Promise<readonly InstanceRow[]> {
  if (question.limit < 1) return [];
  const columns = question.omitMetadata === true ? { projection: { metadata: 0 } } : {};
  const filter = { ...filterOf(question), ...isOf(part) };
  const found = await inOrder(instances.find(filter, { session, ...columns }), question).toArray();
  return found.map(fromDocument);
}

/** Metadata of an instance, and the identity that it is filed under. */
export type ReadMetadata = Pick<InstanceRow, 'subject'> & { readonly metadata: Uint8Array };

/** Reads the metadata of instances of a study, whoever may see them. */
export async function readMetadata(
  { instances }: Collections,
  question: MetadataQuestion,
  session: ClientSession,
  part: ShownPart = {},
): Promise<readonly ReadMetadata[]> {
  if (question.limit < 1) return [];
  const filter = { ...filterOf(question), ...isOf(part) };
  const projection = { metadata: 1, subject: 1 } as const;
  const found = await inOrder(instances.find(filter, { session, projection }), question).toArray();
  return found.map(({ metadata, subject }) => ({ metadata: Buffer.from(metadata), subject }));
}

function inOrder(
  found: FindCursor<InstanceDocument>,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): FindCursor<InstanceDocument> {
  return found.sort(CANONICAL_ORDER).skip(offset).limit(limit);
}

/** The instance of a UID, in whatever study, without its metadata. */
export async function readInstance(
  { instances }: Collections,
  sopInstanceUID: string,
): Promise<InstanceRow | undefined> {
  const found = await instances.findOne({ _id: sopInstanceUID }, { projection: { metadata: 0 } });
  return found === null ? undefined : fromDocument(found);
}

function filterOf({
  studyInstanceUID,
  seriesInstanceUID,
  sopInstanceUIDs,
}: InstancesQuestion | MetadataQuestion): Filter<InstanceDocument> {
  return {
    studyInstanceUID,
    ...(seriesInstanceUID === undefined ? {} : { seriesInstanceUID }),
    ...(sopInstanceUIDs === undefined ? {} : { _id: { $in: [...sopInstanceUIDs] } }),
  };
}

/** An instance as it is read: the metadata may have been left out. */
type ReadInstance = Omit<InstanceDocument, 'metadata'> & { readonly metadata?: string };

function toDocument({ sopInstanceUID, ...instance }: InstanceRow): InstanceDocument {
  const { instanceNumber = null, seriesNumber = null } = instance;
  return { ...instance, _id: sopInstanceUID, instanceNumber, seriesNumber };
}

function fromDocument({ _id, instanceNumber, seriesNumber, metadata, ...instance }: ReadInstance): InstanceRow {
  return {
    ...instance,
    metadata: metadata ?? '',
    sopInstanceUID: _id,
    instanceNumber: instanceNumber ?? undefined,
    seriesNumber: seriesNumber ?? undefined,
  };
}
