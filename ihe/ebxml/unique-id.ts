/** The uniqueId of XDS as tokens of masterIdentifier: the inverse of uniqueIdOf. */
import { IDENTIFIER_SYSTEM, oidUri } from '../../profiles/codes.ts';
import type { TokenValue } from '../../profiles/search/criterion.ts';
import { isOid } from './coded-value.ts';

/** Returns the token by which a document of this uniqueId is found. A value of another form has any system. */
export function toUniqueIdToken(uniqueId: string): TokenValue {
  if (isOid(uniqueId)) return { system: IDENTIFIER_SYSTEM.uri, code: oidUri(uniqueId) };
  const [root = '', extension, ...others] = uniqueId.split('^');
  const isRooted = extension !== undefined && others.length === 0 && isOid(root);
  return isRooted ? { system: oidUri(root), code: extension } : { code: uniqueId };
}
