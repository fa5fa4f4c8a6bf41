/** A requester searches the series and instances of a study: QIDO-RS below the level of studies. */
import { studyEntity } from '../../../profiles/audit/entities.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Passage, Question, ShownInstance, StudyInstances } from '../../ports/record-store.ts';
import { further, guarded, readOn, refusalsRecorded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import { requireScope } from '../../access/scope.ts';
import { rowsOfEach } from '../retrieve/study-pages.ts';

/** Whose instances; `text` is the query for the audit trail. */
export type SearchWithinStudy = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly text: string;
};

/** The instances that may be seen, `metadata` empty, in canonical order; none when there is no such study. */
export type FoundWithinStudy = {
  readonly rows: readonly ShownInstance[];
  /** Reads the metadata of some of them, by SOP Instance UID. */
  readonly metadataOf: (rows: readonly ShownInstance[]) => Promise<ReadonlyMap<string, DicomJson>>;
};

const PAGE = 1_000;
const METADATA_PAGE = 100;
/** Largest study that is searched. */
const MAX_INSTANCES = 100_000;

type InstancesQuestion = Extract<Question, { kind: 'instances' }>;

/**
 * Finds them, and makes an answer of them; undefined where the study is hidden before it is made. What is hidden is as
 * what does not exist: an empty answer.
 * @throws {Fault} forbidden - the scopes do not allow it
 */
export function searchWithinStudy(deps: GuardDeps) {
  return async <T>(
    visit: Visit,
    { text, ...which }: SearchWithinStudy,
    make: (found: FoundWithinStudy) => Promise<T>,
  ): Promise<T | undefined> =>
    await refusalsRecorded(deps, visit, 'qido', async () => {
      requireScope(visit.requester, 'ImagingStudy', 's');
      const question = { kind: 'instances', ...which, omitMetadata: true, offset: 0, limit: PAGE } as const;
      const asked = { role: '24', query: text };
      const tell = ({ study, instances }: StudyInstances): Account => {
        if (study === undefined) return { rows: [], entities: [asked] };
        const entities = [asked, studyEntity(which.studyInstanceUID, `ImagingStudy/${study.id}`)];
        const rows = rowsOfEach(
          study,
          instances.map(({ subject }) => subject),
        );
        return { rows: rows.length === 0 ? [study] : rows, entities };
      };
      const recorded = await guarded(deps, visit, 'qido', question, tell);
      const { answer, passage } = recorded;
      const pageOf = async (page: InstancesQuestion): Promise<readonly ShownInstance[]> =>
        stillThere(await readOn(deps, { visit, kind: 'qido', recorded }, page, tell));
      return await unlessHidden(async () => {
        const rows = await restOf(pageOf, question, answer.instances);
        const readMetadata: FoundWithinStudy['metadataOf'] = async (some) =>
          await metadataOf(deps, passage, which.studyInstanceUID, some);
        return await make({ rows, metadataOf: readMetadata });
      });
    });
}

async function unlessHidden<T>(make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof Fault && error.kind === 'not-found') return undefined;
    throw error;
  }
}

async function restOf(
  pageOf: (question: InstancesQuestion) => Promise<readonly ShownInstance[]>,
  question: InstancesQuestion,
  first: readonly ShownInstance[],
): Promise<readonly ShownInstance[]> {
  const rows = [...first];
  for (let page = first; page.length === PAGE;) {
    if (rows.length > MAX_INSTANCES)
      throw new Fault('too-costly', `Studies of more than ${MAX_INSTANCES} instances are not searched`);
    page = await pageOf({ ...question, offset: rows.length });
    rows.push(...page);
  }
  return rows;
}

async function metadataOf(
  deps: GuardDeps,
  passage: Passage,
  studyInstanceUID: string,
  rows: readonly ShownInstance[],
): Promise<ReadonlyMap<string, DicomJson>> {
  const found = new Map<string, DicomJson>();
  for (let at = 0; at < rows.length; at += METADATA_PAGE) {
    const sopInstanceUIDs = rows.slice(at, at + METADATA_PAGE).map((row) => row.sopInstanceUID);
    const page = { kind: 'instances', studyInstanceUID, sopInstanceUIDs, offset: 0, limit: METADATA_PAGE } as const;
    const instances = stillThere(await further(deps, passage, page));
    for (const { sopInstanceUID, metadata } of instances) found.set(sopInstanceUID, JSON.parse(metadata) as DicomJson);
  }
  return found;
}

/** A further page. What is withdrawn meanwhile is not there, and a part of it must not pass for all. */
function stillThere({ study, instances }: StudyInstances): readonly ShownInstance[] {
  if (study === undefined) throw new Fault('not-found', 'The study is not there any more');
  return instances;
}
