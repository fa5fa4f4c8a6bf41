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
 * Writes the Tasks of what pages of events tell, the first under this id, filed under the first of the identities.
 * Where nobody opened anything there is none; one that stands is not written again.
 */
export async function tellOpened(
  deps: Deps,
  id: string,
  identities: readonly StandingIdentity[],
  { since, until, item }: Parting,
  events: AsyncIterable<readonly AuditEvent[]>,
): Promise<void> {
  const { records, clock, indexer } = deps;
  const [whose] = identities;
  if (whose === undefined) return;
  const { person, content } = whose;
  const patients = identities.map((one) => `Patient/${one.content.id}`);
  const facts = { person, subject: `Patient/${content.id}`, origin: forOfficers(identities) };
  let tasks = 0;
  for await (const passages of inTasks(events, item)) {
    const name = tasks === 0 ? id : `${id}-${tasks}`;
    tasks += 1;
    if ((await rowById(records, systemReading('end-given', clock.now()), 'Task', name)) !== undefined) continue;
    const put = putOf(indexer, buildOpenedTask({ id: name, patients, since, until, passages }), until, facts);
    await records.commit(systemWarrant('tell-opened', person), joinParts({ puts: [put] }));
  }
}

/** What was opened, as many passages as one Task tells. */
async function* inTasks(
  pages: AsyncIterable<readonly AuditEvent[]>,
  item: string | undefined,
): AsyncGenerator<readonly AuditEvent[], void> {
  const passages: AuditEvent[] = [];
  for await (const events of pages) {
    passages.push(...events.filter((event) => isOpening(event) && isAbout(event, item)));
    if (passages.length >= TOLD) yield passages.splice(0, TOLD);
  }
  if (passages.length > 0) yield passages;
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
