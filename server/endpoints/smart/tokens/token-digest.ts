/** The name under which a token, code or session is kept: whoever reads the store cannot use what is in it. */
import { hash } from 'node:crypto';

/** SHA-256 of an opaque id, base64url. */
export function tokenDigest(id: string): string {
  return hash('sha256', id, 'base64url');
}
