/** TokenStore on SQLite. */
import type { GivenToken, StoredToken, TokenKeys, TokenStore } from '../../ports/token-store.ts';
import { AccessVersion } from './access-version.ts';
import type { Database } from './database.ts';
import type { RecordOrders } from './write/protocol.ts';
import type { Writer } from './write/writer.ts';
import type { Writers } from './write/writers.ts';

type GivenRow = { model: string; id: string; clientId: string | null; account: string | null; givenAt: number | null };
type Row = { payload: string; expires_at: number | null; consumed_at: number | null };

const COLUMN = { grantId: 'grant_id', uid: 'uid', userCode: 'user_code' } as const satisfies Record<
  keyof TokenKeys,
  string
>;

/** The adapter. */
export class SqliteTokenStore implements TokenStore {
  readonly #tokens: Database;
  readonly #writer: Writer<RecordOrders>;
  readonly #accessVersion: AccessVersion;

  constructor(tokens: Database, { records, commits }: Writers) {
    this.#tokens = tokens;
    this.#writer = records;
    this.#accessVersion = new AccessVersion(tokens, commits);
  }

  async upsert(model: string, id: string, token: Omit<StoredToken, 'consumedAt'>, keys: TokenKeys): Promise<void> {
    await this.#writer.send('tokenUpsert', { model, id, token, keys });
  }

  async find(model: string, id: string): Promise<StoredToken | undefined> {
    return toToken(
      this.#tokens.get<Row>('SELECT payload, expires_at, consumed_at FROM token WHERE model = ? AND id = ?', model, id),
    );
  }

  accessVersion(): number {
    return this.#accessVersion.read();
  }

  async findBy(model: string, key: keyof TokenKeys, value: string): Promise<StoredToken | undefined> {
    const sql = `SELECT payload, expires_at, consumed_at FROM token WHERE model = ? AND ${COLUMN[key]} = ?`;
    return toToken(this.#tokens.get<Row>(sql, model, value));
  }

  consume(model: string, id: string, at: number): Promise<boolean> {
    return this.#writer.send('tokenConsume', { model, id, at });
  }

  async destroy(model: string, id: string): Promise<void> {
    await this.#writer.send('tokenDestroy', { model, id });
  }

  async revokeByGrantId(model: string, grantId: string): Promise<void> {
    await this.#writer.send('tokenRevoke', { model, grantId });
  }

  async *given(): AsyncIterable<GivenToken> {
    const rows = this.#tokens.iterate<GivenRow>(
      `SELECT model, id, payload ->> '$.clientId' AS clientId, payload ->> '$.accountId' AS account,
       payload ->> '$.givenAt' AS givenAt FROM token
       WHERE clientId IS NOT NULL OR account IS NOT NULL`,
    );
    for (const { model, id, clientId, account, givenAt } of rows)
      yield {
        model,
        id,
        clientId: clientId ?? undefined,
        account: account ?? undefined,
        givenAt: givenAt ?? undefined,
      };
  }

  once(name: string, expiresAt: number, now: number): Promise<boolean> {
    return this.#writer.send('tokenOnce', { name, expiresAt, now });
  }

  close(): void {
    this.#tokens.close();
  }
}

function toToken(row: Row | undefined): StoredToken | undefined {
  if (row === undefined) return undefined;
  return {
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    expiresAt: row.expires_at ?? undefined,
    consumedAt: row.consumed_at ?? undefined,
  };
}
