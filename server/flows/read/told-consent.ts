/**
 * What of a Consent the patient reads, and who represents her: of an item that is hidden from her, or gone, that there
 * is one, and not which. Whoever filed it reads what it said.
 */
import type { Consent } from '@medplum/fhirtypes';
import { itemsNamed, withItemsSeen } from '../../../profiles/consent/giving/told-items.ts';
import { speaksForPatient } from '../../access/requester.ts';
import type { Passage, VisibleRow } from '../../ports/record-store.ts';
import { further, type GuardDeps, type Visit } from '../guard.ts';
import { seenItems } from './seen-items.ts';
import { toldRow } from './told-report.ts';

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
  const found = await seenItems([...items], async (query) => await further(deps, passage, { kind: 'search', query }));
  const seen = new Set(found.keys());
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
