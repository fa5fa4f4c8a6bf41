/**
 * A requester follows a link of another system to exams: those of them that it may see. It is one passage, whose event
 * says what the link asked for; an exam that is opened then is another one.
 */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { criteriaOf } from '../../../ihe/rad-106/criteria.ts';
import type { DisplayRequest } from '../../../ihe/rad-106/request.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../guard.ts';
import type { searchResources } from '../read/search-resources.ts';

/** What the flow needs. */
export type FindExamsDeps = { readonly searchResources: ReturnType<typeof searchResources> };

/** The exams, 1..*, without their series, the latest first; `isCut` when there are more than a page shows. */
export type FoundExams = { readonly studies: readonly ImagingStudy[]; readonly isCut: boolean };

/** Most exams that a page shows. */
export const MOST_EXAMS = 100;

/**
 * Finds them; `text` is the request for the audit trail.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such exam, or none that the requester may see
 */
export function findExams({ searchResources: search }: FindExamsDeps) {
  return async (visit: Visit, request: DisplayRequest, text: string): Promise<FoundExams> => {
    const most = request.kind === 'PATIENT' ? request.mostRecent : undefined;
    const { rows, cursor } = await search(visit, {
      query: {
        type: 'ImagingStudy',
        where: criteriaOf(request),
        count: Math.min(most ?? MOST_EXAMS, MOST_EXAMS),
        total: 'none',
        include: [],
        withoutTail: 'series',
      },
      text,
      passage: 'invoke-display',
    });
    if (rows.length === 0) throw new Fault('not-found', 'No such study');
    const isCut = cursor !== undefined && (most === undefined || most > MOST_EXAMS);
    return { studies: rows.map(({ json }) => JSON.parse(json) as ImagingStudy), isCut };
  };
}
