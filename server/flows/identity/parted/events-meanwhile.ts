/** What the trail tells of persons in a span of time. */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Criterion } from '../../../../profiles/search/query.ts';
import { systemGrant } from '../../../access/grant.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { pagesOfAll } from '../../internal-reads.ts';

/** Events that name one of these Patients (`Patient/id`) from `since` to `until`, the latest first. */
export async function eventsMeanwhile(
  records: RecordStore,
  patients: readonly string[],
  { since, until }: { readonly since: number; readonly until: number },
  now: number,
): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  const named: Criterion = { kind: 'reference', param: 'patient', values: [...patients] };
  for await (const page of pagesOfAll<AuditEvent>(records, systemGrant('end-given', 'whole', now), 'AuditEvent', [
    named,
  ])) {
    const times = page.map(({ resource }) => Date.parse(resource.recorded));
    events.push(...page.map(({ resource }) => resource).filter((_event, at) => isIn(times[at])));
    if ((times.at(-1) ?? since) < since) break;
  }
  return events;

  function isIn(at = 0): boolean {
    return since <= at && at <= until;
  }
}
