/** Scopes of rights as both stores keep them: in one column, by which those of one person are found. */
import { itemIn, type Right, type RightScope } from '../access/right.ts';

const EXAM = 'exam ';
const DATA = 'data ';

/**
 * The keys of all rights to several rows, but not to all: from the first, exclusive, to the second, exclusive. They
 * begin with a small letter, as no type does, so they lie together.
 */
export const SOME_KEYS = { after: 'a', before: '{' } as const;

/** What is kept of a scope; undefined of the record. */
export function toScopeKey(scope: RightScope): string | undefined {
  if (scope === 'record') return undefined;
  if ('dataPeriod' in scope) return `${DATA}${scope.dataPeriod.lo} ${scope.dataPeriod.hi}`;
  return 'exam' in scope ? `${EXAM}${scope.exam}` : scope.item;
}

/** The scope that is kept so. */
export function fromScopeKey(key: string | null | undefined): RightScope {
  if (key === undefined || key === null) return 'record';
  if (key.startsWith(DATA)) {
    const [lo = Number.NaN, hi = Number.NaN] = key.slice(DATA.length).split(' ').map(Number);
    return { dataPeriod: { lo, hi } };
  }
  return key.startsWith(EXAM) ? { exam: key.slice(EXAM.length) } : { item: key };
}

/**
 * Finds, among rights of one person, those that may reach a row (`Type/id`): to the record, to it, to any exam, and to
 * any time.
 */
export function nearRights<R extends Right>(rights: readonly R[]): (item: string) => readonly R[] {
  const byItem = Map.groupBy(rights, ({ scope }) => itemIn(scope) ?? '');
  const toAll = byItem.get('') ?? [];
  return (item) => [...toAll, ...(byItem.get(item) ?? [])];
}
