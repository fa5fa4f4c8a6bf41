/** Files of a data folder that no row names: what a refused or broken write may not leave behind. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * The names of such files; those of a write that still runs are among them, those that are made ahead and are empty are
 * not.
 */
export async function orphanFiles(dataDir: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'images'), { recursive: true, withFileTypes: true });
  const named = namedFiles(dataDir);
  const unnamed = entries.filter((entry) => entry.isFile() && !named.has(entry.name));
  const sizes = await Promise.all(
    unnamed.map(async ({ parentPath, name }) => (await stat(join(parentPath, name)).catch(() => ({ size: 0 }))).size),
  );
  return unnamed.filter((_, at) => sizes[at] !== 0).map(({ name }) => name);
}

function namedFiles(dataDir: string): Set<string> {
  const database = new DatabaseSync(join(dataDir, 'records.sqlite'), { readOnly: true });
  try {
    const tables = ['instance', 'quarantine', 'resource', 'history'];
    const rows = database
      .prepare(
        tables.map((table) => `SELECT blob_name AS name FROM ${table} WHERE blob_name IS NOT NULL`).join(' UNION '),
      )
      .all();
    return new Set(rows.map(({ name }) => String(name)));
  } finally {
    database.close();
  }
}
