/**
 * A transaction that is sent again, as a sender does that has not heard the answer: the report in it stands already,
 * and so does what was made with it. What it leads to and says the same is what was sent: nothing is made twice.
 */
import type { Resource } from '@medplum/fhirtypes';
import { referencesOf } from '../../../profiles/references.ts';
import { fhirType, isStoredType } from '../../../profiles/types/visibility.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { rowById } from '../internal-reads.ts';
import { sameContent } from './changed-put.ts';
import { standingFor } from './source.ts';
import type { Placed, Work } from './work.ts';

/** As many as a transaction has entries. */
const MOST_ROWS = 200;

/** Puts creates of a transaction where what they make stands already, beside a report that stands. */
export async function retriedPlaces(work: Work, places: readonly Placed[]): Promise<readonly Placed[]> {
  const made = places.filter(({ standing, act }) => isPlainCreate(act) && standing === undefined);
  const reports = places.flatMap(({ standing, act }) =>
    act.interaction === 'create' && standing !== undefined && bringsDocuments(act.type) ? [standing] : [],
  );
  if (made.length === 0 || reports.length === 0) return places;
  const rows = await rowsReferredTo(work, reports);
  const taken = new Set<InternalRow>();
  const found = new Map<Placed, Placed>();
  for (const placed of made) {
    for (const row of rows) {
      if (found.has(placed) || taken.has(row) || !(await isSame(work, placed, row))) continue;
      taken.add(row);
      found.set(placed, { act: placed.act, id: row.id, standing: row, isMet: true });
    }
  }
  return places.map((placed) => found.get(placed) ?? placed);
}

function bringsDocuments(type: Placed['act']['type']): boolean {
  return fhirType(type).hooks?.write === 'documents';
}

function isPlainCreate({ interaction, type, condition }: Placed['act']): boolean {
  return interaction === 'create' && condition === undefined && fhirType(type).hooks?.write === undefined;
}

/** What reports refer to, and what that refers to, as far as rows without a story of their own go. */
async function rowsReferredTo({ deps, reading }: Work, reports: readonly InternalRow[]): Promise<InternalRow[]> {
  const names = new Set(reports.flatMap((row) => referencesOf(openedResource(row))));
  const rows: InternalRow[] = [];
  for (const name of names) {
    const [type = '', id = ''] = name.split('/');
    if (!isStoredType(type) || fhirType(type).class !== 'item' || fhirType(type).hooks?.write !== undefined) continue;
    const row = rows.length < MOST_ROWS ? await rowById(deps.records, reading, type, id) : undefined;
    if (row === undefined) continue;
    rows.push(row);
    for (const further of referencesOf(openedResource(row))) names.add(further);
  }
  return rows;
}

/** Only a row of the sender's own, which says what is sent but for the names that a transaction gives. */
async function isSame(work: Work, { act }: Placed, row: InternalRow): Promise<boolean> {
  if (act.interaction !== 'create' || row.type !== act.type) return false;
  if (!sameContent(nameless(openedResource(row)), nameless(act.resource))) return false;
  return (await standingFor(work, row, { ...act, interaction: 'update' })) === 'own';
}

function nameless(resource: Resource): Resource {
  const { id: _, ...rest } = JSON.parse(JSON.stringify(resource), withoutNames) as Resource;
  return rest as Resource;
}

function withoutNames(name: string, value: unknown): unknown {
  return name === 'reference' && typeof value === 'string' ? undefined : value;
}
