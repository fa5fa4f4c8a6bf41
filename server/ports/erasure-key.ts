/** What the server keeps to testify of erasures and cuts, and to know who was erased without knowing who it was. */
import type { ClaimKey } from './claim-key.ts';

/** A number of somebody who was erased, without saying which. */
export type ErasedNumber = {
  /** The claim that keeps it: of its keyed digest. */
  readonly key: ClaimKey;
  /** It was one of an establishment's own domain. */
  readonly isOwn: boolean;
  /** Keyed digests of her strict traits with it. */
  readonly traits: readonly string[];
};

/** What became of somebody: her record was erased (`id` is of the Task), or an operator takes her again since. */
export type ErasureEntry = Readonly<{ id: string; /** Epoch milliseconds: the order of entries. */ at: number }> &
  (
    | {
        readonly kind: 'erased';
        /** When the request was received: epoch milliseconds. */
        readonly receivedAt: number;
        /** Ids of the identities that were she: those of a copy of the same data. They tell nothing of her. */
        readonly identities: readonly string[];
        readonly numbers: readonly ErasedNumber[];
      }
    | { readonly kind: 'readmitted'; readonly keys: readonly ClaimKey[] }
  );

/** Tells whether something is a seal of a text: needs no more than the public part of the key. */
export type BearsSeal = (text: string, seal: string | undefined) => Promise<boolean>;

/** The port. */
export interface ErasureKey {
  /** Which key it is: the thumbprint of its public part. @see RFC 7638 */
  readonly thumbprint: string;
  /** Signs a content (plain data) as a compact JWS by ES384. @see RFC 7515 section 7.1, RFC 7518 section 3.4 */
  sign(content: object): Promise<string>;
  /** Seals a text as a compact JWS of another type than what {@link sign} makes: neither passes for the other. */
  seal(text: string): Promise<string>;
  /** Whether something is a seal of this text by this key. */
  bearsSeal: BearsSeal;
  /** The digest of a text (HMAC-SHA-256, base64url), which nobody without the key can compare with a text. */
  digest(text: string): string;
  /**
   * What became of whom, outside the data, earliest first: a copy of the data may be older. Of an id the last one
   * counts.
   * @throws {Fault} invalid - the list cannot be read, or somebody has changed it
   * @throws {Fault} conflict - it was written under another key: nobody would be known by it
   */
  entries(): Promise<readonly ErasureEntry[]>;
  /** Adds an entry, durably. @throws {Error} as the disk gives it */
  add(entry: ErasureEntry): Promise<void>;
}
