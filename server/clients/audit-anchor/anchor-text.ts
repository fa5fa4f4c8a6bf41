/** An anchor as a line of JSON that is signed: sequence, hash, moment, and an HMAC of them. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Anchor } from '../../ports/audit-anchor.ts';

/** Writes an anchor. @see RFC 2104 (HMAC), with SHA-256 */
export function writeAnchor({ sequence, hash, at }: Anchor, key: Uint8Array): string {
  return JSON.stringify({ sequence, hash, at, hmac: macOf({ sequence, hash, at }, key).toString('hex') });
}

/** Reads an anchor; undefined when it is none, or was not made under the key. */
export function readAnchor(text: string, key: Uint8Array): Anchor | undefined {
  const read = parsed(text);
  if (read === undefined) return undefined;
  const { sequence, hash, at, hmac } = read;
  const anchor: Anchor = { sequence, hash, at };
  const [said, made] = [Buffer.from(hmac, 'hex'), macOf(anchor, key)];
  return said.length === made.length && timingSafeEqual(said, made) ? anchor : undefined;
}

function macOf({ sequence, hash, at }: Anchor, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`passerelle audit anchor\n${sequence}\n${hash}\n${at}`).digest();
}

function parsed(text: string): (Anchor & { readonly hmac: string }) | undefined {
  try {
    const json = JSON.parse(text) as Partial<Anchor & { readonly hmac: string }> | null;
    const { sequence, hash, at, hmac } = json ?? {};
    const isAnchor =
      typeof sequence === 'number' && typeof hash === 'string' && typeof at === 'string' && typeof hmac === 'string';
    return isAnchor ? { sequence, hash, at, hmac } : undefined;
  } catch {
    return undefined;
  }
}
