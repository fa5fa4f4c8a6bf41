/** The token store on MongoDB: every call is one statement, acknowledged by the majority. */
import type { WithId } from 'mongodb';
import type { GivenToken, StoredToken, TokenKeys, TokenStore } from '../../ports/token-store.ts';
import type { Collections } from './collections.ts';
import type { TokenDocument } from './documents.ts';
import { asStore, isDuplicateKey } from './errors.ts';

/** The token store over one connection. */
export class MongoTokenStore implements TokenStore {
  readonly #collections: Collections;

  constructor(collections: Collections) {
    this.#collections = collections;
  }

  async upsert(model: string, id: string, token: Omit<StoredToken, 'consumedAt'>, keys: TokenKeys): Promise<void> {
    const { payload, expiresAt } = token;
    const content = {
      model,
      payload: JSON.stringify(payload),
      ...(expiresAt === undefined ? {} : { expiresAt, expires: new Date(expiresAt * 1000) }),
      ...keys,
    };
    const optional = ['expiresAt', 'expires', 'grantId', 'uid', 'userCode'].filter(
      (name) => !Object.hasOwn(content, name),
    );
    const unset: Record<string, ''> = Object.fromEntries(optional.map((name) => [name, '']));
    // What was consumed stays consumed.
    await asStore(() =>
      this.#collections.tokens.updateOne(
        { _id: tokenKeyOf(model, id) },
        { $set: content, $unset: unset },
        { upsert: true },
      ),
    );
  }

  async find(model: string, id: string): Promise<StoredToken | undefined> {
    return toToken(await asStore(() => this.#collections.tokens.findOne({ _id: tokenKeyOf(model, id) })));
  }

  /** Other processes write, too: nothing is kept. */
  accessVersion(): undefined {
    return undefined;
  }

  async findBy(model: string, key: keyof TokenKeys, value: string): Promise<StoredToken | undefined> {
    return toToken(await asStore(() => this.#collections.tokens.findOne({ model, [key]: value })));
  }

  async consume(model: string, id: string, at: number): Promise<boolean> {
    const unused = { _id: tokenKeyOf(model, id), consumedAt: { $exists: false } };
    const { modifiedCount } = await asStore(() =>
      this.#collections.tokens.updateOne(unused, { $set: { consumedAt: at } }),
    );
    return modifiedCount === 1;
  }

  async destroy(model: string, id: string): Promise<void> {
    await asStore(() => this.#collections.tokens.deleteOne({ _id: tokenKeyOf(model, id) }));
  }

  async revokeByGrantId(model: string, grantId: string): Promise<void> {
    await asStore(() => this.#collections.tokens.deleteMany({ model, grantId }));
  }

  async *given(): AsyncIterable<GivenToken> {
    const every = this.#collections.tokens.find({}, { projection: { model: 1, payload: 1 } });
    try {
      for (let found = await asStore(() => every.next()); found !== null; found = await asStore(() => every.next())) {
        const { clientId, accountId, givenAt } = JSON.parse(found.payload) as StoredToken['payload'];
        if (typeof clientId !== 'string' && typeof accountId !== 'string') continue;
        yield {
          model: found.model,
          id: found._id.slice(found.model.length + 1),
          clientId: typeof clientId === 'string' ? clientId : undefined,
          account: typeof accountId === 'string' ? accountId : undefined,
          givenAt: typeof givenAt === 'number' ? givenAt : undefined,
        };
      }
    } finally {
      await every.close();
    }
  }

  async once(name: string, expiresAt: number, now: number): Promise<boolean> {
    const { usedNames } = this.#collections;
    // A name that stands and has not expired does not match, and the upsert then meets it.
    const change = { $set: { expiresAt, expires: new Date(expiresAt * 1000) } };
    return await asStore(async () => {
      try {
        await usedNames.updateOne({ _id: name, expiresAt: { $lte: now } }, change, { upsert: true });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    });
  }
}

/** The key of a stored model. */
export function tokenKeyOf(model: string, id: string): string {
  return `${model}:${id}`;
}

function toToken(found: WithId<TokenDocument> | null): StoredToken | undefined {
  if (found === null) return undefined;
  const { payload, expiresAt, consumedAt } = found;
  return { payload: JSON.parse(payload) as StoredToken['payload'], expiresAt, consumedAt };
}
