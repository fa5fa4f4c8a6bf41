/** Ids of events. */
import { randomBytes } from 'node:crypto';

/**
 * A new id: a UUID that begins with the time, so that events which come together lie together in every index; else
 * each would touch pages of its own all over the trail.
 * @see RFC 9562 section 5.7 (version 7)
 */
export function newEventId(now: number): string {
  const hex = Math.trunc(now).toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b11) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
