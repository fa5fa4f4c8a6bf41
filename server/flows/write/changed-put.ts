/** Writes only what differs from what stands. */
import type { Resource } from '@medplum/fhirtypes';
import { canonicalText } from '../../../profiles/canonical-text.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { putOf, type PlanParts, type PutFacts } from './plan-parts.ts';

/**
 * The put of a resource, unless it stands just so; its version then is a precondition, so no other write is lost. Whom
 * the row comes from cannot be read: `isOtherOrigin` tells that it differs.
 */
export function changed(
  indexer: Indexer,
  standing: InternalRow | undefined,
  resource: Resource,
  now: number,
  facts: PutFacts,
  isOtherOrigin = false,
): PlanParts {
  const put = putOf(indexer, resource, now, facts);
  if (standing === undefined) return { puts: [put] };
  const same =
    !isOtherOrigin &&
    standing.released === put.released &&
    standing.person === put.person &&
    sameContent(openedResource(standing), resource);
  if (same) return {};
  return {
    preconditions: [{ kind: 'version', type: put.type, id: put.id, version: standing.version }],
    puts: [put],
  };
}

/** Whether two resources say the same; what the store stamps does not count. */
export function sameContent(one: Resource, other: Resource): boolean {
  return contentText(one) === contentText(other);
}

/** What a resource says, but for its version, as a text: the same of the same content. */
export function contentText({ meta, ...rest }: Resource): string {
  const { versionId: _v, lastUpdated: _l, ...kept } = meta ?? {};
  return canonicalText([kept, rest]);
}
