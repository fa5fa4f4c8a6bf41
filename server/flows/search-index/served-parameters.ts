/**
 * Which search parameters are served: those by which every row of their type is found. A row that another release
 * indexed is found by the parameters that both define alike; it is indexed anew by a job, and what it lacked is served
 * from then on. Of servers on one store the one that was started last says how rows are to be indexed.
 */
import { inErrorKey, versionsOf, type IndexDefinition } from '../../../profiles/search/index-definition.ts';
import type { IndexDefinitions } from '../../../profiles/search/indexer.ts';
import { STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { CurrentVersions, SearchIndex } from '../../ports/search-index.ts';
import { jobOf } from '../jobs/job-of.ts';
import { joinParts } from '../write/plan-parts.ts';
import { readDefinitions, type KnownDefinitions } from './known-definitions.ts';

/** What is needed to know it. */
export type ServedParametersDeps = {
  readonly index: SearchIndex;
  readonly records: RecordStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly definitions: IndexDefinitions;
};

/** A type with rows that are not indexed anew yet: how many, and which parameters are not served until they are. */
export type ReindexProgress = {
  readonly type: StoredType;
  readonly left: number;
  readonly withheld: readonly string[];
};

/** One job stands for each type. */
const MOST_JOBS = STORED_TYPES.length;

/** What is served, as it was when somebody looked last. */
export class ServedParameters {
  readonly #deps: ServedParametersDeps;
  readonly #current: CurrentVersions;
  #withheld: ReadonlyMap<StoredType, ReadonlySet<string>> = new Map();

  constructor(deps: ServedParametersDeps) {
    this.#deps = deps;
    this.#current = new Map([...deps.definitions].map(([type, definition]) => [type, versionsOf(definition)]));
  }

  /** Says how this server indexes, and asks for what is to be done until all rows are indexed so. */
  async begin(): Promise<void> {
    await this.#deps.index.want([...this.#deps.definitions.values()]);
    const stale = await this.#look();
    await this.#ask(stale.map(([{ type }]) => type));
  }

  /** Looks at the rows; asks for what nobody has asked for, as another release goes on writing until it is stopped. */
  async look(): Promise<void> {
    const stale = await this.#look();
    if (stale.length === 0) return;
    const { queue, clock } = this.#deps;
    const jobs = await queue.list({ kind: 'reindex', limit: MOST_JOBS }, clock.now());
    const asked = new Set(jobs.map(({ subject }) => subject));
    await this.#ask(stale.flatMap(([{ type }, isWanted]) => (isWanted && !asked.has(type) ? [type] : [])));
  }

  /** Whether a parameter finds every row of its type. */
  isServed(type: StoredType, code: string): boolean {
    return this.#withheld.get(type)?.has(code) !== true;
  }

  /** What is left to do, by type. */
  async report(): Promise<readonly ReindexProgress[]> {
    return await Promise.all(
      [...this.#withheld].map(async ([type, withheld]) => ({
        type,
        left: await this.#deps.index.countStale(type, this.#current.get(type) ?? []),
        withheld: [...withheld],
      })),
    );
  }

  /** The own definitions of types with rows under others, and whether they are wanted. */
  async #look(): Promise<readonly (readonly [IndexDefinition, boolean])[]> {
    const { index, definitions } = this.#deps;
    const stale = await index.staleVersions(this.#current);
    const known = stale.size === 0 ? undefined : await readDefinitions(index);
    const types = [...definitions.values()].filter(({ type }) => stale.has(type));
    this.#withheld = new Map(
      types.map((own) => [own.type, withheldOf(own, stale.get(own.type) ?? [], known)] as const),
    );
    return types.map((own) => [own, known?.isWanted(own) === true] as const);
  }

  async #ask(types: readonly StoredType[]): Promise<void> {
    const { records, clock } = this.#deps;
    const at = clock.now();
    if (types.length === 0) return;
    const jobs = types.map((type) => jobOf('reindex', type, at));
    await records.commit(systemWarrant('ask-for-work', 'reindex'), joinParts({ jobs }));
  }
}

/**
 * The parameters of a definition that rows under other versions do not have, or have by another meaning; or by which
 * they are found though they were an error.
 */
function withheldOf(own: IndexDefinition, versions: readonly number[], known?: KnownDefinitions): ReadonlySet<string> {
  const others = versions.map((version) => known?.find(own.type, version)?.parameters ?? {});
  const isOther = (key: string): boolean => others.some((other) => other[key] !== own.parameters[key]);
  const codes = Object.keys(own.parameters).filter((key) => !key.includes(':'));
  return new Set(codes.filter((code) => isOther(code) || isOther(inErrorKey(code))));
}
