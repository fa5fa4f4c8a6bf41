/**
 * What of the trail the office of an establishment reads on MongoDB: its items are found by the rights of who filed
 * them.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Filter } from 'mongodb';
import { itemsAsked, officeCriteria } from '../../../../profiles/audit/office-criteria.ts';
import { asOfficeReads, isItem, itemsOfEvent } from '../../../../profiles/audit/office-view.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { SortSpan } from '../../../../profiles/search/query.ts';
import { afterAllThatBeginWith } from '../../../../profiles/search/values.ts';
import { organizationsOverseen } from '../../../access/grant.ts';
import { authorRights, authorRightsOf, itemOfAuthorRight } from '../../../access/right.ts';
import { ITEMS_AT_ONCE, MOST_EVENTS, requireFewEvents } from '../../event-chain.ts';
import type { AuditDocument } from '../documents.ts';
import { compileCriterion } from '../read/criteria.ts';
import { spanFilters } from '../read/listing.ts';
import type { Reader } from '../read/reader.ts';
import { referenceKey } from '../write/index-arrays.ts';

/** What a search of the office asks of all events, and the condition that an event is one that it finds. */
export type OfficeWhere = { readonly where: readonly Criterion[]; readonly only: Filter<AuditDocument> };

/** An event as the office of an establishment reads it that the grant is of; undefined where it does not. */
export async function readByOffice(reader: Reader, event: AuditEvent): Promise<AuditEvent | undefined> {
  return asOfficeReads(event, organizationsOverseen(reader.grant), await ownAmong(reader, itemsOfEvent(event)));
}

/** Those of some items that the establishment filed. */
async function ownAmong(
  { collections, grant, session }: Reader,
  items: readonly string[],
): Promise<ReadonlySet<string>> {
  if (items.length === 0) return new Set();
  const ids = authorRights(organizationsOverseen(grant), items);
  const found = collections.rights.find({ _id: { $in: [...ids] } }, { session, projection: { _id: 1 } });
  return new Set((await found.toArray()).map(({ _id }) => itemOfAuthorRight(_id)));
}

/**
 * Makes the conditions of a search of the office in a part of the trail; undefined where the grant is of none.
 * @throws {Fault} too-costly - too many events are of its items
 */
export async function officeWhere(
  reader: Reader,
  where: readonly Criterion[],
  span: SortSpan | undefined,
): Promise<OfficeWhere | undefined> {
  const organizations = organizationsOverseen(reader.grant);
  if (organizations.length === 0) return undefined;
  const own = await ownAmong(reader, itemsAsked(where));
  const { shared, ofPeople, ofItems, named } = officeCriteria(organizations, where, own);
  const people = { $and: ofPeople.map(compileCriterion) } as Filter<AuditDocument>;
  if (ofItems === undefined) return { where: shared, only: people };
  const ids = [...(await eventsOfItems(reader, named === undefined ? ownItems(reader) : [named], span))];
  const items = { $and: [{ _id: { $in: ids } }, ...ofItems.map(compileCriterion)] } as Filter<AuditDocument>;
  return { where: shared, only: { $or: [people, items] } };
}

/** The events in a span that name one of some items, which come some at a time. */
async function eventsOfItems(
  reader: Reader,
  all: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  span: SortSpan | undefined,
): Promise<ReadonlySet<string>> {
  const { collections, session } = reader;
  const events = new Set<string>();
  for await (const items of all) {
    const keys = items.map((item) => referenceKey('entity', item));
    const naming: Filter<AuditDocument> = { $and: [{ type: 'AuditEvent', ref: { $in: keys } }, ...spanFilters(span)] };
    const found = collections.audit.find(naming, { session, projection: { _id: 1 }, limit: MOST_EVENTS + 1 });
    for (const { _id } of await found.toArray()) events.add(_id);
    requireFewEvents(events.size);
  }
  return events;
}

/** All items that the establishment filed, some at a time. */
async function* ownItems({ collections, grant, session }: Reader): AsyncGenerator<readonly string[]> {
  for (const begin of organizationsOverseen(grant).map(authorRightsOf)) {
    const end = afterAllThatBeginWith(begin) ?? '';
    for (let last = begin, more = true; more;) {
      const found = await collections.rights
        .find({ _id: { $gt: last, $lt: end } }, { session, projection: { _id: 1 } })
        .sort({ _id: 1 })
        .limit(ITEMS_AT_ONCE)
        .toArray();
      yield found.map(({ _id }) => itemOfAuthorRight(_id)).filter(isItem);
      last = found.at(-1)?._id ?? last;
      more = found.length === ITEMS_AT_ONCE;
    }
  }
}
