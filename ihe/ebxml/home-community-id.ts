/** homeCommunityId, which is always `urn:oid:` and an OID. @see ITI TF-3 4.2.3.2.12 */
import { oidUri } from '../../profiles/codes.ts';

/** Completes a bare OID, which Norwegian callers send, to the form that is always emitted; keeps undefined. */
export function toHomeCommunityId(text: string | undefined): string | undefined {
  return text === undefined || text.startsWith('urn:') ? text : oidUri(text);
}
