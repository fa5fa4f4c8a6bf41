/** The authorization server's own keys: made at first start, kept in the token store, the same for all processes. */
import { setTimeout as wait } from 'node:timers/promises';
import type { TokenStore } from '../../ports/token-store.ts';
import { generateAuthorizationKeys, type AuthorizationKeys } from './keys.ts';

const MODEL = 'AuthorizationKeys';
const ID = 'current';
/** The last second of the year 9999: dates of some stores end there. */
const LASTS = 253_402_300_799;
const TRIES = 50;
const PAUSE_MS = 100;

/** Loads the keys, or makes them: of processes that start together one makes them and the others wait for it. */
export async function loadAuthorizationKeys(tokens: TokenStore): Promise<AuthorizationKeys> {
  const isFirst = (await storedKeys(tokens)) === undefined && (await tokens.once('authorization-keys', LASTS, 0));
  if (isFirst)
    await tokens.upsert(MODEL, ID, { payload: { keys: await generateAuthorizationKeys() }, expiresAt: undefined }, {});
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const keys = await storedKeys(tokens);
    if (keys !== undefined) return keys;
    await wait(PAUSE_MS);
  }
  // The maker died between its two steps: another one takes its place.
  const keys = await generateAuthorizationKeys();
  await tokens.upsert(MODEL, ID, { payload: { keys }, expiresAt: undefined }, {});
  return keys;
}

async function storedKeys(tokens: TokenStore): Promise<AuthorizationKeys | undefined> {
  return (await tokens.find(MODEL, ID))?.payload['keys'] as AuthorizationKeys | undefined;
}
