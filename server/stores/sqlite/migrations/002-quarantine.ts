/** Received instances that are kept aside; the key makes one of each that is sent again. */
export const quarantine = `
CREATE TABLE quarantine (
  sop_instance_uid TEXT NOT NULL, data_set_digest TEXT NOT NULL, source TEXT NOT NULL, study_instance_uid TEXT NOT NULL,
  reason TEXT NOT NULL, received_at INTEGER NOT NULL, blob_name TEXT NOT NULL, blob_size INTEGER NOT NULL,
  blob_sha256 TEXT NOT NULL, PRIMARY KEY (sop_instance_uid, data_set_digest, source)
) WITHOUT ROWID;
CREATE INDEX quarantine_order ON quarantine (received_at, sop_instance_uid);
`;
