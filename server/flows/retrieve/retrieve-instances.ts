/** A requester opens instances of a study: WADO-RS and RAD-69. Parts are read page by page under what holds then. */
import type { Readable } from 'node:stream';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { ShownInstance, StudyInstances } from '../../ports/record-store.ts';
import {
  foundNothing,
  guarded,
  readOn,
  refusalsRecorded,
  type Account,
  type GuardDeps,
  type Recorded,
  type Visit,
} from '../guard.ts';
import { requireScope } from '../../access/scope.ts';
import { decidedStream } from '../decided-stream.ts';
import { accountOf, foundInstances, PAGE, studyPages, type StudyPages, type WhichInstances } from './study-pages.ts';
import { Viewings, type ViewedPart } from './viewings.ts';

/** Which instances, and for what. */
export type InstancesRequest = WhichInstances & {
  readonly passage: PassageKind;
  /** Leaves `metadata` of the rows empty: for doors that send the bytes only. */
  readonly omitMetadata?: true;
  /** One of many requests of a viewer for such parts, which share an event. */
  readonly viewing?: ViewedPart;
  /** What the event tells beside the counts. */
  readonly detail?: Readonly<Record<string, string>>;
};

/** What the flow needs. */
export type RetrieveInstancesDeps = GuardDeps & { readonly images: ImageStore };

/**
 * Instances that a requester may open, each decided when its turn comes. They may be read again, under what holds then.
 */
export type GrantedInstances = AsyncIterable<ShownInstance> & Pick<StudyPages<ShownInstance>, 'decideAgain'>;

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
      const tell = (answer: StudyInstances): Account => accountOf(which, foundInstances(answer), detail);
      const begin = async (): Promise<Recorded<StudyInstances>> => await guarded(deps, visit, passage, question, tell);
      const recorded =
        viewing === undefined ? await begin() : await viewings.see(visit, viewing, { question, tell, begin });
      const { instances: first } = recorded.answer;
      if (first.length === 0) throw foundNothing('No such study, series or instance');
      const reading = { visit, kind: passage, recorded };
      return oneByOne(
        studyPages(deps.clock, first, async (page) => {
          const { study, instances } = await readOn(deps, reading, { ...question, ...page }, tell);
          return study && instances;
        }),
      );
    });
}

/** Opens the whole file of an instance that was granted; its bytes are decided anew as they are read. */
export async function openInstance(
  images: ImageStore,
  { decideAgain }: Pick<GrantedInstances, 'decideAgain'>,
  { blob }: ShownInstance,
): Promise<Readable> {
  return decidedStream(await images.open(blob.name), decideAgain);
}

function oneByOne({ pages, decideAgain }: StudyPages<ShownInstance>): GrantedInstances {
  async function* each(): AsyncGenerator<ShownInstance> {
    for await (const page of pages()) {
      for (const instance of page) {
        await decideAgain();
        yield instance;
      }
    }
  }
  return { [Symbol.asyncIterator]: each, decideAgain };
}
