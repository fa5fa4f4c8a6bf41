/** Instances kept aside: no question of a grant reads their collection. */
import type { ClientSession } from 'mongodb';
import type { AsideName, CommitReceipt, QuarantinedInstance } from '../../../ports/commit-plan.ts';
import type { Collections } from '../collections.ts';
import type { QuarantineDocument } from '../documents.ts';
import type { AsideAsked } from '../../granted.ts';
import { toStoreFault } from '../errors.ts';

/** Keeps instances aside, each once. */
export async function writeQuarantine(
  { quarantine }: Collections,
  received: readonly QuarantinedInstance[],
  session: ClientSession,
): Promise<CommitReceipt['quarantined']> {
  if (received.length === 0) return [];
  const documents = received.map(toDocument);
  const ids = documents.map(({ _id }) => _id);
  const found = await quarantine.find({ _id: { $in: ids } }, { session, projection: { _id: 1 } }).toArray();
  const standing = new Set(found.map(({ _id }) => _id));
  const fresh = documents.filter(({ _id }, at) => !standing.has(_id) && ids.indexOf(_id) === at);
  if (fresh.length > 0) await quarantine.insertMany(fresh, { session });
  return documents.map((document) => (fresh.includes(document) ? 'stored' : 'already'));
}

/** Reads what is kept aside, of one study or person or of all, earliest first. */
export async function* readQuarantine(
  { quarantine }: Collections,
  { study, person }: AsideAsked,
): AsyncIterable<QuarantinedInstance> {
  const found = quarantine.find({
    ...(study === undefined ? {} : { studyInstanceUID: study }),
    ...(person === undefined ? {} : { person }),
  });
  try {
    const order = { receivedAt: 1, sopInstanceUID: 1, dataSetDigest: 1, source: 1 } as const;
    for await (const { _id, ...one } of found.sort(order)) yield one;
  } catch (error) {
    throw toStoreFault(error);
  }
}

/** The key of an instance kept aside. */
export function quarantineKey({ sopInstanceUID, dataSetDigest, source }: AsideName): string {
  return `${sopInstanceUID}|${dataSetDigest}|${source}`;
}

function toDocument(one: QuarantinedInstance): QuarantineDocument {
  return { _id: quarantineKey(one), ...one };
}
