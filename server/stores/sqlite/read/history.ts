/** Former versions of rows. */
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import type { Database } from '../database.ts';
import { blobOf, type BlobColumns } from './visible.ts';

type FormerRow = BlobColumns & { updated: number; json: string };

/**
 * A former version of a row. A requester needs the present row, under whose right the former one is shown; the server
 * itself also finds the versions of a deleted row.
 */
export function formerVersion(
  db: Database,
  grant: AnyGrant,
  { type, id, version }: { readonly type: StoredType; readonly id: string; readonly version: number },
  present: VisibleRow | undefined,
): VisibleRow | undefined {
  if (present === undefined && !grant.system) return undefined;
  const former = db.get<FormerRow>(
    "SELECT updated, json, blob_name, blob_size FROM history WHERE type = ? AND id = ? AND version = ? AND json <> ''",
    type,
    id,
    version,
  );
  if (former === undefined) return undefined;
  const { updated, json } = former;
  return { ...(present ?? unplaced(type, id, updated)), updated, json, version, blob: blobOf(former) };
}

/** What is left of a deleted row beside its text. */
function unplaced(type: StoredType, id: string, updated: number): Omit<VisibleRow, 'json' | 'version' | 'blob'> {
  return {
    type,
    id,
    updated,
    sort: updated,
    person: undefined,
    subject: undefined,
    released: false,
    shownBy: undefined,
  };
}
