/**
 * A requester opens a study in a viewer: what there is to look at, its report and manifest, and the person's other
 * exams that the requester may see. It is one passage: one event says who opened which exam.
 */
import type { DocumentReference, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { studyIdentifier, studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { StudyOutline, type SeriesOutline } from '../../../profiles/imaging/study-outline.ts';
import { parseCriterion } from '../../../profiles/search/parse-criterion.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { Fault } from '../../../profiles/fault.ts';
import { requireScope } from '../../access/scope.ts';
import type { Passage, StudyMetadata } from '../../ports/record-store.ts';
import { foundNothing, further, guarded, NOTHING, readOn, refusalsRecorded } from '../guard.ts';
import type { Account, GuardDeps, Reading, Visit } from '../guard.ts';
import { ID } from '../read/read-resource.ts';
import { accountOf, foundMetadata, PAGE } from '../retrieve/study-pages.ts';
import { readOutline } from './read-outline.ts';

/** What a viewer shows of a study. */
export type OpenedStudy = {
  readonly studyInstanceUID: string;
  readonly study: ImagingStudy;
  readonly patient: Patient | undefined;
  readonly series: readonly SeriesOutline[];
  /** The forms of its reports, the latest first. */
  readonly reports: readonly DocumentReference[];
  /** Other exams of the person, the latest first. */
  readonly others: readonly ImagingStudy[];
};

/** Instances that a viewer lists; what a study holds beyond is not looked at there. */
const MOST_INSTANCES = 20_000;
const MOST_REPORTS = 20;
const MOST_OTHERS = 50;
const ABSENT = 'No such study';

/** A study by its Study Instance UID, or by the id of its ImagingStudy. */
export type StudyName = { readonly studyInstanceUID: string } | { readonly id: string };

/**
 * Opens a study.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such study, or none that the requester may see
 */
export function openStudy(deps: GuardDeps) {
  return async (visit: Visit, name: StudyName): Promise<OpenedStudy> =>
    await refusalsRecorded(deps, visit, 'view-study', async () => {
      requireScope(visit.requester, 'ImagingStudy', 'r');
      requireScope(visit.requester, 'DocumentReference', 'r');
      requireScope(visit.requester, 'Patient', 'r');
      const opening =
        'id' in name ? await openById(deps, visit, name.id) : await openByUID(deps, visit, name.studyInstanceUID);
      const { study, studyInstanceUID, recorded } = opening;
      const [type, patientId = ''] = (study.subject.reference ?? '').split('/');
      const isPatient = type === 'Patient';
      const patient = isPatient ? await oneOf<Patient>(deps, recorded.passage, 'Patient', patientId) : undefined;
      return {
        studyInstanceUID,
        study,
        patient,
        series: await seriesOf(deps, opening),
        reports: await reportsOf(deps, opening),
        others: await othersOf(deps, opening),
      };
    });
}

/** A study at hand, and the first page of the metadata of its instances. */
type Opening = Reading & {
  readonly study: ImagingStudy;
  readonly studyInstanceUID: string;
  readonly first: readonly Uint8Array[];
};

async function openByUID(deps: GuardDeps, visit: Visit, studyInstanceUID: string): Promise<Opening> {
  const question = { kind: 'metadata', studyInstanceUID, offset: 0, limit: PAGE } as const;
  const tell = tellOf({ studyInstanceUID });
  const recorded = await guarded(deps, visit, 'view-study', question, tell);
  const { answer, passage } = recorded;
  if (answer.study === undefined || answer.metadata.length === 0) throw foundNothing(ABSENT);
  const study = await oneOf<ImagingStudy>(deps, passage, 'ImagingStudy', answer.study.id);
  if (study === undefined) throw new Fault('not-found', ABSENT);
  return { visit, kind: 'view-study', recorded, study, studyInstanceUID, first: answer.metadata };
}

async function openById(deps: GuardDeps, visit: Visit, id: string): Promise<Opening> {
  if (!ID.test(id)) throw new Fault('not-found', ABSENT);
  const question = { kind: 'resource', type: 'ImagingStudy', id } as const;
  const recorded = await guarded(deps, visit, 'view-study', question, (row) => {
    if (row === undefined) return NOTHING;
    const studyInstanceUID = studyInstanceUIDIn(JSON.parse(row.json) as ImagingStudy);
    return { rows: [row], entities: [studyEntity(studyInstanceUID, `ImagingStudy/${id}`, {})] };
  });
  if (recorded.answer === undefined) throw foundNothing(ABSENT);
  const study = JSON.parse(recorded.answer.json) as ImagingStudy;
  const opened = { visit, kind: 'view-study', recorded, study, studyInstanceUID: studyInstanceUIDIn(study) } as const;
  return { ...opened, first: await pageOf(deps, opened, 0) };
}

type Opened = Omit<Opening, 'first'>;

async function pageOf(deps: GuardDeps, opened: Opened, offset: number): Promise<readonly Uint8Array[]> {
  const question = { kind: 'metadata', studyInstanceUID: opened.studyInstanceUID, offset, limit: PAGE } as const;
  return (await readOn(deps, opened, question, tellOf(opened))).metadata;
}

function tellOf({ studyInstanceUID }: Pick<Opened, 'studyInstanceUID'>) {
  return (answer: StudyMetadata): Account => accountOf({ studyInstanceUID }, foundMetadata(answer));
}

async function oneOf<T>(deps: GuardDeps, passage: Passage, type: StoredType, id: string): Promise<T | undefined> {
  const row = await further(deps, passage, { kind: 'resource', type, id });
  return row === undefined || row.isDeletion === true ? undefined : (JSON.parse(row.json) as T);
}

async function seriesOf(deps: GuardDeps, opening: Opening): Promise<readonly SeriesOutline[]> {
  const outline = new StudyOutline();
  let page = opening.first;
  for (let offset = PAGE; ; offset += PAGE) {
    await readOutline(outline, page);
    if (page.length < PAGE || offset >= MOST_INSTANCES) return outline.series;
    page = await pageOf(deps, opening, offset);
  }
}

async function reportsOf(deps: GuardDeps, opening: Opening): Promise<readonly DocumentReference[]> {
  const { system, value } = studyIdentifier(opening.studyInstanceUID);
  const named = [`${system}|${value}`, MOST_REPORTS] as const;
  const found = await matching(deps, opening, 'DocumentReference', 'related:identifier', ...named);
  return (found as readonly DocumentReference[]).filter(({ status }) => status === 'current');
}

/** Of the same person. A number is not asked for: two persons may bear it. */
async function othersOf(deps: GuardDeps, opening: Opening): Promise<readonly ImagingStudy[]> {
  const { id, subject } = opening.study;
  if (subject.reference === undefined) return [];
  const found = await matching(deps, opening, 'ImagingStudy', 'patient', subject.reference, MOST_OTHERS + 1);
  return (found as readonly ImagingStudy[]).filter((other) => other.id !== id).slice(0, MOST_OTHERS);
}

async function matching(
  deps: GuardDeps,
  opening: Opening,
  type: StoredType,
  parameter: string,
  value: string,
  count: number,
): Promise<readonly unknown[]> {
  const criterion = parseCriterion(type, parameter, value);
  if (criterion === undefined) return [];
  const query: SearchQuery = { type, where: [criterion], count, total: 'none', include: [] };
  const { rows } = await further(deps, opening.recorded.passage, { kind: 'search', query });
  return rows.map(({ json }) => JSON.parse(json) as unknown);
}
