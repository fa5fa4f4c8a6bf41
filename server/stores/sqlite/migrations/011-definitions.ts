/**
 * Each row knows the version of the definition that it is indexed under, 0 before versions were kept; definitions are
 * kept by their versions.
 */
export const rowDefinitions = `
ALTER TABLE resource ADD COLUMN definition INTEGER NOT NULL DEFAULT 0;
CREATE INDEX resource_definition ON resource (type, definition);
CREATE TABLE index_definition (
  type TEXT NOT NULL, version INTEGER NOT NULL, parameters TEXT NOT NULL, sort TEXT NOT NULL,
  is_wanted INTEGER NOT NULL, PRIMARY KEY (type, version)
) WITHOUT ROWID;
`;
