/** A requester opens instances of a study: WADO-RS and RAD-69. Parts are read page by page under what holds then. */
import type { Readable } from 'node:stream';
import { studyEntity, type PassageKind } from '../../profiles/audit-event.ts';
import { Fault } from '../../profiles/fault.ts';
import type { InstanceRow } from '../ports/commit-plan.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { Audited, FoundInstance, Passage, Question, StudyInstances } from '../ports/record-store.ts';
import { foundNothing, further, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from './guard.ts';
import { requireScope } from './require-scope.ts';
import { Viewings, type ViewedPart } from './viewings.ts';

/** Which instances; without series or instances the whole study. */
export type InstancesRequest = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUIDs?: readonly string[];
  readonly passage: PassageKind;
  /** Leaves `metadata` of the rows empty: for doors that send the bytes only. */
  readonly omitMetadata?: true;
  /** The same, and gives them as `metadataBytes`: for doors that send them as they are. */
  readonly metadataAsBytes?: true;
  /** One of many requests of a viewer for such parts, which share an event. */
  readonly viewing?: ViewedPart;
  /** What the event tells beside the counts. */
  readonly detail?: Readonly<Record<string, string>>;
};

/** What the flow needs. */
export type RetrieveInstancesDeps = GuardDeps & { readonly images: ImageStore };

/** Instances read at a time: a withdrawal stops a running answer at the next page. */
const PAGE = 100;

/** Instances that a requester may open. They may be read again, under what holds then. */
export type GrantedInstances = AsyncIterable<FoundInstance> & {
  /**
   * Decides again what was decided more than half a second ago: a slow reader must not outrun a withdrawal.
   * @throws {Fault} not-found - the requester may not see the study any more
   */
  readonly decideAgain: () => Promise<void>;
};

/**
 * Finds the instances that a requester may open, as an asynchronous sequence whose first page is audited already.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such study or instance, or none that the requester may see
 */
export function retrieveInstances(deps: GuardDeps, viewings = new Viewings(deps)) {
  return async (visit: Visit, request: InstancesRequest): Promise<GrantedInstances> =>
    await refusalsRecorded(deps, visit, request.passage, async () => {
      requireScope(visit.requester, 'ImagingStudy', 'r');
      const { passage, detail, viewing, ...which } = request;
      const question = { kind: 'instances', ...which, offset: 0, limit: PAGE } as const;
      const begin = async (): Promise<Audited<StudyInstances>> =>
        await guarded(deps, visit, passage, question, ({ study, instances }) => {
          if (study === undefined || instances.length === 0) return NOTHING;
          const told = { ...detailOf(which, instances.length), ...detail };
          return { rows: [study], entities: [studyEntity(which.studyInstanceUID, `ImagingStudy/${study.id}`, told)] };
        });
      const first = viewing === undefined ? await begin() : await viewings.see(visit, viewing, question, begin);
      const { instances } = first.answer;
      if (instances.length === 0) throw foundNothing('No such study, series or instance');
      return readable(deps, first.passage, question, instances);
    });
}

/** Opens the whole file of an instance, or from its data set on. */
export async function openInstance(images: ImageStore, row: InstanceRow, from: 'file' | 'data-set' = 'file'): Promise<Readable> {
  return await images.open(row.blob.name, from === 'file' ? 0 : row.dataSetOffset);
}

type InstancesQuestion = Extract<Question, { kind: 'instances' }>;

/** What was decided longer ago than this is decided again. */
const STALE_MS = 500;

/** The instances, to be read once or again: only the first reading has its first page from before. */
function readable(deps: GuardDeps, passage: Passage, question: InstancesQuestion, first: readonly FoundInstance[]): GrantedInstances {
  let fresh: readonly FoundInstance[] | undefined = first;
  let decided = deps.clock.now();
  const pageAt = async (offset: number, limit = PAGE): Promise<readonly FoundInstance[]> => {
    const asked = deps.clock.now();
    const page = await nextPage(deps, passage, { ...question, offset, limit });
    decided = asked;
    return page;
  };
  const decideAgain = async (): Promise<void> => {
    if (deps.clock.now() - decided > STALE_MS) await pageAt(0, 1);
  };
  async function* pages(): AsyncGenerator<FoundInstance> {
    let page = fresh ?? (await pageAt(0));
    fresh = undefined;
    for (let offset = PAGE; ; offset += PAGE) {
      for (const instance of page) {
        await decideAgain();
        yield instance;
      }
      if (page.length < PAGE) return;
      page = await pageAt(offset);
    }
  }
  return { [Symbol.asyncIterator]: pages, decideAgain };
}

async function nextPage(deps: GuardDeps, passage: Passage, question: InstancesQuestion): Promise<readonly FoundInstance[]> {
  const { study, instances } = await further(deps, passage, question);
  if (study === undefined) throw new Fault('not-found', 'The study is not there any more');
  return instances;
}

function detailOf(which: { seriesInstanceUID?: string; sopInstanceUIDs?: readonly string[] }, count: number): Record<string, string> {
  return {
    ...(which.seriesInstanceUID === undefined ? {} : { series: which.seriesInstanceUID }),
    ...(which.sopInstanceUIDs?.length === 1 ? { instance: which.sopInstanceUIDs[0] ?? '' } : {}),
    ...(count < PAGE ? { instances: String(count) } : {}),
  };
}
