/** The rows in a data folder, beside the server that writes them: for what nobody may read over the wire. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';

/** The rows of a FHIR type. */
export function storedRows(dataDir: string, type: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, 'records.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT json FROM resource WHERE type = ?').all(type);
    return rows.map(
      ({ json }) =>
        JSON.parse(typeof json === 'string' ? json : Buffer.from(json as Uint8Array).toString()) as Record<
          string,
          unknown
        >,
    );
  } finally {
    database.close();
  }
}
