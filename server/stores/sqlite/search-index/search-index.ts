/** SearchIndex on SQLite: rows are looked for on this thread and indexed anew by the writer. */
import type { IndexDefinition } from '../../../../profiles/search/index-definition.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { SystemGrant } from '../../../access/grant.ts';
import { requireBound } from '../../granted.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type {
  CurrentVersions,
  KeptDefinition,
  ReindexedRow,
  SearchIndex,
  StaleRow,
} from '../../../ports/search-index.ts';
import type { Database } from '../database.ts';
import type { RecordOrders } from '../write/protocol.ts';
import type { Writer } from '../write/writer.ts';

type KeptRow = Omit<KeptDefinition, 'parameters' | 'isWanted'> & {
  readonly parameters: string;
  readonly is_wanted: number;
};

/** Goes from one pair to the next in the index: how many rows there are of each does not matter. */
const VERSIONS = `
  WITH RECURSIVE standing (type, definition) AS (
    SELECT * FROM (SELECT type, definition FROM resource ORDER BY type, definition LIMIT 1)
    UNION ALL
    SELECT next.type, next.definition FROM standing JOIN resource next ON next.rid = (
      SELECT rid FROM resource WHERE (type, definition) > (standing.type, standing.definition)
      ORDER BY type, definition LIMIT 1)
  ) SELECT type, definition FROM standing`;

/** Three spans of the index, around two versions. */
const STALE_RIDS = `
  SELECT rid FROM resource WHERE type = ?1 AND definition < ?2
  UNION ALL SELECT rid FROM resource WHERE type = ?1 AND definition > ?2 AND definition < ?3
  UNION ALL SELECT rid FROM resource WHERE type = ?1 AND definition > ?3`;

const STALE = `SELECT type, id, version, updated, sort, person, json, definition FROM resource
  WHERE rid IN (SELECT rid FROM (${STALE_RIDS}) LIMIT ?4)`;

/** The adapter. */
export class SqliteSearchIndex implements SearchIndex {
  readonly #records: Database;
  readonly #writer: Writer<RecordOrders>;

  constructor(records: Database, writer: Writer<RecordOrders>) {
    this.#records = records;
    this.#writer = writer;
  }

  async want(definitions: readonly IndexDefinition[]): Promise<void> {
    await this.#writer.send('indexWant', definitions);
  }

  async kept(): Promise<readonly KeptDefinition[]> {
    const rows = this.#records.all<KeptRow>('SELECT type, version, parameters, sort, is_wanted FROM index_definition');
    return rows.map(({ parameters, is_wanted: wanted, ...row }) => ({
      ...row,
      parameters: JSON.parse(parameters) as IndexDefinition['parameters'],
      isWanted: wanted === 1,
    }));
  }

  async staleVersions(current: CurrentVersions): Promise<ReadonlyMap<StoredType, readonly number[]>> {
    const standing = this.#records.all<{ type: StoredType; definition: number }>(VERSIONS);
    const stale = standing.filter(({ type, definition }) => current.get(type)?.includes(definition) === false);
    const byType = Map.groupBy(stale, ({ type }) => type);
    return new Map([...byType].map(([type, rows]) => [type, rows.map(({ definition }) => definition)]));
  }

  async countStale(type: StoredType, current: readonly number[]): Promise<number> {
    const sql = `SELECT count(*) AS n FROM (${STALE_RIDS})`;
    return this.#records.get<{ n: number }>(sql, type, ...ends(current))?.n ?? 0;
  }

  async stale(
    grant: SystemGrant,
    type: StoredType,
    current: readonly number[],
    limit: number,
  ): Promise<readonly StaleRow[]> {
    requireBound(grant, 'whole');
    const rows = this.#records.all<StaleRow & { person: PersonKey | null }>(STALE, type, ...ends(current), limit);
    return rows.map(({ person, ...row }) => ({ ...row, person: person ?? undefined }));
  }

  async reindex(rows: readonly ReindexedRow[]): Promise<number> {
    return await this.#writer.send('indexRows', rows);
  }
}

function ends(current: readonly number[]): [number, number] {
  return [Math.min(...current), Math.max(...current)];
}
