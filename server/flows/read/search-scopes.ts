/** Scopes over a search that reaches beyond its own type: chains and includes open nothing that a read would not. */
import type { Criterion, Include, SearchQuery } from '../../../profiles/search/query.ts';
import { findSearchParameter } from '../../../profiles/search/parameters.ts';
import type { Requester } from '../../access/requester.ts';
import { allows } from '../../access/scope.ts';
import { requireScope } from '../../access/scope.ts';

/**
 * Requires that the scopes open every type that a chain searches, and leaves out included types that they do not open.
 * @throws {Fault} forbidden (insufficient_scope)
 */
export function withinScopes(requester: Requester, query: SearchQuery): SearchQuery {
  for (const criterion of query.where) requireChain(requester, criterion);
  return { ...query, include: query.include.flatMap((include) => readable(requester, query.type, include)) };
}

function requireChain(requester: Requester, criterion: Criterion): void {
  if (criterion.kind !== 'chain') return;
  requireScope(requester, criterion.target, 's');
  requireChain(requester, criterion.criterion);
}

function readable({ scopes }: Requester, type: SearchQuery['type'], include: Include): readonly Include[] {
  const targets =
    include.target === undefined ? (findSearchParameter(type, include.param)?.targets ?? []) : [include.target];
  const open = targets.filter((target) => allows(scopes, target, 'r'));
  return open.length === targets.length ? [include] : open.map((target) => ({ ...include, target }));
}
