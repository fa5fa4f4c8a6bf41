/** The bodies of the audit chain in a data folder, beside the server that writes it. */
import { join } from 'node:path';
import { BODY_COLUMNS, bodyOf, type ChainedBody } from '../../../server/stores/sqlite/audit/audit-rows.ts';
import { openReader } from '../../../server/stores/sqlite/database.ts';

/** The bodies that say a text, as JSON, in the order of the chain. */
export function chainedBodies(dataDir: string, text: string): readonly string[] {
  const trail = openReader(join(dataDir, 'trail.sqlite'));
  try {
    return trail
      .all<ChainedBody>(`SELECT ${BODY_COLUMNS} ORDER BY c.sequence`)
      .map(bodyOf)
      .filter((body) => body.includes(text));
  } finally {
    trail.close();
  }
}
