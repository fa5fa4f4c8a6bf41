/** The code that a patient made last, as it is kept: not the code, but what a slow function makes of it. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** What is kept. `hash` and `salt` in base64url, `until` in epoch milliseconds. */
export type KeptCode = { readonly hash: string; readonly salt: string; readonly until: number };

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt);

/** Some 16 MiB and tens of milliseconds for each guess. @see RFC 7914 */
const COST = { N: 2 ** 14, r: 8, p: 1 } as const;
const BYTES = 32;

/** Makes what is kept of a code, which opens something until a moment. */
export async function keptCode(code: string, until: number): Promise<KeptCode> {
  const salt = randomBytes(16);
  const hash = await derive(code, salt, BYTES, COST);
  return { hash: hash.toString('base64url'), salt: salt.toString('base64url'), until };
}

/** Whether it is this code, at a moment. It takes the same time whether anything is kept. */
export async function isKept(code: string, kept: KeptCode | undefined, now: number): Promise<boolean> {
  const { salt, hash, until } = kept ?? NOTHING;
  const made = await derive(code, Buffer.from(salt, 'base64url'), BYTES, COST);
  return timingSafeEqual(made, Buffer.from(hash, 'base64url')) && kept !== undefined && now < until;
}

const NOTHING: KeptCode = {
  hash: Buffer.alloc(BYTES).toString('base64url'),
  salt: Buffer.alloc(16).toString('base64url'),
  until: 0,
};
