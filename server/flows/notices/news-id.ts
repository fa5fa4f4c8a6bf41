/** Ids of notices that are told once, whatever asks for them, and however often. */
import { createHash } from 'node:crypto';
import type { NoticeKind } from '../../../profiles/notices/notice.ts';

/** The id of the notice of a kind about something (`Type/id`, a day behind it): a UUID. @see RFC 9562 section 5.8 */
export function newsId(kind: NoticeKind, ...about: readonly string[]): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([kind, ...about]))
    .digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4] ?? '8';
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
