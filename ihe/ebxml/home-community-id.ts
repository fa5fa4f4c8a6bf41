/** homeCommunityId, which is always `urn:oid:` and an OID. @see ITI TF-3 4.2.3.2.12 */
import { comparedUri, oidUri } from '../../profiles/codes.ts';

/** Completes a bare OID, which Norwegian callers send, to the form that is always emitted; keeps undefined. */
export function toHomeCommunityId(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return /^urn:/i.test(text) ? comparedUri(text) : oidUri(text);
}
