/** Tells data protection officers who opened what of persons who were one, or of an exam that was another person's. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { buildOpenedTask, isOpening } from '../../../../profiles/identity/opened-task.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { systemReading } from '../../../access/grant.ts';
import type { Origin } from '../../../access/rights-of.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TakenJob } from '../../../ports/job-queue.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { rowById } from '../../internal-reads.ts';
import { joinParts, putOf } from '../../write/plan-parts.ts';
import type { StandingIdentity } from '../identities.ts';

type Deps = { readonly records: RecordStore; readonly clock: Clock; readonly indexer: Indexer };
type Parting = TakenJob<'end-given'>['payload'];

/** Passages that one Task tells. */
const TOLD = 200;

/**
 * Writes the Tasks of what events tell, the first under this id, filed under the first of the identities. Where nobody
 * opened anything there is none; one that stands is not written again.
 */
export async function tellOpened(
  deps: Deps,
  id: string,
  identities: readonly StandingIdentity[],
  { since, until, item }: Parting,
  events: readonly AuditEvent[],
): Promise<void> {
  const { records, clock, indexer } = deps;
  const [whose] = identities;
  if (whose === undefined) return;
  const { person, content } = whose;
  const patients = identities.map((one) => `Patient/${one.content.id}`);
  const passages = events.filter((event) => isOpening(event) && isAbout(event, item));
  const facts = { person, subject: `Patient/${content.id}`, origin: forOfficers(identities) };
  for (let at = 0; at < passages.length; at += TOLD) {
    const name = at === 0 ? id : `${id}-${at / TOLD}`;
    if ((await rowById(records, systemReading('end-given', clock.now()), 'Task', name)) !== undefined) continue;
    const task = buildOpenedTask({ id: name, patients, since, until, passages: passages.slice(at, at + TOLD) });
    const put = putOf(indexer, task, until, facts);
    await records.commit(systemWarrant('tell-opened', person), joinParts({ puts: [put] }));
  }
}

function isAbout({ entity = [] }: AuditEvent, item: string | undefined): boolean {
  return item === undefined || entity.some(({ what }) => what?.reference === item);
}

/** The officers of the region and of every establishment that knows one of them. */
function forOfficers(identities: readonly StandingIdentity[]): Origin {
  const organizations = [...new Set(identities.flatMap(({ content }) => content.sources))];
  return {
    sources: [],
    services: [],
    offices: [
      ...organizations.slice(0, 1).map((organization) => ({ office: 'region-dpo' as const, organization })),
      ...organizations.map((organization) => ({ office: 'establishment-dpo' as const, organization })),
    ],
  };
}
