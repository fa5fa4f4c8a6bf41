/** The record file beside its rows: history, rights, states, claims, instances, agenda, plans, audit outbox. */
export const records = `
CREATE TABLE history (
  type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL, json TEXT NOT NULL,
  blob_name TEXT, blob_size INTEGER, blob_sha256 TEXT, PRIMARY KEY (type, id, version)
) WITHOUT ROWID;

CREATE TABLE access_right (
  id TEXT PRIMARY KEY, person TEXT NOT NULL, principal TEXT NOT NULL, relation TEXT NOT NULL, item TEXT,
  valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, source TEXT
) WITHOUT ROWID;
CREATE INDEX access_right_person ON access_right (person, item);

CREATE TABLE patient_state (
  person TEXT PRIMARY KEY, opposed INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0,
  erasure_pending INTEGER NOT NULL DEFAULT 0, account_off INTEGER NOT NULL DEFAULT 0,
  merged_into TEXT
) WITHOUT ROWID;

CREATE TABLE claim (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE instance (
  sop_instance_uid TEXT PRIMARY KEY, study_instance_uid TEXT NOT NULL, series_instance_uid TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL, transfer_syntax_uid TEXT NOT NULL, series_number INTEGER, instance_number INTEGER,
  blob_name TEXT NOT NULL, blob_size INTEGER NOT NULL, blob_sha256 TEXT NOT NULL, data_set_offset INTEGER NOT NULL,
  data_set_digest TEXT NOT NULL, metadata TEXT NOT NULL, source TEXT NOT NULL, person TEXT NOT NULL
);
CREATE INDEX instance_order ON instance
  (study_instance_uid, series_number, series_instance_uid, instance_number, sop_instance_uid);
CREATE INDEX instance_person ON instance (person);

CREATE TABLE agenda (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX agenda_at ON agenda (at);

CREATE TABLE plan (id TEXT PRIMARY KEY, committed_at INTEGER NOT NULL, receipt TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX plan_age ON plan (committed_at);

CREATE TABLE audit_outbox (position INTEGER PRIMARY KEY, record TEXT NOT NULL);
`;
