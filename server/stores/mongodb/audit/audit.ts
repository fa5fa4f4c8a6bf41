/** AuditEvents: written with the passage they tell of, read and searched like rows, in collections of their own. */
import type { ClientSession, Filter } from 'mongodb';
import { partCriteria } from '../../../../profiles/audit/told-by-event.ts';
import { INDEX_VERSION, indexAuditEvent, versionFor } from '../../../../profiles/search/audit-event-index.ts';
import { isLink } from '../../../../profiles/search/criterion.ts';
import { isOfItsOwn, isReversedList, type SortKey } from '../../../../profiles/search/order.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import { organizationsOverseen, readsWholeTrail } from '../../../access/grant.ts';
import { principal } from '../../../access/right.ts';
import { MAX_ORDERED_ROWS, type PageEnd, type SearchPage, type VisibleRow } from '../../../ports/record-store.ts';
import type { ChainRecord } from '../../audit-chain.ts';
import { eventChainRefused } from '../../event-chain.ts';
import { orderedPage, requireFewToOrder, type PageCut } from '../../ordered-page.ts';
import { stamped, unstamped } from '../../stamp.ts';
import type { Collections } from '../collections.ts';
import { compileCriterion } from '../read/criteria.ts';
import type { AuditDocument } from '../documents.ts';
import { toIndexArrays } from '../write/index-arrays.ts';
import { following, LARGEST_BATCH, listOrder, spanFilters } from '../read/listing.ts';
import { allPatients } from '../read/present-patients.ts';
import type { Reader } from '../read/reader.ts';
import { sortProjection, sortValuesOf } from '../read/sort-values.ts';
import { presentPrincipals } from '../write/move.ts';
import { TOTAL_BOUND, type PageStart } from '../read/search.ts';
import { officeWhere } from './office.ts';
import { seenEvents } from './seen-events.ts';
import { eventsTelling } from './telling-events.ts';

/** The transaction in which events are recorded; `attempt` counts from 1. */
type Recording = { readonly session: ClientSession; readonly attempt: number };

/**
 * Records events, each once by its id; they are sealed later. Without a transaction each is written on its own. The
 * first attempt takes the ids for new, which costs less; one that stands already ends it.
 */
export async function insertAudit(
  { audit }: Collections,
  records: readonly ChainRecord[],
  recording?: Recording,
): Promise<void> {
  if (records.length === 0) return;
  const options = recording === undefined ? {} : { session: recording.session };
  if (recording?.attempt === 1) {
    await audit.insertMany(records.map(toDocument), options);
    return;
  }
  const operations = records.map((record) => {
    const { _id, ...content } = toDocument(record);
    return { updateOne: { filter: { _id }, update: { $setOnInsert: content }, upsert: true } };
  });
  await audit.bulkWrite(operations, options);
}

function toDocument({ event, persons, request, erased, erasedAgents, cut }: ChainRecord): AuditDocument {
  const sort = Date.parse(event.recorded ?? '');
  return {
    _id: event.id,
    type: 'AuditEvent',
    id: event.id,
    sort,
    updated: sort,
    persons: [...new Set(persons.map(principal.patient))],
    pending: true,
    indexed: INDEX_VERSION,
    event: JSON.stringify(event),
    ...(request === undefined ? {} : { request }),
    ...(erased === undefined ? {} : { erased }),
    ...(erasedAgents === undefined ? {} : { erasedAgents }),
    ...(cut === undefined ? {} : { cut }),
    ...toIndexArrays(indexAuditEvent(event), sort),
  };
}

/** Reads one event that the grant shows. */
export async function readAuditEvent(reader: Reader, id: string): Promise<VisibleRow | undefined> {
  const visible = await visibleTo(reader);
  const found = await reader.collections.audit.findOne({ _id: id, ...visible }, { session: reader.session });
  return found === null ? undefined : (await toRows(reader, [found]))[0];
}

/** Answers one page of events. They repeat what they need, so nothing is included and no chain is followed. */
export async function searchAuditEvents(
  reader: Reader,
  query: SearchQuery,
  { after, skip = 0 }: PageStart,
): Promise<SearchPage> {
  const filter = await filterOf(reader, query);
  const isCount = query.summary === 'count';
  const { page, next } = isCount
    ? { page: [], next: undefined }
    : isOfItsOwn(query.order)
      ? await orderedEvents(reader, filter, query.order ?? [], { after, skip, count: query.count })
      : await listedEvents(reader, filter, isReversedList(query.order), { after, skip, count: query.count });
  return {
    rows: await toRows(reader, page),
    included: [],
    ...((await lacksEarlier(reader, query)) ? { lacksEarlier: true } : {}),
    total: query.total === 'none' && !isCount ? undefined : await count(reader, filter, query),
    next,
  };
}

