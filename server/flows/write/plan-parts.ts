/** Building plans: the parts that several stories write, joined into one plan. */
import { randomUUID } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { sortKeyOf } from '../../../profiles/search/sort-key.ts';
import { isReleased, levelOfRow } from '../../../profiles/types/row-rules.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import type { PersonKey } from '../../access/requester.ts';
import { FOREVER, principal, type Principal, type Relation, type Right } from '../../access/right.ts';
import type { Warrant } from '../../access/warrant.ts';
import type { CommitPlan, CommitReceipt, Put } from '../../ports/commit-plan.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';

/** A plan without its id. */
export type PlanParts = Omit<CommitPlan, 'id'>;

/** What a put says beside the resource. */
export type PutFacts = {
  readonly person?: PersonKey;
  readonly subject?: string;
  /** By default what the type and the resource say. */
  readonly released?: boolean;
  readonly parent?: string;
  readonly blob?: BlobRef;
};

/** Builds the put of a resource that has its id. `now` sorts the types that have no date of their own. */
export function putOf(indexer: Indexer, resource: Resource, now: number, facts: PutFacts = {}): Put {
  const type = storedType(resource.resourceType);
  const { released = isReleased(type, resource), ...rest } = facts;
  return {
    type,
    id: resource.id ?? randomUUID(),
    resource,
    index: indexer(resource),
    sort: sortKeyOf(resource, now),
    level: levelOfRow(type, resource),
    released,
    ...rest,
  };
}

/** Joins parts into one plan with a new id. */
export function joinParts(...parts: readonly PlanParts[]): CommitPlan {
  const all = <K extends keyof PlanParts>(key: K): NonNullable<PlanParts[K]>[number][] =>
    parts.flatMap((part) => (part[key] ?? []) as NonNullable<PlanParts[K]>[number][]);
  return {
    id: randomUUID(),
    preconditions: all('preconditions'),
    claims: all('claims'),
    puts: all('puts'),
    deletes: all('deletes'),
    erased: all('erased'),
    instances: all('instances'),
    quarantined: all('quarantined'),
    rights: all('rights'),
    revoked: all('revoked'),
    rekeys: all('rekeys'),
    states: all('states'),
    jobs: all('jobs'),
    audit: all('audit'),
  };
}

/** A plan, the warrant that was given for it, and what its story goes on with. */
export type Planned<T> = { readonly warrant: Warrant; readonly plan: CommitPlan; readonly result: T };

/** A plan is built, and again three times at most when another writer was faster. */
const TRIES = 4;

/** Decides, builds and commits a plan; a conflict decides and builds it again on what stands then, a few times. */
export async function commitFresh<T>(
  records: RecordStore,
  build: () => Promise<Planned<T>>,
): Promise<{ readonly receipt: CommitReceipt; readonly result: T }> {
  for (let attempt = 1; ; attempt += 1) {
    const { warrant, plan, result } = await build();
    try {
      return { receipt: await records.commit(warrant, plan), result };
    } catch (error) {
      const lost = error instanceof Fault && (error.kind === 'conflict' || error.kind === 'version-conflict');
      if (!lost || attempt >= TRIES) throw error;
    }
  }
}

/** A right without end. Its id is made of what it says, so that giving it again changes nothing. */
export function lastingRight(person: PersonKey, holder: Principal, relation: Relation, scope: Right['scope']): Right {
  const where = scope === 'record' ? `record|${person}` : scope.item;
  return { id: `${relation}|${holder}|${where}`, person, principal: holder, relation, scope, from: 0, to: FOREVER };
}

/** The right of the establishment that wrote an item. */
export function authorRight(person: PersonKey, item: string, author: string): Right {
  return lastingRight(person, principal.establishment(author), 'author', { item });
}

/**
 * The rights that come with an exam: its author's to the item, and to the record those of the services that made it.
 */
export function examRights(person: PersonKey, item: string, author: string, services: readonly string[]): Right[] {
  return [
    authorRight(person, item, author),
    ...services.map((service) => lastingRight(person, principal.radiologists(service), 'imaging-service', 'record')),
  ];
}
