/**
 * The hash chain of the audit trail, shared by every adapter. An entry's hash covers its sequence number, the hash
 * before it and the event without its personal parts; those parts are covered by two salted commitments (who acted,
 * what was touched), so that either can be erased with the salt and the chain still verifies.
 */
import { hash, randomUUID } from 'node:crypto';
import type { AuditEvent, AuditEventAgent, AuditEventEntity } from '@medplum/fhirtypes';
import type { TrailHead, Verification } from '../ports/audit-trail.ts';

/** An entry of the chain. `body` is the pseudonymous event as JSON, with the commitments in it. */
export type ChainEntry = { readonly sequence: number; readonly hash: string; readonly body: string };

/** The erasable side of an entry: JSON of the personal parts of agents and of entities, with their salts. */
export type PersonalSide = {
  readonly agents: { readonly salt: string; readonly json: string } | undefined;
  readonly entities: { readonly salt: string; readonly json: string } | undefined;
};

/** An entry as it is stored: `id` where the adapter files it under the event's id. */
export type StoredEntry = ChainEntry & { readonly id?: string };

/** The head of an empty chain. */
export const EMPTY_CHAIN: TrailHead = { sequence: 0, hash: '0'.repeat(64) };

/** An event made ready for a chain: all that does not depend on its place there. `body` is as in {@link ChainEntry}. */
export type ReadyEvent = { readonly id: string; readonly body: string; readonly personal: PersonalSide };

/** Parts an event into its chained body and the personal side to keep apart from it. */
export function readyEvent(event: AuditEvent & { readonly id: string }): ReadyEvent {
  const agents = commit(JSON.stringify(event.agent.map(personalOfAgent)));
  const entities = commit(JSON.stringify((event.entity ?? []).map(personalOfEntity)));
  const body = JSON.stringify({
    ...event,
    agent: event.agent.map(publicOfAgent),
    ...(event.entity === undefined ? {} : { entity: event.entity.map(publicOfEntity) }),
    commitments: { agents: agents.digest, entities: entities.digest },
  });
  return {
    id: event.id,
    body,
    personal: {
      agents: { salt: agents.salt, json: agents.json },
      entities: { salt: entities.salt, json: entities.json },
    },
  };
}

/** Appends the body of an event to a chain. */
export function sealBody(previous: TrailHead, body: string): ChainEntry {
  const sequence = previous.sequence + 1;
  return { sequence, hash: hashOf(sequence, previous.hash, body), body };
}

/**
 * Checks one entry against the head before it. Personal parts that are still there must fit their commitments.
 * Returns undefined when it fits, else what does not.
 */
export function verifyEntry(previous: TrailHead, entry: StoredEntry, personal: PersonalSide): string | undefined {
  if (entry.sequence !== previous.sequence + 1) return `expected sequence ${previous.sequence + 1}`;
  if (hashOf(entry.sequence, previous.hash, entry.body) !== entry.hash) return 'the hash does not fit the record';
  const { id, commitments } = JSON.parse(entry.body) as {
    id?: string;
    commitments?: { agents?: string; entities?: string };
  };
  // Under another id its personal parts would be missed, and taken for erased.
  if (entry.id !== undefined && entry.id !== id) return 'the record is filed under another id';
  for (const side of ['agents', 'entities'] as const) {
    const kept = personal[side];
    if (kept !== undefined && digest(kept.salt, kept.json) !== commitments?.[side]) {
      return `the personal part of the ${side} does not fit its commitment`;
    }
  }
  return undefined;
}

/** Checks a head that was exported before against the head that a walk has reached; see AuditTrail.verify. */
export function verifyKnownHead(reached: TrailHead, known: TrailHead | undefined): string | undefined {
  if (known?.sequence !== reached.sequence || known.hash === reached.hash) return undefined;
  return 'the hash is not that of the exported head';
}

