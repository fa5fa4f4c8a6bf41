/**
 * What of the trail the office of an establishment reads on SQLite: its items are in the records, events in a file of
 * their own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditEvent } from '@medplum/fhirtypes';
import { itemsAsked, officeCriteria } from '../../../../profiles/audit/office-criteria.ts';
import { asOfficeReads, isItem, itemsOfEvent } from '../../../../profiles/audit/office-view.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { SortSpan } from '../../../../profiles/search/query.ts';
import { afterAllThatBeginWith } from '../../../../profiles/search/values.ts';
import { organizationsOverseen, type AnyGrant } from '../../../access/grant.ts';
import { authorRights, authorRightsOf, itemOfAuthorRight } from '../../../access/right.ts';
import { ITEMS_AT_ONCE, MOST_EVENTS, requireFewEvents } from '../../event-chain.ts';
import type { Database } from '../database.ts';
import { conditionsOf, type PlainCriterion, type Sql } from '../read/criteria.ts';
import { eventParam } from './wire-audit.ts';

/** The office that a grant is of. */
export type Office = { readonly organizations: readonly string[]; readonly records: Database };

/** The office of an establishment that a grant is of; undefined of none. */
export function officeOf(records: Database, grant: AnyGrant): Office | undefined {
  const organizations = organizationsOverseen(grant);
  return organizations.length === 0 ? undefined : { organizations, records };
}

/** An event as the office reads it; undefined where it does not. */
export function readByOffice(office: Office, event: AuditEvent): AuditEvent | undefined {
  return asOfficeReads(event, office.organizations, ownAmong(office, itemsOfEvent(event)));
}

/** Those of some items that the establishment filed. */
function ownAmong({ organizations, records }: Office, items: readonly string[]): ReadonlySet<string> {
  if (items.length === 0) return new Set();
  const ids = JSON.stringify(authorRights(organizations, items));
  const found = records.all<{ id: string }>(
    'SELECT id FROM access_right WHERE id IN (SELECT value FROM json_each(?))',
    ids,
  );
  return new Set(found.map(({ id }) => itemOfAuthorRight(id)));
}

/** What a search of the office asks of all events, and the condition that an event is one that it finds. */
export type OfficeWhere = { readonly where: readonly Criterion[]; readonly only: PlainCriterion };

/**
 * Makes the conditions of a search of the office in a part of the trail.
 * @throws {Fault} too-costly - too many events are of its items
 */
export async function officeWhere(
  office: Office,
  trail: Database,
  where: readonly Criterion[],
  span: SortSpan | undefined,
): Promise<OfficeWhere> {
  const { organizations } = office;
  const own = ownAmong(office, itemsAsked(where));
  const { shared, ofPeople, ofItems, named } = officeCriteria(organizations, where, own);
  const people = conditionsOf('AuditEvent', ofPeople);
  const parts: readonly Sql[] = [
    { text: `1${people.text}`, values: people.values },
    ...(ofItems === undefined
      ? []
      : [await ofTheseItems(named === undefined ? ownItems(office) : [named], trail, ofItems, span)]),
  ];
  const text = `(${parts.map((part) => `(${part.text})`).join(' OR ')})`;
  return {
    where: shared,
    only: { kind: 'condition', condition: { text, values: parts.flatMap(({ values }) => values) } },
  };
}

async function ofTheseItems(
  items: Iterable<readonly string[]>,
  trail: Database,
  criteria: readonly PlainCriterion[],
  span: SortSpan | undefined,
): Promise<Sql> {
  const rids = JSON.stringify([...(await eventsOfItems(items, trail, span))]);
  const { text, values } = conditionsOf('AuditEvent', criteria);
  return { text: `x.rid IN (SELECT value FROM json_each(?))${text}`, values: [rids, ...values] };
}

/** The rids of the events in a span that name one of some items, which come some at a time. */
async function eventsOfItems(
  all: Iterable<readonly string[]>,
  trail: Database,
  span: SortSpan | undefined,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  const { first, last } = trail.get<Rids>(RIDS, span?.from ?? -Infinity, span?.before ?? Infinity) ?? NO_RIDS;
  if (first === null || last === null) return found;
  for (const items of all) {
    const names = JSON.stringify(items);
    const rows = trail.all<{ rid: number }>(NAMING, eventParam('entity'), names, first, last, MOST_EVENTS + 1);
    for (const { rid } of rows) found.add(rid);
    requireFewEvents(found.size);
    await nextTurn();
  }
  return found;
}

type Rids = { readonly first: number | null; readonly last: number | null };

const NO_RIDS: Rids = { first: null, last: null };

/** Events get their rows nearly in the order of their date. */
const RIDS = `SELECT min(rid) AS first, max(rid) AS last FROM resource
  WHERE type = 'AuditEvent' AND sort >= ? AND sort < ?`;

/** An event may name many of them. */
const NAMING = `SELECT DISTINCT rid FROM reference
  WHERE param = ? AND target IN (SELECT value FROM json_each(?)) AND rid BETWEEN ? AND ? LIMIT ?`;

/** All items that the establishment filed, some at a time. */
function* ownItems({ organizations, records }: Office): Generator<readonly string[]> {
  for (const begin of organizations.map(authorRightsOf)) {
    const end = afterAllThatBeginWith(begin) ?? '';
    for (let last = begin, more = true; more;) {
      const ids = records.all<{ id: string }>(RIGHTS, last, end, ITEMS_AT_ONCE).map(({ id }) => id);
      yield ids.map(itemOfAuthorRight).filter(isItem);
      last = ids.at(-1) ?? last;
      more = ids.length === ITEMS_AT_ONCE;
    }
  }
}

const RIGHTS = 'SELECT id FROM access_right WHERE id > ? AND id < ? ORDER BY id LIMIT ?';
