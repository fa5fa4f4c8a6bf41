/** Scopes over a search that reaches beyond its own type: what it joins opens nothing that a read would not. */
import { isLink } from '../../../profiles/search/criterion.ts';
import type { Criterion, Include, SearchQuery } from '../../../profiles/search/query.ts';
import { findSearchParameter } from '../../../profiles/search/parameters.ts';
import type { Requester } from '../../access/requester.ts';
import { allows } from '../../access/scope.ts';
import { requireScope } from '../../access/scope.ts';

/**
 * Requires that the scopes open every type that a chain or `_has` searches, and leaves out types that would come beside
 * a page and that they do not open. Rows of any type that events name are sought in those that they open
 * (events-of-rows.ts).
 * @throws {Fault} forbidden (insufficient_scope)
 */
export function withinScopes(requester: Requester, query: SearchQuery): SearchQuery {
  const isOfAny = (one: Criterion) => query.type === 'AuditEvent' && one.kind === 'chain' && one.isOfAny === true;
  for (const criterion of query.where) if (!isOfAny(criterion)) requireLinked(requester, criterion);
  const include = query.include.flatMap((each) => readable(requester, query.type, each));
  if (query.revinclude === undefined) return { ...query, include };
  const revinclude = query.revinclude.filter(({ source }) => allows(requester.scopes, source, 'r'));
  return { ...query, include, revinclude };
}

function requireLinked(requester: Requester, criterion: Criterion): void {
  if (!isLink(criterion)) return;
  requireScope(requester, criterion.kind === 'chain' ? criterion.target : criterion.source, 's');
  requireLinked(requester, criterion.criterion);
}

function readable({ scopes }: Requester, type: SearchQuery['type'], include: Include): readonly Include[] {
  const targets =
    include.target === undefined ? (findSearchParameter(type, include.param)?.targets ?? []) : [include.target];
  const open = targets.filter((target) => allows(scopes, target, 'r'));
  return open.length === targets.length ? [include] : open.map((target) => ({ ...include, target }));
}
