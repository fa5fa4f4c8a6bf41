/** Former versions of rows. */
import type { StoredType } from '../../../profiles/visibility.ts';
import type { Grant } from '../../access/grant.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import type { Database } from './database.ts';

/**
 * A former version of a row. A requester needs the present row, under whose right the former one is shown; the server
 * itself also finds the versions of a deleted row.
 */
export function formerVersion(
  db: Database,
  grant: Grant,
  { type, id, version }: { readonly type: StoredType; readonly id: string; readonly version: number },
  present: VisibleRow | undefined,
): VisibleRow | undefined {
  if (present === undefined && !grant.system) return undefined;
  const former = db.get<{ updated: number; json: string }>(
    "SELECT updated, json FROM history WHERE type = ? AND id = ? AND version = ? AND json <> ''",
    type,
    id,
    version,
  );
  return former === undefined ? undefined : { ...(present ?? unplaced(type, id, former.updated)), ...former, version };
}

/** What is left of a deleted row beside its text. */
function unplaced(type: StoredType, id: string, updated: number): Omit<VisibleRow, 'json' | 'version'> {
  return { type, id, updated, sort: updated, person: undefined, subject: undefined, blob: undefined, released: false, shownBy: undefined };
}
