/** Building plans: the parts that several stories write, joined into one plan. */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { isInState } from '../../../profiles/said-label.ts';
import type { NamedTeam } from '../../../profiles/consent/giving/named-team.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { sortKeyOf } from '../../../profiles/search/sort-key.ts';
import { isReleased, labelOfRow } from '../../../profiles/types/row-rules.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import { NO_ORIGIN, type Origin } from '../../access/rights-of.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Warrant } from '../../access/warrant.ts';
import type { CommitPlan, CommitReceipt, Put } from '../../ports/commit-plan.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { newId } from '../new-id.ts';

/** A plan without its id. */
export type PlanParts = Omit<CommitPlan, 'id'>;

/** What a put says beside the resource. */
export type PutFacts = {
  readonly person?: PersonKey;
  readonly subject?: string;
  /** By default what the type and the resource say. */
  readonly released?: boolean;
  /** By default that of the row that stands. */
  readonly origin?: Origin;
  /** By default those of the origin. */
  readonly ownServices?: readonly string[];
  /** By default that of the origin. */
  readonly team?: NamedTeam;
  readonly parent?: string;
  readonly blob?: BlobRef;
};

/** Builds the put of a resource that has its id. `now` sorts the types that have no date of their own. */
export function putOf(indexer: Indexer, resource: Resource, now: number, facts: PutFacts = {}): Put {
  const type = storedType(resource.resourceType);
  const { released = isReleased(type, resource), ...rest } = facts;
  return {
    type,
    id: resource.id ?? newId(),
    resource,
    index: indexer(resource),
    sort: sortKeyOf(resource, now),
    ...labelOfRow(type, resource),
    released,
    ...rest,
  };
}

/** The put of a row that nobody is to see until it is put otherwise, whatever its label says. */
export function hiddenPut(
  indexer: Indexer,
  resource: Resource,
  now: number,
  facts: Pick<PutFacts, 'person' | 'subject'>,
): Put {
  return { ...putOf(indexer, resource, now, { ...facts, released: false, origin: NO_ORIGIN }), level: 'V' };
}

/** Joins parts into one plan with a new id. */
export function joinParts(...parts: readonly PlanParts[]): CommitPlan {
  const all = <K extends keyof PlanParts>(key: K): NonNullable<PlanParts[K]>[number][] =>
    parts.flatMap((part) => (part[key] ?? []) as NonNullable<PlanParts[K]>[number][]);
  return {
    id: newId(),
    preconditions: all('preconditions'),
    claims: all('claims'),
    puts: all('puts'),
    deletes: all('deletes'),
    erased: all('erased'),
    instances: all('instances'),
    quarantined: all('quarantined'),
    moves: all('moves'),
    studies: all('studies'),
    states: all('states'),
    jobs: all('jobs'),
    audit: all('audit'),
  };
}

/** Joins the parts of one act. */
export function oneOf(parts: readonly PlanParts[]): PlanParts {
  const { id: _, ...rest } = joinParts(...parts);
  return rest;
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

/** The origin of what establishments filed (`Organization/id`): no exam or report, or one that no service reads. */
export function filedBy(...sources: readonly string[]): Origin {
  return { sources, services: [] };
}

/** The origin of an exam or a report: the imaging services of who filed it read the record. */
export function examFiledBy(region: Pick<RegionIndex, 'servicesOf'>, ...sources: readonly string[]): Origin {
  return { sources, services: [...new Set(sources.flatMap((source) => region.servicesOf(source)))] };
}

/** The origin of what shows an exam or a report (`item`): while that is not shared, its services see this, too. */
export function shownOf(
  region: Pick<RegionIndex, 'servicesOf'>,
  item: Resource,
  ...sources: readonly string[]
): Origin {
  const { services } = examFiledBy(region, ...sources);
  if (services.length === 0 || !isInState(item, 'unshared')) return filedBy(...sources);
  return { ...filedBy(...sources), ownServices: services };
}
