/**
 * Loaded before the server (`--import`), into each of its threads: writes a line to the file that `HELD` names for each
 * transaction of SQLite: how long it held the writer, and its statements. The product knows nothing of it.
 */
import { openSync, writeSync } from 'node:fs';
import { DatabaseSync, StatementSync } from 'node:sqlite';

/** A transaction; `ms` from BEGIN until COMMIT is durable. */
export type Held = { readonly ms: number; readonly statements: number };

const file = openSync(process.env['HELD'] ?? '/dev/null', 'a');
let [began, statements] = [0, 0];

/** Runs a statement, and counts it; the transaction of the thread begins or ends with it. */
function counted<T>(sql: string, work: () => T): T {
  if (sql.startsWith('BEGIN')) [began, statements] = [performance.now(), 0];
  statements += 1;
  const result = work();
  if (sql === 'COMMIT') {
    const held: Held = { ms: performance.now() - began, statements };
    writeSync(file, `${JSON.stringify(held)}\n`);
  }
  return result;
}

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function timed(sql: string) {
  counted(sql, () => exec.call(this, sql));
};

const { prototype } = StatementSync;
for (const name of ['run', 'get', 'all', 'iterate'] as const) {
  const method = prototype[name];
  const timed = function timed(this: StatementSync, ...values: unknown[]): unknown {
    return counted(this.sourceSQL, () => Reflect.apply(method, this, values));
  };
  Object.assign(prototype, { [name]: timed });
}
