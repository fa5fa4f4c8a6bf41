/** What the server keeps to testify of erasures, and to know who was erased without knowing who it was. */

/** The port. */
export interface ErasureKey {
  /** Which key it is: the thumbprint of its public part. @see RFC 7638 */
  readonly thumbprint: string;
  /** Signs a content (plain data) as a compact JWS by ES384. @see RFC 7515 section 7.1, RFC 7518 section 3.4 */
  sign(content: object): Promise<string>;
  /** The digest of a text (HMAC-SHA-256, base64url), which nobody without the key can compare with a text. */
  digest(text: string): string;
}
