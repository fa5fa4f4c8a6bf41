/** The writer's side of the token store. */
import type { Database } from '../database.ts';
import type { OrderMessage, RecordOrders } from './protocol.ts';

/** An order of the token store. */
export type TokenOrder = Extract<OrderMessage<RecordOrders>, { name: `token${string}` }>;

/** Applies an order of the token store; answers true or false where one of racing callers wins. */
export function applyTokenOrder(db: Database, message: TokenOrder): boolean | undefined {
  switch (message.name) {
    case 'tokenUpsert':
      return upsert(db, message.order);
    case 'tokenConsume':
      return consume(db, message.order);
    case 'tokenDestroy':
      db.run('DELETE FROM token WHERE model = ? AND id = ?', message.order.model, message.order.id);
      return undefined;
    case 'tokenRevoke':
      db.run('DELETE FROM token WHERE model = ? AND grant_id = ?', message.order.model, message.order.grantId);
      return undefined;
    case 'tokenOnce':
      return once(db, message.order);
  }
}

function upsert(
  db: Database,
  { model, id, token, keys }: Extract<TokenOrder, { name: 'tokenUpsert' }>['order'],
): undefined {
  db.run(
    `INSERT INTO token (model, id, payload, expires_at, consumed_at, grant_id, uid, user_code)
     VALUES (?, ?, ?, ?, NULL, ?, ?, ?)
     ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at,
       grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code`,
    model,
    id,
    JSON.stringify(token.payload),
    token.expiresAt ?? null,
    keys.grantId ?? null,
    keys.uid ?? null,
    keys.userCode ?? null,
  );
  return undefined;
}

function consume(db: Database, { model, id, at }: { model: string; id: string; at: number }): boolean {
  return (
    db.run('UPDATE token SET consumed_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL', at, model, id) === 1
  );
}

function once(db: Database, { name, expiresAt, now }: { name: string; expiresAt: number; now: number }): boolean {
  db.run('DELETE FROM used_name WHERE name = ? AND expires_at <= ?', name, now);
  return db.run('INSERT OR IGNORE INTO used_name (name, expires_at) VALUES (?, ?)', name, expiresAt) === 1;
}
