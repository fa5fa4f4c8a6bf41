/** The token file: what the authorization server keeps, and names that may be used once. */
export const tokens = `
CREATE TABLE token (
  model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, expires_at INTEGER, consumed_at INTEGER,
  grant_id TEXT, uid TEXT, user_code TEXT, PRIMARY KEY (model, id)
) WITHOUT ROWID;
CREATE INDEX token_grant ON token (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX token_uid ON token (uid) WHERE uid IS NOT NULL;
CREATE INDEX token_user_code ON token (user_code) WHERE user_code IS NOT NULL;
CREATE INDEX token_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE used_name (name TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX used_name_expiry ON used_name (expires_at);
`;
