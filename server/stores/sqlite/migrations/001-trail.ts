/** The audit file beside its rows: the chain, and the personal parts that can be erased. */
export const trail = `
CREATE TABLE chain (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE personal (
  id TEXT NOT NULL, side TEXT NOT NULL, salt TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (id, side)
) WITHOUT ROWID;
CREATE TABLE former_person (former TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
`;
