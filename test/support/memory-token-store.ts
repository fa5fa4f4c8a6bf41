/** A TokenStore in memory; JavaScript runs each step whole, so consume and once are atomic. */
import type { GivenToken, StoredToken, TokenKeys, TokenStore } from '../../server/ports/token-store.ts';

type Entry = StoredToken & { readonly keys: TokenKeys };

/** The store, and all it holds as text, for tests that look for what must not be in it. */
export class MemoryTokenStore implements TokenStore {
  readonly #models = new Map<string, Map<string, Entry>>();
  readonly #names = new Map<string, number>();
  reads = 0;

  async upsert(model: string, id: string, token: Omit<StoredToken, 'consumedAt'>, keys: TokenKeys): Promise<void> {
    const consumedAt = this.#of(model).get(id)?.consumedAt;
    this.#of(model).set(id, structuredClone({ ...token, consumedAt, keys }));
  }

  async find(model: string, id: string): Promise<StoredToken | undefined> {
    this.reads += 1;
    const found = this.#of(model).get(id);
    return found === undefined ? undefined : structuredClone(found);
  }

  accessVersion(): undefined {
    return undefined;
  }

  async findBy(model: string, key: keyof TokenKeys, value: string): Promise<StoredToken | undefined> {
    const found = [...this.#of(model).values()].find((entry) => entry.keys[key] === value);
    return found === undefined ? undefined : structuredClone(found);
  }

  async consume(model: string, id: string, at: number): Promise<boolean> {
    const found = this.#of(model).get(id);
    if (found === undefined || found.consumedAt !== undefined) return false;
    this.#of(model).set(id, { ...found, consumedAt: at });
    return true;
  }

  async destroy(model: string, id: string): Promise<void> {
    this.#of(model).delete(id);
  }

  async revokeByGrantId(model: string, grantId: string): Promise<void> {
    for (const [id, entry] of this.#of(model)) if (entry.keys.grantId === grantId) this.#of(model).delete(id);
  }

  async *given(): AsyncIterable<GivenToken> {
    for (const [model, entries] of this.#models)
      for (const [id, { payload }] of entries) {
        const { clientId, accountId, givenAt } = payload as {
          readonly clientId?: string;
          readonly accountId?: string;
          readonly givenAt?: number;
        };
        if (clientId !== undefined || accountId !== undefined)
          yield { model, id, clientId, account: accountId, givenAt };
      }
  }

  async once(name: string, expiresAt: number, now: number): Promise<boolean> {
    const known = this.#names.get(name);
    if (known !== undefined && known > now) return false;
    this.#names.set(name, expiresAt);
    return true;
  }

  /** Everything stored, as one text. */
  dump(): string {
    return JSON.stringify([...this.#models].map(([model, entries]) => [model, [...entries]]));
  }

  #of(model: string): Map<string, Entry> {
    const entries = this.#models.get(model) ?? new Map<string, Entry>();
    this.#models.set(model, entries);
    return entries;
  }
}
