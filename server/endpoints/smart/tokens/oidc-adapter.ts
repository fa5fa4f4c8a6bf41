/** The storage of oidc-provider over the TokenStore port. Ids are kept as digests, and in no payload. */
import { errors } from 'oidc-provider';
import type { Adapter, AdapterPayload, ClientMetadata } from 'oidc-provider';
import type { Clock } from '../../../ports/clock.ts';
import type { StoredToken, TokenStore } from '../../../ports/token-store.ts';
import { tokenDigest } from './token-digest.ts';

/** The name under which access tokens of persons and of backend clients lie, so that one read finds either. */
export const ACCESS_TOKEN_MODEL = 'AccessToken';

/** Finds a client by its id, as it is registered now. */
export type FindClient = (id: string) => ClientMetadata | undefined;

/** Gives the adapter factory of oidc-provider. Clients are those of the region file, whatever is stored. */
export function oidcAdapter(tokens: TokenStore, clock: Clock, findClient: FindClient): (kind: string) => Adapter {
  return (kind) => {
    const adapter: Adapter = new TokenStoreAdapter(kind, tokens, clock);
    if (kind === 'Client') adapter.find = async (id) => findClient(id) as AdapterPayload | undefined;
    return adapter;
  };
}

class TokenStoreAdapter implements Adapter {
  readonly #kind: string;
  readonly #model: string;
  readonly #tokens: TokenStore;
  readonly #clock: Clock;

  constructor(kind: string, tokens: TokenStore, clock: Clock) {
    this.#kind = kind;
    this.#model = kind === 'ClientCredentials' ? ACCESS_TOKEN_MODEL : kind;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { jti: _id, consumed: _consumed, ...kept } = payload;
    const expiresAt = expiresIn === undefined ? undefined : this.#now() + expiresIn;
    const given = { ...kept, givenAt: this.#clock.now() };
    await this.#tokens.upsert(this.#model, tokenDigest(id), { payload: given, expiresAt }, keysOf(payload));
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const found = await this.#tokens.find(this.#model, tokenDigest(id));
    if (found === undefined || found.payload['kind'] !== this.#kind || this.#isExpired(found)) return undefined;
    return { ...found.payload, jti: id, ...(found.consumedAt === undefined ? {} : { consumed: found.consumedAt }) };
  }

  /** Only device flows use it, which are off. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** Only tokens that die with a session use it; ours do not, and a digest does not give the session's id back. */
  async findByUid(): Promise<undefined> {
    return undefined;
  }

  /** Exactly one of racing callers goes on. */
  async consume(id: string): Promise<void> {
    const isFirst = await this.#tokens.consume(this.#model, tokenDigest(id), this.#now());
    if (!isFirst) throw new errors.InvalidGrant('used before');
  }

  async destroy(id: string): Promise<void> {
    await this.#tokens.destroy(this.#model, tokenDigest(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#tokens.revokeByGrantId(this.#model, grantId);
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #isExpired(token: StoredToken): boolean {
    return token.expiresAt !== undefined && token.expiresAt <= this.#now();
  }
}

function keysOf(payload: AdapterPayload): { grantId?: string } {
  return payload.grantId === undefined ? {} : { grantId: payload.grantId };
}
