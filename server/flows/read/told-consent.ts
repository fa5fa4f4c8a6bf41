/**
 * What of a Consent the patient reads, and who represents her: an item that it names and that is hidden from her is
 * told from nothing. Whoever filed it knows what it said.
 */
import type { Consent } from '@medplum/fhirtypes';
import { itemsNamed, withItemsSeen } from '../../../profiles/consent/giving/told-items.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { speaksForPatient } from '../../access/requester.ts';
import type { Passage, VisibleRow } from '../../ports/record-store.ts';
import { further, type GuardDeps, type Visit } from '../guard.ts';
import { toldRow } from './told-report.ts';

/** Items that one search asks for. */
const AT_ONCE = 100;

/** What the items are looked up with. */
type Deps = Pick<GuardDeps, 'records' | 'clock'>;

/** Versions of rows as the requester reads them, in an answer that is audited. Rows of other types stay. */
export async function toldConsents<R extends VisibleRow>(
  deps: Deps,
  visit: Visit,
  passage: Passage,
  rows: readonly R[],
): Promise<readonly R[]> {
  const named = rows.map((row) => (isTold(visit, row) ? undefined : (JSON.parse(row.json) as Consent)));
  const items = new Set(named.flatMap((consent) => (consent === undefined ? [] : itemsNamed(consent))));
  if (items.size === 0) return rows;
  const seen = await seenAmong(deps, passage, [...items]);
  return rows.map((row, at) => {
    const consent = named[at];
    const told = consent && withItemsSeen(consent, seen);
    return told === consent ? row : { ...row, json: JSON.stringify(told) };
  });
}

/** Present rows of an answer that is audited, whatever they are, as the requester reads them. */
export async function toldRows<R extends VisibleRow>(
  deps: Deps,
  visit: Visit,
  passage: Passage,
  rows: readonly R[],
): Promise<readonly R[]> {
  const told = rows.map((row) => toldRow(visit, row));
  return await toldConsents(deps, visit, passage, told);
}

/** Most name no item: their text is not read for it. */
function isTold({ requester }: Visit, { type, json }: VisibleRow): boolean {
  return type !== 'Consent' || !speaksForPatient(requester) || !json.includes('"data"');
}

/** Those of some items (`Type/id`) that the requester sees now. */
async function seenAmong(deps: Deps, passage: Passage, items: readonly string[]): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (const [type = '', some] of Map.groupBy(items, (item) => item.split('/')[0])) {
    if (!isStoredType(type)) continue;
    for (let at = 0; at < some.length; at += AT_ONCE) {
      const values = some.slice(at, at + AT_ONCE).map((item) => item.slice(type.length + 1));
      const query = { type, where: [{ kind: 'id', values }], count: AT_ONCE, total: 'none', include: [] } as const;
      const page = await further(deps, passage, { kind: 'search', query });
      for (const { id } of page.rows) seen.add(`${type}/${id}`);
    }
  }
  return seen;
}
