/**
 * The hash chain of the audit trail, shared by every adapter. An entry's hash covers its sequence number, the hash
 * before it, the event without its personal parts, and the random keys of the persons who may read it; the personal
 * parts are covered by salted commitments (who acted, what was touched, what was asked), so that each can be erased
 * with its salt and the chain still verifies. Which entries lost a part is in the body of the event that tells of the
 * erasure; up to which entry the oldest went, and its hash, in the body of the event that tells of the cut.
 */
import { hash, randomUUID } from 'node:crypto';
import type { AuditEvent, AuditEventAgent, AuditEventEntity } from '@medplum/fhirtypes';
import { keptSince, LEAST_RETENTION_YEARS } from '../../profiles/audit/retention.ts';
import type { SealedCut, ToldCut, TrailCut, TrailHead } from '../ports/audit-trail.ts';
import type { AuditRecord } from '../ports/commit-plan.ts';

/** An entry of the chain. `body` is the pseudonymous event as JSON, with the commitments in it. */
export type ChainEntry = { readonly sequence: number; readonly hash: string; readonly body: string };

/** A part of an entry that can be erased, and the salt of its commitment. */
export type ErasablePart = { readonly salt: string; readonly json: string };

/**
 * The erasable side of an entry: JSON of the personal parts of agents and of entities, and of the query as it was asked
 * where the event does not tell all of it. That goes when the entities go.
 */
export type PersonalSide = {
  readonly agents: ErasablePart | undefined;
  readonly entities: ErasablePart | undefined;
  readonly request?: ErasablePart | undefined;
};

/** Names of its parts. */
export const SIDES = ['agents', 'entities', 'request'] as const;

/** An entry as it is stored: `id` where the adapter files it under the event's id. */
export type StoredEntry = ChainEntry & { readonly id?: string };

/** The head of an empty chain. */
export const EMPTY_CHAIN: TrailHead = { sequence: 0, hash: '0'.repeat(64) };

/** An event made ready for a chain: all that does not depend on its place there. `body` is as in {@link ChainEntry}. */
export type ReadyEvent = { readonly id: string; readonly body: string; readonly personal: PersonalSide };

/** What a body holds beside the event. Bodies of earlier servers name no persons. */
export type ChainedFacts = {
  /** Keys of the persons who may read it, a space between them. */
  readonly persons?: string;
  /** By which version of the index it is found (audit-event-index.ts); absent: by the first. */
  readonly indexed?: number;
  /** Sequence numbers whose entities were erased with this event, as {@link toRanges} writes them. */
  readonly erased?: string;
  /** Those whose agents were. */
  readonly erasedAgents?: string;
  /** The cut that the event tells of, as {@link cutText} writes it. */
  readonly cut?: string;
  readonly commitments: { readonly agents: string; readonly entities: string; readonly request?: string };
};

/** The event of a body, without its personal parts. */
export type ChainedEvent = AuditEvent & { readonly id: string } & ChainedFacts;

/**
 * A record for the chain; the sequence numbers whose entities it takes, and those whose agents; the cut that it tells
 * of ({@link cutText}); and the version of the index that its rows are made by.
 */
export type ChainRecord = AuditRecord & {
  readonly indexed?: number;
  readonly erased?: readonly number[];
  readonly erasedAgents?: readonly number[];
  readonly cut?: string;
};

/** By which version of the index the event of a body is found. */
export function indexVersionOf(body: string): number {
  return (JSON.parse(body) as ChainedEvent).indexed ?? 1;
}

/** Parts an event into its chained body and the personal side to keep apart from it. */
export function readyEvent({
  event,
  persons,
  erased = [],
  erasedAgents = [],
  cut,
  request: asked,
  indexed,
}: ChainRecord): ReadyEvent {
  const agents = commit(JSON.stringify(event.agent.map(personalOfAgent)));
  const entities = commit(JSON.stringify((event.entity ?? []).map(personalOfEntity)));
  const request = asked === undefined ? undefined : commit(JSON.stringify(asked));
  const body = JSON.stringify({
    ...event,
    agent: event.agent.map(publicOfAgent),
    ...(event.entity === undefined ? {} : { entity: event.entity.map(publicOfEntity) }),
    persons: [...new Set(persons)].join(' '),
    ...(indexed === undefined ? {} : { indexed }),
    ...(erased.length === 0 ? {} : { erased: toRanges(erased) }),
    ...(erasedAgents.length === 0 ? {} : { erasedAgents: toRanges(erasedAgents) }),
    ...(cut === undefined ? {} : { cut }),
    commitments: {
      agents: agents.digest,
      entities: entities.digest,
      ...(request === undefined ? {} : { request: request.digest }),
    },
  } satisfies ChainedEvent);
  return {
    id: event.id,
    body,
    personal: {
      agents: { salt: agents.salt, json: agents.json },
      entities: { salt: entities.salt, json: entities.json },
      ...(request === undefined ? {} : { request: { salt: request.salt, json: request.json } }),
    },
  };
}

