/**
 * What the authorization server keeps: sessions, grants, codes, tokens. A payload is plain JSON; tokens are kept
 * under their digests by the caller.
 */

/** Keys by which a stored model can be found beside its id. */
export type TokenKeys = { readonly grantId?: string; readonly uid?: string; readonly userCode?: string };

/** A stored model. Times are epoch seconds. */
export type StoredToken = {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly expiresAt: number | undefined;
  readonly consumedAt: number | undefined;
};

/** A stored model that was given to a client or an account (`Type/id`). */
export type GivenToken = {
  readonly model: string;
  readonly id: string;
  readonly clientId: string | undefined;
  readonly account: string | undefined;
  /** Epoch milliseconds: its member `givenAt`. What earlier servers gave says none. */
  readonly givenAt: number | undefined;
};

/** The port; every call is durable when resolved, and seen by all processes on the same store. */
export interface TokenStore {
  upsert(model: string, id: string, token: Omit<StoredToken, 'consumedAt'>, keys: TokenKeys): Promise<void>;
  find(model: string, id: string): Promise<StoredToken | undefined>;
  /**
   * A number that moves when an access token is changed or removed; undefined where other processes write, too, so that
   * nothing may be kept.
   */
  accessVersion(): number | undefined;
  findBy(model: string, key: keyof TokenKeys, value: string): Promise<StoredToken | undefined>;
  /** Marks as used. Resolves false when it was used before: exactly one of racing callers gets true. */
  consume(model: string, id: string, at: number): Promise<boolean>;
  destroy(model: string, id: string): Promise<void>;
  revokeByGrantId(model: string, grantId: string): Promise<void>;
  /** What was given to whom, in no order; a look at all that is stored. */
  given(): AsyncIterable<GivenToken>;
  /** Inserts a name once (a jti): false when it stands already and has not expired. */
  once(name: string, expiresAt: number, now: number): Promise<boolean>;
}
