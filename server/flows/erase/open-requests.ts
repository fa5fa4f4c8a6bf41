/** Requests to erase the record of a person that stand, and what they keep desks from. */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { ERASURE_TASK } from '../../../profiles/consent/erasure-request.ts';
import { JOINED_PURGE } from '../../../profiles/identity/joined-purge.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { oneOf, type PlanParts } from '../write/plan-parts.ts';

const REQUESTS: readonly Criterion[] = [
  { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code: ERASURE_TASK.code }] },
  { kind: 'token', param: 'status', values: [{ code: 'requested' }, { code: 'in-progress' }] },
];

const PURGES: readonly Criterion[] = [
  { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code: JOINED_PURGE.code }] },
  { kind: 'token', param: 'status', values: [{ code: 'accepted' }, { code: 'in-progress' }] },
];

/** The requests that wait for their day (`requested`), and those that are carried out (`in-progress`). */
export async function openRequests(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
): Promise<readonly Found<Task>[]> {
  return await findAll<Task>(records, reading({ person }), 'Task', REQUESTS);
}

/**
 * Who is who stands still while the record of one of these persons is erased, or a part of it purged: it began with
 * those who were she. The parts make whoever begins meanwhile begin on what stands then.
 * @throws {Fault} conflict - the record of one of them is being erased
 */
export async function notWhileErasing(
  records: RecordStore,
  reading: NarrowReading,
  persons: readonly PersonKey[],
): Promise<PlanParts> {
  const turns: PlanParts[] = [];
  for (const person of new Set(persons)) {
    // Before the requests: whoever begins afterwards takes the turn.
    const turn = await readTurn(records, reading, claimKey.sharing(person));
    const purges = await findAll<Task>(records, reading({ person }), 'Task', PURGES);
    const requests = [...(await openRequests(records, reading, person)), ...purges];
    if (requests.some(({ resource }) => resource.status === 'in-progress')) throw new Fault('conflict', ERASED);
    if (requests.length > 0) turns.push(nextTurn(turn));
  }
  return oneOf(turns);
}

const ERASED = 'The record of one of the two is being erased: say it again when that is done, if it is still true';
