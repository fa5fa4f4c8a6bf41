/** Reads the audit trail where it is kept, beside the server that writes it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import type { AuditEvent } from '@medplum/fhirtypes';
import { MongoClient } from 'mongodb';
import { restoreEvent, type PersonalSide } from '../../../server/stores/audit-chain.ts';
import { BODY_COLUMNS, bodyOf, type ChainedBody } from '../../../server/stores/sqlite/audit/audit-rows.ts';

/** An event, and the principals of the persons who may read it. */
export type TrailEvent = { readonly event: AuditEvent; readonly persons: readonly string[] };

/** A trail that is read. */
export type TrailReader = {
  /** The events of a request. */
  readonly eventsOf: (requestId: string) => Promise<readonly TrailEvent[]>;
  /** The events whose entities say a text, as the UID of a study; of a MongoDB database among the latest alone. */
  readonly eventsNaming: (text: string) => Promise<readonly TrailEvent[]>;
  /** Every event of a request, by request, once all that was recorded is in the chain. */
  readonly byRequest: () => Promise<ReadonlyMap<string, readonly AuditEvent[]>>;
  readonly close: () => Promise<void>;
};

/** Opens the trail of a store: the files of a data folder, or a MongoDB database. */
export async function openTrail(store: string, dataDir: string): Promise<TrailReader> {
  return store === 'sqlite' ? openFiles(dataDir) : await openMongo(store);
}

/** The request that an event belongs to; that of an authorization is told beside the Consent. */
export function requestIdOf({ entity = [] }: AuditEvent): string | undefined {
  const details = entity.flatMap(({ detail = [] }) => detail);
  return (
    entity.find(({ type }) => type?.code === 'XrequestId')?.what?.identifier?.value ??
    details.find(({ type }) => type === 'XrequestId')?.valueString
  );
}

function groupedByRequest(events: readonly AuditEvent[]): ReadonlyMap<string, readonly AuditEvent[]> {
  return Map.groupBy(events, (event) => requestIdOf(event) ?? '');
}

type FiledBody = ChainedBody & { readonly id: string };

function openFiles(dataDir: string): TrailReader {
  const trail = new DatabaseSync(join(dataDir, 'trail.sqlite'), { readOnly: true });
  const naming = "SELECT id FROM personal WHERE side = 'entities' AND instr(json, ?) > 0";
  const chained = trail.prepare(`SELECT c.id, ${BODY_COLUMNS} WHERE c.id IN (${naming}) ORDER BY c.sequence`);
  const all = trail.prepare(`SELECT c.id, ${BODY_COLUMNS} ORDER BY c.sequence`);
  const sides = trail.prepare('SELECT side, salt, json FROM personal WHERE id = ?');
  const readers = trail.prepare("SELECT principal FROM acl WHERE type = 'AuditEvent' AND id = ?");
  const eventOf = ({ id, ...body }: FiledBody): TrailEvent => {
    const rows = sides.all(id) as { side: string; salt: string; json: string }[];
    const of = (side: string) => rows.find((row) => row.side === side);
    const event = restoreEvent(bodyOf(body), { agents: of('agents'), entities: of('entities') });
    return { event, persons: (readers.all(id) as { principal: string }[]).map(({ principal }) => principal) };
  };
  const records = new DatabaseSync(join(dataDir, 'records.sqlite'), { readOnly: true });
  const outbox = records.prepare("SELECT record ->> '$.event.id' AS id FROM audit_outbox");
  const isChained = trail.prepare('SELECT 1 FROM chain WHERE id = ?');
  const queued = trail.prepare('SELECT 1 FROM unindexed LIMIT 1');
  const isMoving = (): boolean =>
    (outbox.all() as { id: string | null }[]).some(({ id }) => id !== null && isChained.get(id) === undefined);
  // What a commit recorded moves to the trail a moment after it, and who may read it is written a moment after that.
  const moved = async (): Promise<void> => {
    while (isMoving() || queued.get() !== undefined) await wait(2);
  };
  const eventsWith = async (text: string): Promise<readonly TrailEvent[]> => {
    await moved();
    return (chained.all(text) as FiledBody[]).map(eventOf);
  };
  return {
    eventsOf: eventsWith,
    eventsNaming: eventsWith,
    byRequest: async () => {
      await moved();
      return groupedByRequest((all.all() as FiledBody[]).map((body) => eventOf(body).event));
    },
    close: async () => {
      trail.close();
      records.close();
    },
  };
}

type MongoEvent = {
  readonly type: string;
  readonly persons: readonly string[];
  readonly event?: string;
  readonly sequence?: number;
};

/** Events that a request of the last moment may be among. */
const LATEST = 20;

async function openMongo(uri: string): Promise<TrailReader> {
  const client = await MongoClient.connect(uri);
  const db = client.db();
  const eventOf = async ({ event, sequence = 0, persons }: MongoEvent): Promise<TrailEvent> => {
    if (event !== undefined) return { event: JSON.parse(event) as AuditEvent, persons };
    const entry = await db.collection<{ _id: number; body: string }>('audit_chain').findOne({ _id: sequence });
    const side = await db.collection<{ _id: number } & PersonalSide>('audit_personal').findOne({ _id: sequence });
    return { event: restoreEvent(entry?.body ?? '', { agents: side?.agents, entities: side?.entities }), persons };
  };
  const latest = async (): Promise<TrailEvent[]> => {
    const events = await db
      .collection<MongoEvent>('audit_events')
      .find({ type: 'AuditEvent' })
      .sort({ sort: -1, id: 1 })
      .limit(LATEST)
      .toArray();
    return await Promise.all(events.map(eventOf));
  };
  return {
    eventsOf: async (requestId) => (await latest()).filter(({ event }) => requestIdOf(event) === requestId),
    eventsNaming: async (text) =>
      (await latest()).filter(({ event }) => JSON.stringify(event.entity ?? []).includes(text)),
    byRequest: async () => {
      while ((await db.collection('audit_events').countDocuments({ pending: true })) > 0) await wait(50);
      const entries = await db.collection<{ _id: number; body: string }>('audit_chain').find().toArray();
      const personal = await db.collection<{ _id: number } & PersonalSide>('audit_personal').find().toArray();
      const sides = new Map(personal.map((side) => [side._id, side]));
      const events = entries.map(({ _id, body }) => {
        const { agents, entities } = sides.get(_id) ?? {};
        return restoreEvent(body, { agents, entities });
      });
      return groupedByRequest(events);
    },
    close: async () => await client.close(),
  };
}
