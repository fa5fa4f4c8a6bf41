/** Which search parameters a search rests on: those of its type, and of others that it leads to. */
import type { StoredType } from '../types/visibility.ts';
import { isLink, type Criterion } from './criterion.ts';
import type { Referrer } from './referrers.ts';

/** A search parameter of a type. */
export type UsedParameter = { readonly type: StoredType; readonly code: string };

/** Says whether a parameter is served: whether every row of its type is found by it. */
export type IsServed = (type: StoredType, code: string) => boolean;

/** The parameters of a condition on a type; an id is none. */
export function parametersOfCriterion(type: StoredType, criterion: Criterion): readonly UsedParameter[] {
  if (criterion.kind === 'id') return [];
  const own = usedParameter(type, criterion.param);
  if (!isLink(criterion)) return [own];
  if (criterion.kind === 'chain') return [own, ...parametersOfCriterion(criterion.target, criterion.criterion)];
  const { source, param } = criterion;
  return [usedParameter(source, param), ...parametersOfCriterion(source, criterion.criterion)];
}

/** The parts of a search that rest on parameters, as SearchQuery has them. */
export type SearchParts = {
  readonly type: StoredType;
  readonly where: readonly Criterion[];
  readonly order?: readonly { readonly param: string }[];
  readonly include: readonly { readonly param: string }[];
  readonly revinclude?: readonly Referrer[];
};

/** The parameters of a whole search. */
export function parametersOfSearch({
  type,
  where,
  order = [],
  include,
  revinclude = [],
}: SearchParts): readonly UsedParameter[] {
  return [
    ...where.flatMap((criterion) => parametersOfCriterion(type, criterion)),
    ...[...order, ...include].map(({ param }) => usedParameter(type, param)),
    ...revinclude.map(({ source, param }) => usedParameter(source, param)),
  ];
}

/** What the index keeps beside a parameter has its code first: `name:exact`, `subject:identifier`, `author.family`. */
function usedParameter(type: StoredType, param: string): UsedParameter {
  return { type, code: /^[^:.]*/.exec(param)?.[0] ?? '' };
}
