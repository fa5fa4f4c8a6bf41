/** Leases: one holder at a time, by the server's clock, with a fencing token that rises with every new holder. */
import type { ClientSession, Collection } from 'mongodb';
import type { LeaseDocument } from '../documents.ts';

/** Takes or renews a lease. Resolves the fencing token, or undefined while somebody else holds it. */
export async function takeLease(
  leases: Collection<LeaseDocument>,
  name: string,
  holder: string,
  lengthMs: number,
): Promise<number | undefined> {
  const now = { $toLong: '$$NOW' };
  const isFree = { $lt: [{ $ifNull: ['$until', 0] }, now] };
  const isMine = { $eq: [{ $ifNull: ['$holder', ''] }, holder] };
  const change = {
    holder: { $cond: [{ $or: [isMine, isFree] }, holder, '$holder'] },
    token: { $add: [{ $ifNull: ['$token', 0] }, { $cond: [{ $and: [isFree, { $not: [isMine] }] }, 1, 0] }] },
    until: { $cond: [{ $or: [isMine, isFree] }, { $add: [now, lengthMs] }, '$until'] },
  };
  const lease = await leases.findOneAndUpdate({ _id: name }, [{ $set: change }], {
    upsert: true,
    returnDocument: 'after',
  });
  return lease?.holder === holder ? lease.token : undefined;
}

/** Gives a lease up before its end, so that another holder need not wait. */
export async function dropLease(leases: Collection<LeaseDocument>, name: string, holder: string): Promise<void> {
  await leases.updateOne({ _id: name, holder }, { $set: { until: 0 } });
}

/**
 * Uses a lease inside a transaction: resolves false when the token is no longer the last one, and conflicts with a
 * holder who takes over meanwhile.
 */
export async function useLease(
  leases: Collection<LeaseDocument>,
  name: string,
  token: number,
  session: ClientSession,
): Promise<boolean> {
  const { matchedCount } = await leases.updateOne({ _id: name, token }, { $inc: { uses: 1 } }, { session });
  return matchedCount === 1;
}
