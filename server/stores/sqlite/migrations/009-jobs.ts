/**
 * The agenda knew when and a key `kind|subject`. Jobs have a kind of their own, carry something, and are taken under a
 * lease (`until`, `token`); `next` is when one can be taken. What stood on the agenda stands as jobs.
 */
export const jobs = `
CREATE TABLE job (
  kind TEXT NOT NULL, subject TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, event TEXT,
  at INTEGER NOT NULL, asked_at INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT, is_dead INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0, until INTEGER NOT NULL DEFAULT 0,
  next INTEGER GENERATED ALWAYS AS (max(at, until)) VIRTUAL,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE INDEX job_next ON job (kind, next) WHERE is_dead = 0;
CREATE UNIQUE INDEX job_id ON job (id);
INSERT INTO job (kind, subject, id, payload, at, asked_at)
  SELECT k.value ->> 1, substr(agenda.key, 1 + instr(agenda.key, '|')),
    format('%s-%s-4%s-8%s-%s', lower(hex(randomblob(4))), lower(hex(randomblob(2))),
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2), lower(hex(randomblob(6)))),
    '{}', at, at
  FROM agenda JOIN json_each('[["refresh","refresh-study"],["update","update-study"],["close","close-study"],
    ["erase","erase-study"],["forget","forget-erased"]]') k
  ON k.value ->> 0 = substr(agenda.key, 1, instr(agenda.key, '|') - 1);
DROP TABLE agenda;
`;
