/**
 * A transaction that is sent again, as a sender does that has not heard the answer: the report in it stands already,
 * and so does what was made with it. What it leads to and says the same is what was sent: nothing is made twice.
 */
import type { Resource } from '@medplum/fhirtypes';
import { isConditional, referencesOf } from '../../../profiles/references.ts';
import { fhirType, isStoredType } from '../../../profiles/types/visibility.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { rowById } from '../internal-reads.ts';
import { contentText } from './changed-put.ts';
import { standingFor } from './source.ts';
import type { Placed, Work } from './work.ts';

/** As many as a transaction has entries. */
const MOST_ROWS = 200;

/** A report that stands and is sent again, as it is or in a further version. */
type SentAgain = { readonly sent: Resource; readonly row: InternalRow };

/** Puts creates of a transaction where what they make stands already, beside a report that stands. */
export async function retriedPlaces(work: Work, places: readonly Placed[]): Promise<readonly Placed[]> {
  const made = places.filter(({ standing, act }) => isPlainCreate(act) && standing === undefined);
  const reports = places.flatMap(({ standing, act }) =>
    standing !== undefined && 'resource' in act && bringsDocuments(act.type)
      ? [{ sent: act.resource, row: standing }]
      : [],
  );
  if (made.length === 0 || reports.length === 0) return places;
  // Each is made a text once: a report may have hundreds of findings.
  const rows = Map.groupBy(await rowsReferredTo(work, reports), (row) => nameless(openedResource(row)));
  const taken = new Set<InternalRow>();
  const found = new Map<Placed, Placed>();
  for (const placed of asReferredTo(reports, made)) {
    for (const row of rows.get(nameless(sentBy(placed))) ?? []) {
      if (found.has(placed) || taken.has(row) || !(await isOwn(work, placed, row))) continue;
      taken.add(row);
      found.set(placed, { act: placed.act, id: row.id, standing: row, isMet: true });
    }
  }
  return agreeing(places, found);
}

function bringsDocuments(type: Placed['act']['type']): boolean {
  return fhirType(type).hooks?.write === 'documents';
}

function isPlainCreate({ interaction, type, condition }: Placed['act']): boolean {
  return interaction === 'create' && condition === undefined && fhirType(type).hooks?.write === undefined;
}

/** What reports refer to, and what that refers to, as far as rows without a story of their own go. */
async function rowsReferredTo({ deps, reading }: Work, reports: readonly SentAgain[]): Promise<InternalRow[]> {
  const names = new Set(reports.flatMap(({ row }) => referencesOf(openedResource(row))));
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

/** Creates in the order in which the reports refer to them, not that of the entries: of two alike each is itself. */
function asReferredTo(reports: readonly SentAgain[], made: readonly Placed[]): readonly Placed[] {
  const byUrl = new Map(made.map((placed) => [placed.act.fullUrl, placed]));
  const names = new Set(reports.flatMap(({ sent }) => referencesOf(sent)));
  const ordered = new Set<Placed>();
  for (const name of names) {
    const placed = byUrl.get(name);
    if (placed === undefined) continue;
    ordered.add(placed);
    for (const further of referencesOf(sentBy(placed))) names.add(further);
  }
  return [...ordered, ...made.filter((placed) => !ordered.has(placed))];
}

function sentBy({ act }: Placed): Resource {
  if (!('resource' in act)) throw new Error('A create has a resource');
  return act.resource;
}

/** Only a row of the sender's own is met. */
async function isOwn(work: Work, { act }: Placed, row: InternalRow): Promise<boolean> {
  if (act.interaction !== 'create') return false;
  return (await standingFor(work, row, { ...act, interaction: 'update' })) === 'own';
}

/** What a resource says but for what it refers to. */
function nameless(resource: Resource): string {
  const { id: _, ...rest } = JSON.parse(JSON.stringify(resource), withoutNames) as Resource;
  return contentText(rest as Resource);
}

function withoutNames(name: string, value: unknown): unknown {
  return name === 'reference' && typeof value === 'string' ? undefined : value;
}

/** The places with those that were found, but for what refers to something else now, and what refers to that. */
function agreeing(places: readonly Placed[], found: Map<Placed, Placed>): readonly Placed[] {
  const result = places.map((placed) => found.get(placed) ?? placed);
  const named = new Map(result.map(({ act, id }) => [act.fullUrl, `${act.type}/${id}`]));
  const others = [...found].filter(
    ([placed, { standing }]) => standing !== undefined && !refersAlike(sentBy(placed), openedResource(standing), named),
  );
  if (others.length === 0) return result;
  for (const [placed] of others) found.delete(placed);
  return agreeing(places, found);
}

/** Whether two resources that say the same otherwise refer to the same. */
function refersAlike(sent: object, standing: object, named: ReadonlyMap<string | undefined, string>): boolean {
  const kept = new Map<string, unknown>(Object.entries(standing));
  return Object.entries(sent).every(([name, value]: [string, unknown]) => {
    const other = kept.get(name);
    if (name === 'reference' && typeof value === 'string') return meansSame(named.get(value) ?? value, other);
    if (typeof value !== 'object' || value === null || typeof other !== 'object' || other === null) return true;
    return refersAlike(value, other, named);
  });
}

/** A condition and an address are not known before they are looked up, and the patient is that of the report. */
function meansSame(sent: string, standing: unknown): boolean {
  return sent === standing || isConditional(sent) || /^(?:https?:|Patient\/)/.test(sent);
}
