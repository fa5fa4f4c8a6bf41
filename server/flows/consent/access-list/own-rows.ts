/** Rows that a patient sees, read on under her own grant for an answer that is recorded already. */
import type { Resource } from '@medplum/fhirtypes';
import { isStoredType, type StoredType } from '../../../../profiles/types/visibility.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { PageEnd, SearchPage, VisibleRow } from '../../../ports/record-store.ts';
import { readOn, type GuardDeps, type Reading } from '../../guard.ts';
import { seenItems } from '../../read/seen-items.ts';

/** Far above what one person has. */
const MOST_ROWS = 5_000;
const PAGE = 500;

/**
 * All of a type.
 * @throws {Fault} too-costly - more than MOST_ROWS: a list that is cut would not be true
 */
export async function ownRows<T extends Resource>(
  deps: GuardDeps,
  reading: Reading,
  type: StoredType,
): Promise<readonly T[]> {
  return (await rowsOf(deps, reading, type)).map(({ json }) => JSON.parse(json) as T);
}

/** The first of some rows (`Type/id`) that she sees. */
export async function firstSeen(
  deps: GuardDeps,
  reading: Reading,
  items: readonly string[],
): Promise<string | undefined> {
  for (const item of items) if ((await ownRowAt(deps, reading, item)) !== undefined) return item;
  return undefined;
}

/** Those of some rows (`Type/id`) that she sees, by that. */
export async function seenAmong(
  deps: GuardDeps,
  reading: Reading,
  items: readonly string[],
): Promise<ReadonlyMap<string, VisibleRow>> {
  return await seenItems(items, async (query) => await readOn(deps, reading, { kind: 'search', query }, tellRows));
}

function tellRows({ rows }: SearchPage) {
  return { rows, entities: [] };
}

/** A row (`Type/id`), where she sees it. */
export async function ownRowAt(deps: GuardDeps, reading: Reading, item: string): Promise<VisibleRow | undefined> {
  const [type = '', id = ''] = item.split('/');
  if (!isStoredType(type)) return undefined;
  const tell = (row: VisibleRow | undefined) => ({ rows: row === undefined ? [] : [row], entities: [] });
  return await readOn(deps, reading, { kind: 'resource', type, id }, tell);
}

async function rowsOf(deps: GuardDeps, reading: Reading, type: StoredType): Promise<readonly VisibleRow[]> {
  const found: VisibleRow[] = [];
  const query = { type, where: [], count: PAGE, total: 'none', include: [] } as const;
  let next: PageEnd | undefined;
  do {
    const after: { readonly after?: PageEnd } = next === undefined ? {} : { after: next };
    const page: SearchPage = await readOn(deps, reading, { kind: 'search', query, ...after }, tellRows);
    found.push(...page.rows);
    next = page.next;
    if (found.length > MOST_ROWS) throw new Fault('too-costly', `More than ${MOST_ROWS} rows would be listed`);
  } while (next !== undefined);
  return found;
}
