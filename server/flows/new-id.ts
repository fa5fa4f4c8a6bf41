/** Ids of what is new. */
import { randomUUID } from 'node:crypto';

/**
 * A UUID that begins with the time, epoch milliseconds, so that what is written together lies together in every index;
 * else each row would touch pages of its own all over the store.
 * @see RFC 9562 section 5.7 (version 7)
 */
export function newId(now = Date.now()): string {
  const time = Math.trunc(now).toString(16).padStart(12, '0');
  // What follows the version is random in the same places of a UUID of version 4.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
