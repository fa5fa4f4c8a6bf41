/** Verifies the trail of a MongoDB database, and only reads: no schema is brought up, nothing is sealed. */
import { isDeepStrictEqual } from 'node:util';
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import { personKey } from '../../../access/requester.ts';
import { principal } from '../../../access/right.ts';
import type { TrailHead, TrailVerifier, Verification } from '../../../ports/audit-trail.ts';
import { ChainWalk, type WalkedEvent } from '../../chain-walk.ts';
import { collectionsOf, type Collections } from '../collections.ts';
import { connectToRead } from '../connect.ts';
import type { AuditDocument } from '../documents.ts';
import { asStore } from '../errors.ts';
import { refuseOtherSchema } from '../schema.ts';
import { toIndexArrays } from '../write/index-arrays.ts';

const AT_ONCE = 500;

/**
 * Opens the trail of a database.
 * @throws {Fault} not-supported - another version of the server wrote it
 * @throws {Fault} transient - the server is out of reach
 */
export async function openMongoVerifier({ uri }: { readonly uri: string }): Promise<TrailVerifier> {
  const { client, db } = await connectToRead(uri);
  const collections = collectionsOf(client, db);
  const close = async (): Promise<void> => await client.close();
  try {
    await refuseOtherSchema(collections);
  } catch (error) {
    await close();
    throw error;
  }
  return { verify: async (known) => await asStore(async () => await verifyChain(collections, known)), close };
}

/** Verifies the chain, while others may add to it; anew when records went meanwhile, from under the walk. */
export async function verifyChain(collections: Collections, known: readonly TrailHead[] = []): Promise<Verification> {
  for (;;) {
    const first = await firstOf(collections);
    const found = await verifyOnce(collections, known);
    if (found.whole || (await firstOf(collections)) === first) return found;
  }
}

async function firstOf({ chain }: Collections): Promise<number | undefined> {
  return (
    await chain
      .find({}, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(1)
      .next()
  )?._id;
}

async function verifyOnce(collections: Collections, known: readonly TrailHead[]): Promise<Verification> {
  const walk = new ChainWalk(known);
  // What is sealed after this has its record, too, when the walk comes to the end.
  const last = await lastFiled(collections);
  if (!(await walkAll(collections, walk))) return walk.end();
  const takes = { $or: [{ erased: { $exists: true } }, { erasedAgents: { $exists: true } }] };
  const projection = { erased: 1, erasedAgents: 1 };
  const waiting = collections.audit.find({ pending: true, ...takes }, { projection });
  for await (const { erased = [], erasedAgents = [] } of waiting) walk.erasing(erased, erasedAgents);
  // An erasure that was sealed before they were looked for.
  if (!(await walkAll(collections, walk))) return walk.end();
  const cutHash = (await collections.chain.findOne({ _id: walk.cut?.sequence ?? 0 }))?.hash;
  return walk.end({ leftOver: await leftOver(collections, walk, last), cutHash });
}

async function walkAll({ chain, personal, audit }: Collections, walk: ChainWalk): Promise<boolean> {
  for (;;) {
    const entries = await chain
      .find({ _id: { $gt: walk.head.sequence } })
      .sort({ _id: 1 })
      .limit(AT_ONCE)
      .toArray();
    if (entries.length === 0) return true;
    const filed = await audit.find({ _id: { $in: entries.map(({ event }) => event) } }).toArray();
    const sides = await personal.find({ _id: { $in: entries.map(({ _id }) => _id) } }).toArray();
    const [byId, bySequence] = [byKey(filed), byKey(sides)];
    for (const { _id, hash, body, event } of entries) {
      const { agents, entities, request } = bySequence.get(_id) ?? {};
      const misfiled = (walked: WalkedEvent): string | undefined => troubleOf(walked, byId.get(event));
      if (!walk.pass({ sequence: _id, hash, body, id: event }, { agents, entities, request }, misfiled)) return false;
    }
  }
}

function byKey<K, T extends { readonly _id: K }>(documents: readonly T[]): ReadonlyMap<K, T> {
  return new Map(documents.map((document) => [document._id, document]));
}

function troubleOf({ sequence, event }: WalkedEvent, document: AuditDocument | undefined): string | undefined {
  if (document === undefined) return 'search does not find the event';
  // A server of before sealed an event without the cut that it told of, and nothing went.
  const { persons, cut: _cut, ...filed } = document;
  const readers = event.persons
    ?.split(' ')
    .filter(Boolean)
    .map((person) => principal.patient(personKey(person)));
  if (readers !== undefined && !isDeepStrictEqual([...persons].sort(), readers.sort()))
    return 'the event is filed under another person';
  const recorded = Date.parse(event.recorded ?? '');
  // An event without a time of its own was given one.
  const sort = Number.isNaN(recorded) ? filed.sort : recorded;
  // A server of before sealed what another had recorded.
  const version = event.indexed ?? filed.indexed ?? 1;
  const expected = {
    _id: event.id,
    type: 'AuditEvent',
    id: event.id,
    sort,
    updated: sort,
    sequence,
    ...(filed.indexed === undefined ? {} : { indexed: version }),
    ...toIndexArrays(indexAuditEvent(event, version), sort),
  };
  return isDeepStrictEqual(filed, expected) ? undefined : 'search finds the event otherwise than it was filed';
}

/** The last record that search, or a personal part, names. */
async function lastFiled({ audit, personal }: Collections): Promise<number> {
  const filed = await audit
    .find({ sequence: { $exists: true } }, { projection: { sequence: 1 } })
    .sort({ sequence: -1 })
    .limit(1)
    .next();
  const side = await personal
    .find({}, { projection: { _id: 1 } })
    .sort({ _id: -1 })
    .limit(1)
    .next();
  return Math.max(filed?.sequence ?? 0, side?._id ?? 0);
}

/** Says what there is of events that the chain does not hold. */
async function leftOver(
  { audit, personal }: Collections,
  { head, begins }: ChainWalk,
  last: number,
): Promise<string | undefined> {
  if (last > head.sequence) return `an event is filed as record ${last}`;
  const filed = await audit.countDocuments({ sequence: { $lte: head.sequence } });
  const astray = await audit.countDocuments({ sequence: { $exists: false }, pending: { $exists: false } });
  const others = filed - (head.sequence - begins + 1) + astray;
  if (others !== 0) return `${others} events are filed that belong to no record`;
  const parts = await personal.countDocuments({ _id: { $lt: begins } });
  return parts === 0 ? undefined : `personal parts of ${parts} events belong to no record`;
}
