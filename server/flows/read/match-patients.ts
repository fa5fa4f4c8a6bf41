/**
 * A requester asks who is like a Patient: ITI-119. Compared are those whom it may see, as they are shown to it, so that
 * it learns no more than by a search.
 * @see IHE PDQm 3.2, 2:3.119
 */
import type { Patient } from '@medplum/fhirtypes';
import { matchCriteria } from '../../../ihe/iti-119/criteria.ts';
import { gradeOf } from '../../../ihe/iti-119/grade.ts';
import type { MatchRequest } from '../../../ihe/iti-119/request.ts';
import type { MatchedPatient } from '../../../ihe/iti-119/response.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { requireReader } from '../../access/may-attempt.ts';
import type { SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { guarded, refusalsRecorded, type Account, type GuardDeps, type Visit } from '../guard.ts';

/** Most Patients that one search compares. */
const MOST_COMPARED = 200;
/** Most Patients of an answer, and how many it has when the requester does not say. */
const COUNT = { most: 100, usual: 20 } as const;

/** A graded row. */
type Match = MatchedPatient & Pick<VisibleRow, 'person'>;

/**
 * Finds the Patients that match, the likeliest first.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} required - too little is known of the Patient
 * @throws {Fault} too-costly - too many share the little that is known
 */
export function matchPatients(deps: GuardDeps) {
  return async (visit: Visit, request: MatchRequest): Promise<readonly MatchedPatient[]> =>
    await refusalsRecorded(deps, visit, 'iti-119', async () => {
      requireReader(visit.requester);
      const found = new Map<string, Match>();
      for (const where of matchCriteria(request.sought)) {
        for (const match of await matching(deps, visit, request, where))
          if (!found.has(match.id)) found.set(match.id, match);
        // Whoever bears the number is she: nobody is looked for who is only like her.
        if ([...found.values()].some(({ grade }) => grade === 'certain')) break;
      }
      return answerOf(request, [...found.values()]);
    });
}

/** One search. What does not match is not shown, and no event of its patient tells of it. */
async function matching(
  deps: GuardDeps,
  visit: Visit,
  request: MatchRequest,
  where: readonly Criterion[],
): Promise<readonly Match[]> {
  const query = { type: 'Patient', where, count: MOST_COMPARED, total: 'none', include: [] } as const;
  let shown: readonly Shown[] = [];
  const tell = (page: SearchPage): Account => {
    shown = shownOf(request, page);
    return accountOf(request, shown);
  };
  const { answer } = await guarded(deps, visit, 'iti-119', { kind: 'search', query }, tell);
  if (answer.next !== undefined)
    throw new Fault('too-costly', `More than ${MOST_COMPARED} Patients share what is known: add an identifier`);
  return shown.map(({ row: { id, json, person }, ...graded }) => ({ id, json, person, ...graded }));
}

type Shown = { readonly row: VisibleRow } & Pick<Match, 'grade' | 'score'>;

function shownOf({ sought, onlyCertainMatches }: MatchRequest, { rows, next }: SearchPage): readonly Shown[] {
  if (next !== undefined) return [];
  return rows.flatMap((row) => {
    const graded = gradeOf(sought, JSON.parse(row.json) as Patient);
    return graded === undefined || (onlyCertainMatches && graded.grade !== 'certain') ? [] : [{ row, ...graded }];
  });
}

/**
 * An event of a patient says by what she was found, and not with which values: she may not be the one who was sought.
 * One of no patient says all.
 */
function accountOf({ sought }: MatchRequest, shown: readonly Shown[]): Account {
  const elements = Object.keys(sought).filter((name) => name !== 'resourceType');
  const query = shown.length === 0 ? JSON.stringify(sought) : `by ${elements.join(', ')}`;
  return { rows: shown.map(({ row }) => row), entities: [{ role: '24', query: `Patient/$match ${query}` }] };
}

/** Several who are certainly she, and are not known to be one, are nobody for whom it must be certain. */
function answerOf({ onlyCertainMatches, count }: MatchRequest, found: readonly Match[]): readonly MatchedPatient[] {
  if (onlyCertainMatches && new Set(found.map(({ person }) => person)).size > 1) return [];
  const likeliest = found.toSorted((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
  return likeliest.slice(0, Math.min(count ?? COUNT.usual, COUNT.most));
}
