/** What a client may do at all, whatever the data: scopes are a ceiling over the decision. */
import { Fault } from '../../profiles/fault.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { Requester } from '../access/requester.ts';
import { allows } from '../access/scope.ts';

/**
 * Refuses a request that the client's scopes do not cover.
 * @throws {Fault} forbidden (insufficient_scope)
 */
export function requireScope(requester: Requester, type: StoredType, action: 'c' | 'r' | 'u' | 'd' | 's'): void {
  if (allows(requester.scopes, type, action)) return;
  throw new Fault('forbidden', `The token's scopes do not allow this on ${type}`, {
    protocolCode: 'insufficient_scope',
  });
}
