/** What a requester may open of one study, read page by page under what holds then, and what its event tells. */
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ShownStudy, StudyInstances, StudyMetadata } from '../../ports/record-store.ts';
import { STALE_MS } from '../decided-stream.ts';
import { NOTHING, type Account, type ShownRow } from '../guard.ts';

/** Which instances; without series or instances the whole study. */
export type WhichInstances = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUIDs?: readonly string[];
};

/** Instances read at a time: a withdrawal stops a running answer at the next page. */
export const PAGE = 100;

/** Pages that were granted. They may be read again, under what holds then. */
export type StudyPages<Entry> = {
  readonly pages: () => AsyncIterable<readonly Entry[]>;
  /**
   * Decides again what was decided more than half a second ago: a slow reader must not outrun a withdrawal.
   * @throws {Fault} not-found - the requester may not see the study any more
   */
  readonly decideAgain: () => Promise<void>;
};

/** Reads a page; undefined when the study is not visible any more. */
export type ReadPage<Entry> = (page: {
  readonly offset: number;
  readonly limit: number;
}) => Promise<readonly Entry[] | undefined>;

/** The pages, to be read once or again: only the first reading has its first page from before. */
export function studyPages<Entry>(clock: Clock, first: readonly Entry[], read: ReadPage<Entry>): StudyPages<Entry> {
  let fresh: readonly Entry[] | undefined = first;
  let decided = clock.now();
  const pageAt = async (offset: number, limit = PAGE): Promise<readonly Entry[]> => {
    const asked = clock.now();
    const page = await read({ offset, limit });
    if (page === undefined) throw new Fault('not-found', 'The study is not there any more');
    decided = asked;
    return page;
  };
  async function* pages(): AsyncGenerator<readonly Entry[]> {
    let page = fresh ?? (await pageAt(0));
    fresh = undefined;
    for (let offset = PAGE; ; offset += PAGE) {
      yield page;
      if (page.length < PAGE) return;
      page = await pageAt(offset);
    }
  }
  return {
    pages,
    decideAgain: async () => {
      if (clock.now() - decided > STALE_MS) await pageAt(0, 1);
    },
  };
}

/** Entries of a study, by the identities that they are filed under. */
export type FoundEntries = {
  readonly study: ShownStudy | undefined;
  /** `Patient/id` of each entry, or each once. */
  readonly identities: readonly string[];
  readonly count: number;
};

/** What instances of a study are filed under. */
export function foundInstances({ study, instances }: StudyInstances): FoundEntries {
  return { study, identities: instances.map(({ subject }) => subject), count: instances.length };
}

/** The same of their metadata. */
export function foundMetadata({ study, metadata, identities = [] }: StudyMetadata): FoundEntries {
  return { study, identities, count: metadata.length };
}

/** The account of a page; `detail` is told beside the counts. Each identity hears of what is filed under it. */
export function accountOf(
  which: WhichInstances,
  { study, identities, count }: FoundEntries,
  detail: Readonly<Record<string, string>> = {},
): Account {
  if (study === undefined || count === 0) return NOTHING;
  const told = { ...detailOf(which, count), ...detail };
  const entities = [studyEntity(which.studyInstanceUID, `ImagingStudy/${study.id}`, told)];
  return { rows: rowsOfEach(study, identities), entities };
}

/** The row of a study, once for each of some identities. Of instances of earlier servers it is not known. */
export function rowsOfEach(study: ShownStudy, identities: readonly string[]): readonly ShownRow[] {
  return [...new Set(identities)].map((identity) => (identity === '' ? study : { ...study, identity }));
}

function detailOf({ seriesInstanceUID, sopInstanceUIDs }: WhichInstances, count: number): Record<string, string> {
  return {
    ...(seriesInstanceUID === undefined ? {} : { series: seriesInstanceUID }),
    ...(sopInstanceUIDs?.length === 1 ? { instance: sopInstanceUIDs[0] ?? '' } : {}),
    ...(count < PAGE ? { instances: String(count) } : {}),
  };
}
