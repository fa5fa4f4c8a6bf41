/** What an officer decides of a request about a patient's data: the Task tells it, and she is told. */
import type { Task } from '@medplum/fhirtypes';
import {
  buildSubjectNotice,
  decidedRequest,
  mayExtend,
  REQUEST_VERDICTS,
  restrictionTime,
  subjectRightOf,
  type RequestDecision,
  type RequestVerdict,
} from '../../../profiles/consent/data-subject-request.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { liftingOf } from '../ground/restrictions.ts';
import type { Found } from '../internal-reads.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/**
 * The parts of the plan.
 * @throws {Fault} invalid - a verdict that such requests do not have
 * @throws {Fault} business-rule - more time is taken too late, or again; a restriction that was granted is refused; one
 * that was not, or that ends already, is lifted
 */
export function requestParts(
  { indexer, timeZone }: { readonly indexer: Indexer; readonly timeZone: string },
  { row, resource }: Found<Task>,
  decision: Pick<RequestDecision, 'comment' | 'officer' | 'now'> & { readonly verdict: string },
): readonly PlanParts[] {
  const verdict = REQUEST_VERDICTS.find((one) => one === decision.verdict);
  if (verdict === undefined)
    throw new Fault('invalid', `The verdict is one of ${REQUEST_VERDICTS.join(', ')}`, { expression: 'verdict' });
  const { now } = decision;
  refuseImpossible(resource, verdict, now);
  const task = decidedRequest(resource, { ...decision, verdict, timeZone });
  const { person, subject: patient } = row;
  if (person === undefined || patient === undefined) throw new Error('A request is of somebody');
  return [
    changed(indexer, row, task, now, aboutRow(row)),
    noticeParts(indexer, { person, patient }, now, (facts) => buildSubjectNotice({ ...facts, task, timeZone })),
    { jobs: liftingOf(task) },
  ];
}

function refuseImpossible(task: Task, verdict: RequestVerdict, now: number): void {
  const isRestriction = subjectRightOf(task) === 'restriction';
  if (verdict === 'lifted' && !isRestriction)
    throw new Fault('invalid', 'A restriction alone is lifted', { expression: 'verdict' });
  if (verdict === 'extended' && !mayExtend(task, now))
    throw new Fault('business-rule', 'More time is taken once, before the deadline');
  const standing = restrictionTime(task);
  // She is told before it ends (GDPR 18 (3)).
  if (verdict === 'refused' && standing !== undefined)
    throw new Fault('business-rule', 'A restriction that was granted is lifted, not refused');
  if (verdict === 'lifted' && standing?.to !== Infinity)
    throw new Fault('business-rule', 'A restriction is lifted once, after it was granted');
}