/** Checks that a walk to the end has passed a head that was exported before. */
export function verifyEnd(head: TrailHead, erased: number, known: TrailHead | undefined): Verification {
  if (known === undefined || known.sequence <= head.sequence) return { whole: true, head, erased };
  return {
    whole: false,
    sequence: head.sequence + 1,
    reason: `the trail ends at record ${head.sequence}, and the exported head is record ${known.sequence}`,
  };
}

/** A UID, an accession number, an identifier: what stands between separators of URLs, queries and JSON. */
const NAME = /[\p{L}\p{N}][\p{L}\p{N}._-]*/gu;

/** Tells whether the erasable side of entities mentions one of these names, in queries too, which are base64. */
export function mentionsName(entitiesJson: string, names: ReadonlySet<string>): boolean {
  const queries = (JSON.parse(entitiesJson) as Partial<AuditEventEntity>[]).map(({ query = '' }) =>
    Buffer.from(query, 'base64').toString(),
  );
  return [entitiesJson, ...queries, ...queries.map(percentDecoded)].some((text) =>
    (text.match(NAME) ?? []).some((name) => names.has(name)),
  );
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Puts an entry and its personal side together again; erased parts stay away. */
export function restoreEvent(body: string, personal: PersonalSide): AuditEvent {
  const { commitments: _, ...event } = JSON.parse(body) as AuditEvent & { commitments: unknown };
  const agents = parts<AuditEventAgent>(personal.agents);
  const entities = parts<AuditEventEntity>(personal.entities);
  return {
    ...event,
    agent: event.agent.map((agent, at) => ({ ...agent, ...mergeWho(agent.who, agents[at]) })),
    ...(event.entity === undefined
      ? {}
      : { entity: event.entity.map((entity, at) => ({ ...entity, ...mergeWhat(entity.what, entities[at]) })) }),
  };
}

function commit(json: string): { salt: string; digest: string; json: string } {
  const salt = randomUUID();
  return { salt, json, digest: digest(salt, json) };
}

function digest(salt: string, json: string): string {
  return hash('sha256', `${salt}\n${json}`, 'base64url');
}

function hashOf(sequence: number, previousHash: string, body: string): string {
  return hash('sha256', `${sequence}\n${previousHash}\n${body}`);
}

/** Members that are undefined are absent from the JSON. */
function personalOfAgent({ name, altId, network, who }: AuditEventAgent): object {
  return { name, altId, network, who: who && { identifier: who.identifier, display: who.display } };
}

function publicOfAgent(agent: AuditEventAgent): AuditEventAgent {
  const { name: _name, altId: _altId, network: _network, who, ...rest } = agent;
  return who?.reference === undefined ? rest : { ...rest, who: { reference: who.reference } };
}

function personalOfEntity({ name, description, query, detail, what }: AuditEventEntity): object {
  return { name, description, query, detail, what: what && { identifier: what.identifier, display: what.display } };
}

function publicOfEntity(entity: AuditEventEntity): AuditEventEntity {
  const { name: _n, description: _d, query: _q, detail: _t, what, ...rest } = entity;
  return what?.reference === undefined ? rest : { ...rest, what: { reference: what.reference } };
}

function parts<T>(side: { json: string } | undefined): readonly Partial<T>[] {
  return side === undefined ? [] : (JSON.parse(side.json) as Partial<T>[]);
}

function mergeWho(
  who: AuditEventAgent['who'],
  personal: Partial<AuditEventAgent> | undefined,
): Partial<AuditEventAgent> {
  const merged = { ...who, ...personal?.who };
  return { ...personal, ...(Object.keys(merged).length === 0 ? {} : { who: merged }) };
}

function mergeWhat(
  what: AuditEventEntity['what'],
  personal: Partial<AuditEventEntity> | undefined,
): Partial<AuditEventEntity> {
  const merged = { ...what, ...personal?.what };
  return { ...personal, ...(Object.keys(merged).length === 0 ? {} : { what: merged }) };
}