/** Appends the body of an event to a chain. */
export function sealBody(previous: TrailHead, body: string): ChainEntry {
  const sequence = previous.sequence + 1;
  return { sequence, hash: hashOf(sequence, previous.hash, body), body };
}

/** Whether the hash of an entry fits the entry and the head before it. */
export function isSealedAfter(previous: TrailHead, { sequence, hash: sealed, body }: ChainEntry): boolean {
  return hashOf(sequence, previous.hash, body) === sealed;
}

/** Whether a personal part that is still there is the one that the body commits to. */
export function fitsCommitment(
  { commitments }: ChainedFacts,
  side: keyof PersonalSide,
  { salt, json }: ErasablePart,
): boolean {
  return digest(salt, json) === commitments?.[side];
}

/** Writes rising numbers as `4-6 9`. */
export function toRanges(numbers: readonly number[]): string {
  const ranges: [from: number, to: number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ');
}

/** Reads what {@link toRanges} writes, as far as it lies below a number; undefined when it is not of this form. */
export function fromRanges(text: string, below: number): readonly number[] | undefined {
  if (!/^[0-9]+(-[0-9]+)?( [0-9]+(-[0-9]+)?)*$/.test(text)) return undefined;
  return text.split(' ').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, Math.min(to + 1, below) - from) }, (_, at) => from + at);
  });
}

/** Writes a cut and its seal, a space between their parts. */
export function cutText({ sequence, hash: last, before }: TrailCut, seal?: ToldCut['seal']): string {
  return [sequence, last, before, ...(seal === undefined ? [] : [seal])].join(' ');
}

/**
 * The cut that an event tells of, as {@link cutText} writes it; undefined when it tells of none that can be: the last
 * record that went is of before the event, and was kept for as long as every event is.
 */
export function cutOf({ cut = '', recorded = '' }: ChainedEvent, own: number): SealedCut | undefined {
  const [, number, last, before, seal] = /^([1-9][0-9]*) ([0-9a-f]{64}) (\S+)(?: (\S+))?$/.exec(cut) ?? [];
  const sequence = Number(number);
  if (last === undefined || before === undefined || sequence >= own) return undefined;
  const isOver = Date.parse(before) <= keptSince(Date.parse(recorded), LEAST_RETENTION_YEARS);
  return isOver ? { sequence, hash: last, before, recorded, seal } : undefined;
}

/** Whether the event of a body tells of a cut. */
export function tellsOfCut(body: string): boolean {
  return (JSON.parse(body) as ChainedEvent).cut !== undefined;
}

/** When the event of a body was recorded, epoch milliseconds; NaN where it does not say. */
export function recordedOf(body: string): number {
  return Date.parse((JSON.parse(body) as ChainedEvent).recorded ?? '');
}

/** How many entries lost a part by the erasures that some bodies tell of, each counted once. */
export function countErased(bodies: readonly string[]): number {
  const ranges = bodies.flatMap((body) => {
    const { erased = '', erasedAgents = '' } = JSON.parse(body) as ChainedEvent;
    return [erased, erasedAgents];
  });
  return new Set(ranges.flatMap((some) => fromRanges(some, Number.MAX_SAFE_INTEGER) ?? [])).size;
}

/** Puts an entry and its personal side together again; erased parts stay away. */
export function restoreEvent(body: string, personal: PersonalSide): AuditEvent {
  const facts = JSON.parse(body) as ChainedEvent;
  const { commitments: _c, persons: _p, indexed: _i, erased: _e, erasedAgents: _a, cut: _t, ...event } = facts;
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
