/** A desk confirms that an identity is one with an opposed person: what came in under it is purged. */
import type { Task } from '@medplum/fhirtypes';
import { confirmedPurge, PURGE_VERDICTS } from '../../../../profiles/identity/joined-purge.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import type { Found } from '../../internal-reads.ts';
import { jobOf } from '../../jobs/job-of.ts';
import { changed } from '../../write/changed-put.ts';
import { aboutRow } from '../../write/plain-parts.ts';
import type { PlanParts } from '../../write/plan-parts.ts';

/** What is decided; `officer` is a reference, `now` in epoch milliseconds. */
export type DecidedPurge = {
  readonly verdict: string;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
};

/**
 * Works out the parts.
 * @throws {Fault} invalid - a verdict that Tasks of this kind do not have
 * @throws {Fault} conflict - it is decided, or the two are one no more
 */
export function purgeDecidedParts(
  { indexer }: { readonly indexer: Indexer },
  { row, resource: task }: Found<Task>,
  decided: DecidedPurge,
): readonly PlanParts[] {
  if (!PURGE_VERDICTS.some((one) => one === decided.verdict)) {
    const text = `The verdict is ${PURGE_VERDICTS.join(', ')}; two who are not one are separated (Patient/$separate)`;
    throw new Fault('invalid', text, { expression: 'verdict' });
  }
  if (task.status !== 'requested') throw new Fault('conflict', 'It is decided already');
  return [
    changed(indexer, row, confirmedPurge(task, decided), decided.now, aboutRow(row)),
    { jobs: [jobOf('purge-joined', row.id, decided.now)] },
  ];
}
