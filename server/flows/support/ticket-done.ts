/** A ticket of support is done when its Consent has ended, by whoever ended it. */
import type { Task } from '@medplum/fhirtypes';
import {
  consentOfSupport,
  endedSupport,
  isSupportTask,
  SUPPORT_ACCESS,
} from '../../../profiles/consent/giving/support.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';

const CONFIRMED: readonly Criterion[] = [
  { kind: 'token', param: 'status', values: [{ code: 'accepted' }] },
  { kind: 'token', param: 'code', values: [{ code: SUPPORT_ACCESS.code }] },
];

/** Whether a Task is a ticket that was confirmed, and that nobody said is over. */
export function isConfirmedTicket(task: Task): boolean {
  return isSupportTask(task) && task.status === 'accepted';
}

/** Tasks of a person that were confirmed, and that nobody said is over. */
export async function confirmedTickets(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey | undefined,
): Promise<readonly Found<Task>[]> {
  return person === undefined ? [] : await findAll<Task>(records, reading({ person }), 'Task', CONFIRMED);
}

/** The parts that complete those of them which came to one of these Consents (ids). */
export function ticketsDone(
  indexer: Indexer,
  tickets: readonly Found<Task>[],
  consents: readonly string[],
  now: number,
): readonly PlanParts[] {
  const ended = new Set(consents.map((id) => `Consent/${id}`));
  return tickets
    .filter(({ resource }) => ended.has(consentOfSupport(resource) ?? ''))
    .map(({ row, resource }) => changed(indexer, row, endedSupport(resource, now), now, aboutRow(row)));
}
