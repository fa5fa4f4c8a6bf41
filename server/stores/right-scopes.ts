/** Scopes of rights as both stores keep them: in one column, by which those of one person are found. */
import { itemIn, type Right, type RightScope } from '../access/right.ts';

/** No type begins so: rights to exams lie together. */
const EXAM = 'exam ';

/** The keys of all rights to exams: from the first, exclusive, to the second, exclusive. */
export const EXAM_KEYS = { after: EXAM, before: 'exam!' } as const;

/** What is kept of a scope; undefined of the record. */
export function toScopeKey(scope: RightScope): string | undefined {
  if (scope === 'record') return undefined;
  return 'exam' in scope ? `${EXAM}${scope.exam}` : scope.item;
}

/** The scope that is kept so. */
export function fromScopeKey(key: string | null | undefined): RightScope {
  if (key === undefined || key === null) return 'record';
  return key.startsWith(EXAM) ? { exam: key.slice(EXAM.length) } : { item: key };
}

/** Finds, among rights of one person, those that may reach a row (`Type/id`): to the record, to it, and to any exam. */
export function nearRights<R extends Right>(rights: readonly R[]): (item: string) => readonly R[] {
  const byItem = Map.groupBy(rights, ({ scope }) => itemIn(scope) ?? '');
  const toAll = byItem.get('') ?? [];
  return (item) => [...toAll, ...(byItem.get(item) ?? [])];
}
