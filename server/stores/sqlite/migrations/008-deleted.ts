/**
 * Deleted rows: what decides who may know of each, and the principals that saw it when it was deleted, by whom lists
 * of deletions are found.
 */
export const deletedRows = `
CREATE TABLE deleted (
  type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL, sort INTEGER NOT NULL,
  person TEXT, subject TEXT, level INTEGER NOT NULL, released INTEGER NOT NULL, PRIMARY KEY (type, id)
) WITHOUT ROWID;
CREATE INDEX deleted_person ON deleted (person) WHERE person IS NOT NULL;

CREATE TABLE deleted_reader (
  principal TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (principal, type, id)
) WITHOUT ROWID;
CREATE INDEX deleted_reader_row ON deleted_reader (type, id);
`;
