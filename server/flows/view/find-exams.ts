/**
 * A requester follows a link of another system to exams: those of them that it may see. It is one passage, whose event
 * says what the link asked for; an exam that is opened then is another one.
 */
import type { ImagingStudy, Patient } from '@medplum/fhirtypes';
import { criteriaOf } from '../../../ihe/rad-106/criteria.ts';
import type { DisplayRequest } from '../../../ihe/rad-106/request.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../guard.ts';
import type { SearchRequest, searchResources } from '../read/search-resources.ts';

/** What the flow needs. */
export type FindExamsDeps = { readonly searchResources: ReturnType<typeof searchResources> };

/** The exams without their series, the latest first; `isCut` when there are more than a page shows. */
export type FoundExams = { readonly exams: readonly FoundExam[]; readonly isCut: boolean };

/** An exam, and whose it is. */
export type FoundExam = { readonly study: ImagingStudy; readonly patient: Patient | undefined };

/** Most exams that a page shows. */
export const MOST_EXAMS = 100;

/** How many exams a reader is offered who names none. */
const LATEST = 20;

/**
 * Finds them; `text` is the request for the audit trail.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such exam, or none that the requester may see
 */
export function findExams(deps: FindExamsDeps) {
  return async (visit: Visit, request: DisplayRequest, text: string): Promise<FoundExams> => {
    const most = request.kind === 'PATIENT' ? request.mostRecent : undefined;
    const count = Math.min(most ?? MOST_EXAMS, MOST_EXAMS);
    const { exams, isCut } = await matching(deps, visit, {
      where: criteriaOf(request),
      count,
      text,
      passage: 'invoke-display',
    });
    if (exams.length === 0) throw new Fault('not-found', 'No such study');
    return { exams, isCut: isCut && (most === undefined || most > MOST_EXAMS) };
  };
}

/**
 * Finds the latest exams that a requester may see: none is an answer, too.
 * @throws {Fault} forbidden - the scopes do not allow it
 */
export function findLatestExams(deps: FindExamsDeps) {
  return async (visit: Visit): Promise<FoundExams> =>
    await matching(deps, visit, { where: [], count: LATEST, text: `ImagingStudy?_count=${LATEST}`, passage: 'search' });
}

type Matching = Pick<SearchQuery, 'where' | 'count'> & Pick<SearchRequest, 'text' | 'passage'>;

async function matching(
  { searchResources: search }: FindExamsDeps,
  visit: Visit,
  { text, passage, ...asked }: Matching,
): Promise<FoundExams> {
  const include = [{ param: 'patient' }];
  const query = { type: 'ImagingStudy', ...asked, total: 'none', include, withoutTail: 'series' } as const;
  const { rows, included, cursor } = await search(visit, { query, text, passage });
  const patients = new Map(
    included
      .filter(({ type }) => type === 'Patient')
      .map(({ id, json }) => [`Patient/${id}`, JSON.parse(json) as Patient]),
  );
  const exams = rows.map(({ json }) => {
    const study = JSON.parse(json) as ImagingStudy;
    return { study, patient: patients.get(study.subject.reference ?? '') };
  });
  return { exams, isCut: cursor !== undefined };
}
