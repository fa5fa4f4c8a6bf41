/** Rows, their search values and the access table: the same in the record file and in the audit file. */
export const rows = `
CREATE TABLE resource (
  rid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL,
  sort INTEGER NOT NULL, person TEXT, subject TEXT, level INTEGER NOT NULL, released INTEGER NOT NULL,
  parent_type TEXT, parent_id TEXT, blob_name TEXT, blob_size INTEGER, blob_sha256 TEXT, json TEXT NOT NULL,
  UNIQUE (type, id)
);
CREATE INDEX resource_order ON resource (type, sort DESC, id);
CREATE INDEX resource_person ON resource (person) WHERE person IS NOT NULL;

CREATE TABLE token (
  param TEXT NOT NULL, value TEXT NOT NULL, system TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (param, value, system, rid)
) WITHOUT ROWID;
CREATE INDEX token_rid ON token (rid, param, value, system);

CREATE TABLE reference (
  param TEXT NOT NULL, target TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (param, target, rid)
) WITHOUT ROWID;
CREATE INDEX reference_rid ON reference (rid, param, target);

CREATE TABLE date_range (
  param TEXT NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (param, lo, hi, rid)
) WITHOUT ROWID;
CREATE INDEX date_range_rid ON date_range (rid, param, lo, hi);

CREATE TABLE string_value (
  param TEXT NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (param, value, rid)
) WITHOUT ROWID;
CREATE INDEX string_value_rid ON string_value (rid, param, value);

CREATE TABLE acl (
  principal TEXT NOT NULL, type TEXT NOT NULL, sort INTEGER NOT NULL, id TEXT NOT NULL, right_id TEXT NOT NULL,
  rid INTEGER NOT NULL, relation TEXT NOT NULL, source TEXT, valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL,
  PRIMARY KEY (principal, type, sort DESC, id, right_id)
) WITHOUT ROWID;
CREATE INDEX acl_row ON acl (rid, principal, valid_from, valid_to);
CREATE INDEX acl_right ON acl (right_id);
`;
