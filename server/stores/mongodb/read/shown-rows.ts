/** How many rows the access table shows to some principals. */
import type { Principal } from '../../../access/right.ts';
import type { Collections } from '../collections.ts';
import { during } from './reader.ts';

/** Counts each row once; `now` is epoch milliseconds. */
export async function shownRows({ acl }: Collections, principals: readonly Principal[], now: number): Promise<number> {
  const shown = { principal: { $in: [...principals] }, ...during(now) };
  const stages = [{ $match: shown }, { $group: { _id: '$item' } }, { $group: { _id: null, n: { $sum: 1 } } }];
  const [counted] = await acl.aggregate<{ n: number }>(stages).toArray();
  return counted?.n ?? 0;
}
