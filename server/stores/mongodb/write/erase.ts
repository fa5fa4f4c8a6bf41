/** Erasure: documents are deleted with everything that tells of them. */
import type { ClientSession } from 'mongodb';
import { afterStem } from '../../../ports/claim-key.ts';
import type { Erasure } from '../../../ports/commit-plan.ts';
import { rowKey } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import { eraseJobs } from './jobs.ts';
import { quarantineKey } from '../read/quarantine.ts';

/** Erases all but the history of rows that stay, and answers the names of the blobs that are referred to no more. */
export async function eraseAll(
  collections: Collections,
  erasures: readonly Erasure[],
  session: ClientSession,
): Promise<string[]> {
  const blobs: string[] = [];
  for (const erasure of erasures) {
    blobs.push(...(await eraseRows(collections, erasure, session)));
    blobs.push(...(await eraseInstances(collections, erasure, session)));
    const claims = [...(erasure.claims ?? [])];
    if (claims.length > 0) await collections.claims.deleteMany({ _id: { $in: claims } }, { session });
    for (const begin of erasure.claimsUnder ?? [])
      await collections.claims.deleteMany({ _id: { $gte: begin, $lt: afterStem(begin) } }, { session });
    await eraseJobs(collections, erasure.jobs ?? [], session);
  }
  return blobs;
}

type Blobs = readonly { readonly blob?: { readonly name: string } | undefined }[];

function namesOf(documents: Blobs): string[] {
  return documents.flatMap(({ blob }) => (blob === undefined || blob === null ? [] : [blob.name]));
}

async function eraseRows(
  { standing, rows, history, acl }: Collections,
  erasure: Erasure,
  session: ClientSession,
): Promise<string[]> {
  const named = erasure.rows ?? [];
  if (named.length === 0) return [];
  const keys = named.map(({ type, id }) => rowKey(type, id));
  const former = { $or: named.map(versionsOf) };
  const projection = { blob: 1 } as const;
  const removed = await standing.find({ _id: { $in: keys } }, { session, projection }).toArray();
  const versions = await history.find(former, { session, projection }).toArray();
  await history.deleteMany(former, { session });
  await rows.deleteMany({ _id: { $in: keys } }, { session });
  await acl.deleteMany({ item: { $in: keys } }, { session });
  return [...new Set([...namesOf(removed), ...namesOf(versions)])];
}

/**
 * Erases the former versions of rows that stay, or that are deleted: the deletion is none of them. A blob that the
 * standing row still refers to is not given up.
 */
export async function eraseHistory(
  { rows, history }: Collections,
  erasures: readonly Erasure[],
  session: ClientSession,
): Promise<string[]> {
  const named = erasures.flatMap((erasure) => erasure.history ?? []);
  if (named.length === 0) return [];
  const projection = { blob: 1 } as const;
  const kept = await rows
    .find({ _id: { $in: named.map(({ type, id }) => rowKey(type, id)) } }, { session, projection: PRESENT })
    .toArray();
  const deletions = kept.filter(({ gone }) => gone === true).map(({ _id, version }) => `${_id}/${version}`);
  const former = { $or: named.map(versionsOf), _id: { $nin: deletions } };
  const versions = await history.find(former, { session, projection }).toArray();
  await history.deleteMany(former, { session });
  const present = new Set(namesOf(kept as Blobs));
  return [...new Set(namesOf(versions))].filter((name) => !present.has(name));
}

const PRESENT = { gone: 1, version: 1, blob: 1 } as const;

/** The former versions of a row, by their keys: `Type/id/version`, and `0` follows `/`. */
function versionsOf({ type, id }: { readonly type: string; readonly id: string }) {
  return { _id: { $gte: `${type}/${id}/`, $lt: `${type}/${id}0` } };
}

async function eraseInstances(
  { instances, quarantine }: Collections,
  erasure: Erasure,
  session: ClientSession,
): Promise<string[]> {
  const uids = [...(erasure.instances ?? [])];
  const aside = (erasure.quarantined ?? []).map(quarantineKey);
  const blobs: string[] = [];
  if (uids.length > 0) {
    blobs.push(
      ...namesOf(await instances.find({ _id: { $in: uids } }, { session, projection: { blob: 1 } }).toArray()),
    );
    await instances.deleteMany({ _id: { $in: uids } }, { session });
  }
  if (aside.length > 0) {
    blobs.push(
      ...namesOf(await quarantine.find({ _id: { $in: aside } }, { session, projection: { blob: 1 } }).toArray()),
    );
    await quarantine.deleteMany({ _id: { $in: aside } }, { session });
  }
  return blobs;
}
