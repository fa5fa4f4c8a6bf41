/** What was given to whom the region knows no more ends: access and refresh tokens, codes, sessions. */
import { PAGES_CLIENT_ID } from '../../../profiles/codes.ts';
import type { Region } from '../../config/region-model.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { GivenToken, TokenStore } from '../../ports/token-store.ts';
import { professionalsOf } from './professionals.ts';
import { readDirectory } from './read-directory.ts';

/** What the flow needs. */
export type EndTokensDeps = {
  readonly records: RecordStore;
  readonly tokens: Pick<TokenStore, 'given' | 'destroy'>;
  readonly clock: Clock;
};

/**
 * Destroys what was given to clients that a loaded region does not have, or that are named as ended, and to
 * professionals who may not act by the directory any more. Resolves with their number.
 */
export function endTokens({ records, tokens, clock }: EndTokensDeps) {
  return async (region: Region, ended: readonly string[] = []): Promise<number> => {
    const clients = new Set([PAGES_CLIENT_ID, ...region.clients.map(({ client_id }) => client_id)]);
    for (const client of ended) clients.delete(client);
    const now = clock.now();
    const professionals = professionalsOf(await readDirectory(records, now), now);
    const isOver = ({ clientId, account }: GivenToken): boolean =>
      (clientId !== undefined && !clients.has(clientId)) ||
      (account?.startsWith('Practitioner/') === true && !professionals.has(account));
    return await destroyGiven(tokens, isOver);
  };
}

/** Destroys what was given of which something is true. Resolves with its number. */
export async function destroyGiven(
  tokens: EndTokensDeps['tokens'],
  isOver: (given: GivenToken) => boolean,
): Promise<number> {
  const over: GivenToken[] = [];
  for await (const given of tokens.given()) if (isOver(given)) over.push(given);
  for (const { model, id } of over) await tokens.destroy(model, id);
  return over.length;
}
