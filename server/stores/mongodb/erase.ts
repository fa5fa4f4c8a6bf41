/** Erasure: documents are deleted with everything that tells of them. */
import type { ClientSession } from 'mongodb';
import type { Erasure } from '../../ports/commit-plan.ts';
import { rowKey } from './acl-rows.ts';
import type { Collections } from './collections.ts';
import { quarantineKey } from './quarantine.ts';

/** Erases, and answers the names of the blobs that are referred to no more. */
export async function eraseAll(collections: Collections, erasures: readonly Erasure[], session: ClientSession): Promise<string[]> {
  const blobs: string[] = [];
  for (const erasure of erasures) {
    blobs.push(...(await eraseRows(collections, erasure, session)));
    blobs.push(...(await eraseInstances(collections, erasure, session)));
    const [claims, agenda] = [[...(erasure.claims ?? [])], [...(erasure.agenda ?? [])]];
    if (claims.length > 0) await collections.claims.deleteMany({ _id: { $in: claims } }, { session });
    if (agenda.length > 0) await collections.agenda.deleteMany({ _id: { $in: agenda } }, { session });
  }
  return blobs;
}

type Blobs = readonly { readonly blob?: { readonly name: string } | undefined }[];

function namesOf(documents: Blobs): string[] {
  return documents.flatMap(({ blob }) => (blob === undefined || blob === null ? [] : [blob.name]));
}

async function eraseRows({ standing, rows, history, acl, rights }: Collections, erasure: Erasure, session: ClientSession): Promise<string[]> {
  const keys = (erasure.rows ?? []).map(({ type, id }) => rowKey(type, id));
  const former = [...(erasure.rows ?? []), ...(erasure.history ?? [])].map(({ type, id }) => ({ type, id }));
  if (former.length === 0) return [];
  const projection = { blob: 1 } as const;
  const removed = keys.length === 0 ? [] : await standing.find({ _id: { $in: keys } }, { session, projection }).toArray();
  const kept = await standing.find({ _id: { $in: (erasure.history ?? []).map(({ type, id }) => rowKey(type, id)) } }, { session, projection }).toArray();
  const versions = await history.find({ $or: former }, { session, projection }).toArray();
  await history.deleteMany({ $or: former }, { session });
  if (keys.length > 0) {
    await rows.deleteMany({ _id: { $in: keys } }, { session });
    await acl.deleteMany({ item: { $in: keys } }, { session });
    await rights.deleteMany({ item: { $in: keys } }, { session });
  }
  const present = new Set(namesOf(kept));
  return [...new Set([...namesOf(removed), ...namesOf(versions)])].filter((name) => !present.has(name));
}

async function eraseInstances({ instances, quarantine }: Collections, erasure: Erasure, session: ClientSession): Promise<string[]> {
  const uids = [...(erasure.instances ?? [])];
  const aside = (erasure.quarantined ?? []).map(quarantineKey);
  const blobs: string[] = [];
  if (uids.length > 0) {
    blobs.push(...namesOf(await instances.find({ _id: { $in: uids } }, { session, projection: { blob: 1 } }).toArray()));
    await instances.deleteMany({ _id: { $in: uids } }, { session });
  }
  if (aside.length > 0) {
    blobs.push(...namesOf(await quarantine.find({ _id: { $in: aside } }, { session, projection: { blob: 1 } }).toArray()));
    await quarantine.deleteMany({ _id: { $in: aside } }, { session });
  }
  return blobs;
}