/** Versions of the index rise: whether the first event of the part is of one that does not know all parameters. */
async function lacksEarlier(reader: Reader, { where, span }: SearchQuery): Promise<boolean> {
  const version = versionFor(where);
  if (version === 1) return false;
  const { audit } = reader.collections;
  const part: Filter<AuditDocument> = {
    $and: [{ type: 'AuditEvent', ...(await visibleTo(reader)) }, ...spanFilters(span)],
  };
  const [first] = await audit.find(part, { session: reader.session }).sort(listOrder(true)).limit(1).toArray();
  return first !== undefined && (first.indexed ?? 1) < version;
}

type EventPage = { readonly page: readonly AuditDocument[]; readonly next: PageEnd | undefined };

async function listedEvents(
  { collections, session }: Reader,
  filter: Filter<AuditDocument>,
  isReversed: boolean,
  { after, skip, count }: PageCut,
): Promise<EventPage> {
  const found = await collections.audit
    .find({ $and: [filter, following(after, isReversed)] }, { session })
    .sort(listOrder(isReversed))
    .skip(skip)
    .limit(count + 1)
    .toArray();
  const page = found.slice(0, count);
  const last = page.at(-1);
  return {
    page,
    next: last !== undefined && found.length > page.length ? { sort: last.sort, id: last.id } : undefined,
  };
}

async function orderedEvents(
  { collections, session }: Reader,
  filter: Filter<AuditDocument>,
  order: readonly SortKey[],
  cut: PageCut,
): Promise<EventPage> {
  const found = await collections.audit
    .find(filter, { session, projection: { sort: 1, id: 1, ...sortProjection(order) }, batchSize: LARGEST_BATCH + 1 })
    .limit(MAX_ORDERED_ROWS + 1)
    .toArray();
  requireFewToOrder(found.length);
  const sorted = found.map((event) => ({ sort: event.sort, id: event.id, keys: sortValuesOf(event, order) }));
  const { shown, next } = orderedPage(order, sorted, cut);
  const ids = shown.map(({ id }) => id);
  const events = await collections.audit.find({ _id: { $in: ids } }, { session }).toArray();
  const byId = new Map(events.map((event) => [event.id, event]));
  return { page: ids.flatMap((id) => byId.get(id) ?? []), next };
}

async function count(
  { collections, session }: Reader,
  filter: Filter<AuditDocument>,
  query: SearchQuery,
): Promise<number | undefined> {
  if (query.total === 'accurate' || query.summary === 'count')
    return await collections.audit.countDocuments(filter, { session });
  const total = await collections.audit.countDocuments(filter, { session, limit: TOTAL_BOUND + 1 });
  return total > TOTAL_BOUND ? undefined : total;
}

async function filterOf(reader: Reader, { where, span }: SearchQuery): Promise<Filter<AuditDocument>> {
  const filters: Filter<AuditDocument>[] = [{ type: 'AuditEvent', ...(await visibleTo(reader)) }, ...spanFilters(span)];
  if (where.some(isLink)) throw eventChainRefused();
  const { indexed, read } = partCriteria(await allPatients(reader, where));
  const office = await officeWhere(reader, indexed, span);
  if (office !== undefined) filters.push(office.only);
  for (const criterion of office?.where ?? indexed) {
    if (isLink(criterion)) throw eventChainRefused();
    filters.push(compileCriterion(criterion) as Filter<AuditDocument>);
  }
  if (read.length > 0) filters.push(await eventsTelling(reader, { $and: [...filters] }, read));
  return { $and: filters };
}

/** What the office of an establishment does not read of the whole trail is taken out where it asks for events. */
async function visibleTo({ collections, grant, session }: Reader): Promise<Filter<AuditDocument>> {
  if (grant.system || readsWholeTrail(grant) || organizationsOverseen(grant).length > 0) return {};
  return { persons: { $in: [...(await presentPrincipals(collections, grant.principals, session))] } };
}

async function toRows(reader: Reader, found: readonly AuditDocument[]): Promise<readonly VisibleRow[]> {
  const events = await seenEvents(reader, found);
  return found.flatMap(({ id, sort, updated }) => {
    const seen = events.get(id);
    if (seen === undefined) return [];
    const json = stamped(unstamped(seen, id), 1, updated);
    const nobody = { released: true, person: undefined, subject: undefined, blob: undefined };
    return [{ type: 'AuditEvent', id, version: 1, updated, sort, json, ...nobody, shownBy: shownBy(reader, id) }];
  });
}

function shownBy({ grant }: Reader, id: string): VisibleRow['shownBy'] {
  return grant.system ? undefined : { rightId: id, relation: 'named', source: undefined };
}
