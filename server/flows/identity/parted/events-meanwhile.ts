/** What the trail tells of persons in a span of time. */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Criterion } from '../../../../profiles/search/query.ts';
import { systemGrant } from '../../../access/grant.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { pagesOfAll } from '../../internal-reads.ts';

/**
 * Events that name one of these Patients (`Patient/id`) from `since` to `until`, or those of them that `more` is true
 * of, page by page: the trail of years is not held at once. The latest come first.
 */
export async function* eventsMeanwhile(
  records: RecordStore,
  patients: readonly string[],
  { since, until }: { readonly since: number; readonly until: number },
  now: number,
  more: readonly Criterion[] = [],
): AsyncGenerator<readonly AuditEvent[], void> {
  const where: readonly Criterion[] = [{ kind: 'reference', param: 'patient', values: [...patients] }, ...more];
  const trail = systemGrant('end-given', 'whole', now);
  for await (const page of pagesOfAll<AuditEvent>(records, trail, 'AuditEvent', where)) {
    const events = page.map(({ resource }) => ({ event: resource, at: Date.parse(resource.recorded) }));
    yield events.flatMap(({ event, at }) => (since <= at && at <= until ? [event] : []));
    if ((events.at(-1)?.at ?? since) < since) return;
  }
}
