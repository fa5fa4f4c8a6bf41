/** Proof that a consent form is one of ours: it is bound to the interaction and cannot be made without our key. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AuthorizationKeys } from '../keys.ts';

/** The value that goes into the form. */
export function csrfToken(keys: AuthorizationKeys, uid: string): string {
  return createHmac('sha256', keys.cookieKeys[0] ?? '').update(`consent ${uid}`).digest('base64url');
}

/** Whether a posted value is that of this interaction. */
export function isCsrfToken(keys: AuthorizationKeys, uid: string, value: string | null): boolean {
  const expected = Buffer.from(csrfToken(keys, uid));
  const given = Buffer.from(value ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
