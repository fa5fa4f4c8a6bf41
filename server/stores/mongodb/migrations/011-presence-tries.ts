/**
 * Schema 11: earlier servers kept tries for a number under a plain digest, which whoever holds the database compares
 * with numbers, and forgot none. Those of now look the same: all go, and what counts of the last quarter of an hour is
 * counted anew.
 */
import type { Db } from 'mongodb';
import type { ClaimDocument } from '../documents.ts';

/** Removes what is there, so that it may be run again. */
export async function forgetPresenceTries(db: Db): Promise<void> {
  await db.collection<ClaimDocument>('claims').deleteMany({ _id: { $gte: 'presence-tries|', $lt: 'presence-tries}' } });
}
